package config

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

func showHost(h Host) *yaml.Node {
	pairs := []pair{{"address", unlessEmpty(h.Address)}, {"docker", unlessEmpty(h.Docker)}}
	if s := h.SSH; s != nil {
		pairs = append(pairs, pair{"user", text(s.User)}, pair{"port", number(s.Port)}, pair{"key", showSecret(s.Key)},
			pair{"become", unlessEmpty(s.Become)}, pair{"bastion", unlessEmpty(s.Bastion)}, pair{"trust", unlessEmpty(s.Trust)})
	}
	return inline(mapping(pairs...))
}

func showSite(s Site) *yaml.Node {
	isSolo := func(b Bridge) bool { return b.Version == VersionSolo }
	return mapping(
		pair{"name", text(s.Name)},
		pair{"network", text(s.Network)},
		pair{"mode", unlessEmpty(s.Mode)},
		pair{"nodes", sequence(s.Nodes, showNode)},
		pair{"data_providers", sequence(s.DataProviders, func(d DataProvider) *yaml.Node {
			return mapping(
				pair{"name", text(d.Name)},
				pair{"host", text(d.Host)},
				pair{"node", unlessEmpty(d.Node)},
				pair{"project", unlessEmpty(d.Project)},
			)
		})},
		pair{"headers_caches", sequence(s.HeadersCaches, func(c HeadersCache) *yaml.Node {
			return mapping(pair{"name", text(c.Name)}, pair{"url", text(c.URL)}, pair{"node", unlessEmpty(c.Node)})
		})},
		pair{"bridges", sequence(slices.DeleteFunc(slices.Clone(s.Bridges), isSolo), showBridge)},
		pair{"solo", sequence(slices.DeleteFunc(slices.Clone(s.Bridges), func(b Bridge) bool { return !isSolo(b) }), showSolo)},
		pair{"pools", sequence(s.Pools, showPool)},
	)
}

func showNode(n Node) *yaml.Node {
	return mapping(
		pair{"name", text(n.Name)},
		pair{"host", text(n.Host)},
		pair{"para", unlessEmpty(n.Para)},
		pair{"relay", unlessEmpty(n.Relay)},
		pair{"rpc", unlessEmpty(n.RPC)},
		pair{"container", unlessEmpty(n.Container)},
		pair{"grace", span(n.Grace)},
		pair{"volume", unlessEmpty(n.Volume)},
	)
}

func showBridge(b Bridge) *yaml.Node {
	return mapping(
		pair{"name", text(b.Name)},
		pair{"version", text(b.Version)},
		pair{"url", text(b.URL)},
		pair{"lifecycle", unlessEmpty(b.Lifecycle)},
		pair{"data_providers", unlessNone(b.DataProviders)},
		pair{"node", unlessEmpty(b.Node)},
		pair{"host", text(b.Host)},
		pair{"project", unlessEmpty(b.Project)},
		pair{"roles", unlessNoPairs(b.Roles)},
		pair{"standby", unlessEmpty(b.Standby)},
		pair{"max_workers", number(b.MaxWorkers)},
		pair{"labels", unlessNoPairs(b.Labels)},
	)
}

func showSolo(b Bridge) *yaml.Node {
	return mapping(
		pair{"name", text(b.Name)},
		pair{"pruntime", text(b.URL)},
		pair{"node", unlessEmpty(b.Node)},
		pair{"host", text(b.Host)},
		pair{"pherry", unlessEmpty(b.Pherry)},
		pair{"labels", unlessNoPairs(b.Labels)},
	)
}

func showWindow(w Window) *yaml.Node {
	return inline(mapping(
		pair{"name", text(w.Name)},
		pair{"at", text(w.At)},
		pair{"for", span(w.For)},
		pair{"sites", unlessNone(w.Sites)},
	))
}
