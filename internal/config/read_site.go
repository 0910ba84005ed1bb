package config

import (
	"time"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

func (r *reader) sites(v value) {
	v.objects(func(_ int, item value) { r.config.Sites = append(r.config.Sites, r.site(item)) })
	if len(r.config.Sites) == 0 && (v.n.Kind == yaml.SequenceNode || v.isNull()) {
		v.problem(fleet.Because("config.no_sites"))
	}
}

func (r *reader) site(v value) Site {
	s := Site{Network: khala}
	s.Name = r.name(v, fleet.KindSite, definition{})
	var solo []Bridge
	var pids []value
	seen := v.object(
		must("name", readBefore),
		key("network", scalar(&s.Network, nameText)),
		key("mode", scalar(&s.Mode, oneOf(modes()))),
		key("nodes", func(v value) {
			v.objects(func(_ int, item value) { s.Nodes = append(s.Nodes, r.node(item, s.Name)) })
		}),
		key("data_providers", func(v value) {
			v.objects(func(_ int, item value) { s.DataProviders = append(s.DataProviders, r.dataProvider(item, s.Name)) })
		}),
		key("headers_caches", func(v value) {
			v.objects(func(_ int, item value) { s.HeadersCaches = append(s.HeadersCaches, r.headersCache(item, s.Name)) })
		}),
		key("bridges", func(v value) {
			v.objects(func(_ int, item value) { s.Bridges = append(s.Bridges, r.bridge(item, s.Name)) })
		}),
		key("solo", func(v value) {
			v.objects(func(_ int, item value) { solo = append(solo, r.solo(item, s.Name)) })
		}),
		key("pools", func(v value) {
			v.objects(func(_ int, item value) {
				pool, pid := r.pool(item)
				s.Pools, pids = append(s.Pools, pool), append(pids, pid)
			})
		}),
	)
	s.Bridges = append(s.Bridges, solo...) // behind the others, wherever they stand in the file
	if seen["network"].present() {
		r.refer(kindNetwork, s.Network, seen["network"], nil)
	}
	r.onlyOnePool(s, pids)
	return s
}

// name reads the name of v ahead of its other keys, which need it, and gives it to v.
func (r *reader) name(v value, kind fleet.Kind, d definition) string {
	if item := v.lookup("name"); item.present() {
		if name, ok := read(item, nameText); ok {
			r.define(kind, name, item, d)
			return name
		}
	}
	r.names.partial[kind] = true
	return ""
}

// readBefore stands for a key that was read ahead of the others.
func readBefore(value) {}

func (r *reader) node(v value, site string) Node {
	n := defaultNode()
	n.Name = r.name(v, fleet.KindNode, definition{site: site, single: v.lookup("rpc").present()})
	seen := v.object(
		must("name", readBefore),
		key("host", scalar(&n.Host, nameText)),
		key("para", scalar(&n.Para, rpcURL)),
		key("relay", scalar(&n.Relay, rpcURL)),
		key("rpc", scalar(&n.RPC, rpcURL)),
		key("container", scalar(&n.Container, dockerText)),
		key("grace", scalar(&n.Grace, duration(time.Minute, time.Hour))),
		key("volume", scalar(&n.Volume, folder)),
	)
	switch para, relay, rpc := seen["para"].present(), seen["relay"].present(), seen["rpc"].present(); {
	case rpc && (para || relay):
		seen["rpc"].problem(fleet.Because("config.rpc_and_para"))
	case !rpc && (!para || !relay) && v.n.Kind == yaml.MappingNode:
		v.problem(fleet.Because("config.no_rpc"))
	}
	r.onlyOnce(seen["para"], n.Para)
	r.onlyOnce(seen["relay"], n.Relay)
	r.onlyOnce(seen["rpc"], n.RPC)
	r.placed(seen, n.Host, seen["container"])
	return n
}

// onlyOnce reports a second use of a node's URL: a node that is listed twice would be its own witness.
func (r *reader) onlyOnce(v value, url string) {
	if !v.present() || url == "" {
		return
	}
	if before, taken := r.names.urls[url]; taken {
		v.problem(fleet.Because("config.url_twice", "value", showText(url), "line", before.at.Line))
		return
	}
	r.names.urls[url] = v
}

// placed checks the host that a thing is on, and that its containers can be reached there if they are ours to restart.
func (r *reader) placed(seen map[string]value, host string, containers value) {
	if at := seen["host"]; at.present() {
		r.refer(fleet.KindHost, host, at, nil)
	}
	if containers.present() {
		r.reachable(host, containers)
	}
}

func (r *reader) reachable(host string, at value) {
	r.later(func() {
		if h, known := r.config.Hosts[host]; known && h.Docker == "" && h.SSH == nil {
			at.problem(fleet.Because("config.no_engine", "host", host))
		}
	})
}

func (r *reader) dataProvider(v value, site string) DataProvider {
	d := DataProvider{Host: LocalHost}
	d.Name = r.name(v, fleet.KindDataProvider, definition{site: site})
	seen := v.object(
		must("name", readBefore),
		key("host", scalar(&d.Host, nameText)),
		must("node", scalar(&d.Node, nameText)),
		key("project", scalar(&d.Project, dockerText)),
	)
	if d.Node != "" {
		r.sameSite(fleet.KindNode, d.Node, site, seen["node"])
	}
	r.placed(seen, d.Host, seen["project"])
	return d
}

func (r *reader) headersCache(v value, site string) HeadersCache {
	var c HeadersCache
	c.Name = r.name(v, kindHeadersCache, definition{site: site})
	seen := v.object(
		must("name", readBefore),
		must("url", scalar(&c.URL, baseURL)),
		key("node", scalar(&c.Node, nameText)),
	)
	if c.Node != "" {
		r.sameSite(fleet.KindNode, c.Node, site, seen["node"])
	}
	r.oneOwner(seen["url"], c.URL)
	return c
}

// oneOwner reports an address that another headers-cache or solo worker has already: looked at twice, one machine would
// count as two, and a pRuntime with two feeders loses its place.
func (r *reader) oneOwner(v value, url string) {
	if !v.present() || url == "" {
		return
	}
	if before, taken := r.names.owned[url]; taken {
		v.problem(fleet.Because("config.address_twice", "value", showText(url), "line", before.at.Line))
		return
	}
	r.names.owned[url] = v
}
