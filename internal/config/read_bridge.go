package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

// Generations of bridges.
const (
	v0 = "v0"
	v2 = "v2"
	v3 = "v3"
)

func generations() []string { return []string{v0, v2, v3} }

// servicesOf are the compose services of a generation, as its documentation names them.
func servicesOf(version string) []string {
	switch version {
	case v0:
		return []string{"io", "redis", "redis-q", "fetch", "lifecycle", "trade", "monitor", "arena"}
	case v2:
		return []string{"redis-q", "lifecycle", "trade", "data_provider", "monitor", "arena"}
	case v3:
		return []string{"wm", "monitor", "headers-cache"}
	}
	return nil
}

func (r *reader) bridge(v value, site string) Bridge {
	b := defaultBridge()
	b.Name = r.name(v, fleet.KindBridge, definition{site: site})
	version := "" // known ahead: other keys depend on it
	if at := v.lookup("version"); at.present() && slices.Contains(generations(), at.n.Value) {
		version = at.n.Value
	}
	address := baseURL
	if version == v3 {
		address = managerURL
	}
	seen := v.object(append([]field{
		must("name", readBefore),
		must("version", scalar(&b.Version, generation)),
		must("url", scalar(&b.URL, address)),
		key("lifecycle", only(v2, version, "lifecycle", scalar(&b.Lifecycle, peerID))),
		key("data_providers", only(v2, version, "data_providers", list(&b.DataProviders, nameText, func(name string, item value) {
			r.sameSite(fleet.KindDataProvider, name, site, item)
		}))),
		key("node", scalar(&b.Node, nameText)),
		key("host", scalar(&b.Host, nameText)),
		key("project", scalar(&b.Project, dockerText)),
		key("roles", func(v value) { b.Roles = r.roles(v, version) }),
		key("standby", scalar(&b.Standby, nameText)),
		key("max_workers", scalar(&b.MaxWorkers, integer(1, 100_000))),
		key("labels", func(v value) { b.Labels = r.labels(v) }),
	}, planned("volume")...)...)
	if b.Node != "" {
		r.sameSite(fleet.KindNode, b.Node, site, seen["node"])
	}
	r.placed(seen, b.Host, seen["project"])
	r.elsewhere(b, seen["standby"])
	r.onlyOneManager(b, seen)
	return b
}

// generation accepts what a bridge can be.
func generation(s string) (string, fleet.Reason) {
	switch s {
	case "v1":
		return "", fleet.Because("config.no_v1")
	case VersionSolo:
		return "", fleet.Because("config.solo_version")
	}
	return oneOf(generations())(s)
}

// only reads a key of one generation; in a bridge of another it is a mistake, whatever its value.
func only(its, version, name string, read func(value)) func(value) {
	return func(v value) {
		if version == "" || version == its {
			read(v)
			return
		}
		v.problem(fleet.Because("config.only_in", "key", name, "its", its, "version", version))
	}
}

// elsewhere checks that a standby is on another machine than what it stands by for.
func (r *reader) elsewhere(b Bridge, at value) {
	if b.Standby == "" {
		return
	}
	r.refer(fleet.KindHost, b.Standby, at, nil)
	r.reachable(b.Standby, at)
	home := b.Host
	for _, service := range []string{"lifecycle", "wm"} {
		if host, ok := b.Roles[service]; ok {
			home = host
		}
	}
	if b.Standby == home {
		at.problem(fleet.Because("config.standby_here", "host", home))
	}
}

// onlyOneManager reports a bridge that is listed twice.
func (r *reader) onlyOneManager(b Bridge, seen map[string]value) {
	if b.URL == "" {
		return
	}
	manager := b.URL
	if wm, monitor := b.Manager(); monitor != "" {
		manager = wm
	}
	if at := seen["lifecycle"]; at.present() {
		manager += " " + at.n.Value
	}
	if before, taken := r.names.managers[manager]; taken {
		seen["url"].problem(fleet.Because("config.bridge_twice", "line", before.at.Line))
		return
	}
	r.names.managers[manager] = seen["url"]
}

// solo reads a worker that mines alone: node, pherry and pRuntime without a bridge.
func (r *reader) solo(v value, site string) Bridge {
	b := defaultSolo()
	b.Name = r.name(v, fleet.KindBridge, definition{site: site})
	seen := v.object(
		must("name", readBefore),
		must("pruntime", scalar(&b.URL, baseURL)),
		key("node", scalar(&b.Node, nameText)),
		key("host", scalar(&b.Host, nameText)),
		key("pherry", scalar(&b.Pherry, dockerText)),
		key("labels", func(v value) { b.Labels = r.labels(v) }),
	)
	if b.Node != "" {
		r.sameSite(fleet.KindNode, b.Node, site, seen["node"])
	}
	r.placed(seen, b.Host, seen["pherry"])
	r.oneOwner(seen["pruntime"], b.URL)
	return b
}

// roles reads which compose service lives on which host. A service of another generation is a mistake; one that no
// generation has may be somebody's own.
func (r *reader) roles(v value, version string) map[string]string {
	roles := map[string]string{}
	v.entries(func(k *yaml.Node, item value) {
		service, why := dockerText(k.Value)
		if !why.IsZero() {
			r.report(k, item.path, why)
			return
		}
		r.shown[k] = true
		if foreign(service, version) {
			r.report(k, item.path, fleet.Because("config.foreign_role", "service", service, "version", version,
				"services", strings.Join(servicesOf(version), ", ")))
			return
		}
		if host, ok := read(item, nameText); ok {
			roles[service] = host
			r.refer(fleet.KindHost, host, item, nil)
			r.reachable(host, item)
		}
	})
	return orNil(roles)
}

// foreign reports whether a service belongs to other generations only.
func foreign(service, version string) bool {
	if version == "" || slices.Contains(servicesOf(version), service) {
		return false
	}
	return slices.ContainsFunc(generations(), func(g string) bool { return slices.Contains(servicesOf(g), service) })
}

func (r *reader) labels(v value) map[string]string {
	labels := map[string]string{}
	v.entries(func(k *yaml.Node, item value) {
		name, why := nameText(k.Value)
		if !why.IsZero() {
			r.report(k, item.path, why)
			return
		}
		r.shown[k] = true
		if text, ok := read(item, labelText); ok {
			labels[name] = text
		}
	})
	return orNil(labels)
}

func orNil(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
