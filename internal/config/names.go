package config

import (
	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

// definition is where a name was given to a thing.
type definition struct {
	at     *yaml.Node
	site   string
	single bool // a node with one chain only, which cannot feed a bridge
}

// names knows every name of the fleet. Names are unique for each kind in the whole fleet, because references and locks are
// made of them.
type names struct {
	of map[fleet.Kind]map[string]definition
	// partial are kinds of which a name could not be read: then nobody can say that a reference leads nowhere.
	partial map[fleet.Kind]bool
	// What two things must not share: RPC addresses, lifecycle managers, and the addresses of pRuntimes and headers-caches.
	urls     map[string]value
	managers map[string]value
	owned    map[string]value
	pools    map[string]value // by network and number
}

// These complete the kinds of package fleet, which has no Ref for them.
const (
	kindNetwork      fleet.Kind = "network"
	kindHeadersCache fleet.Kind = "headers_cache"
	kindWindow       fleet.Kind = "window"
	kindRule         fleet.Kind = "rule"
)

func newNames() names {
	return names{
		of:       map[fleet.Kind]map[string]definition{},
		partial:  map[fleet.Kind]bool{},
		urls:     map[string]value{},
		managers: map[string]value{},
		owned:    map[string]value{},
		pools:    map[string]value{},
	}
}

// define gives name to the thing at v; a name that is taken already is a problem.
func (r *reader) define(kind fleet.Kind, name string, v value, d definition) {
	d.at = v.at
	if r.names.of[kind] == nil {
		r.names.of[kind] = map[string]definition{}
	}
	if before, taken := r.names.of[kind][name]; taken {
		v.problem(fleet.Because("config.duplicate_name", "kind", kindCode(kind), "name", name, "line", before.at.Line))
		return
	}
	r.names.of[kind][name] = d
}

// builtIn names a thing that needs no line in the file.
func (r *reader) builtIn(kind fleet.Kind, name string) {
	if r.names.of[kind] == nil {
		r.names.of[kind] = map[string]definition{}
	}
	r.names.of[kind][name] = definition{}
}

// refer checks, once all names are known, that there is a thing of that name; then also is asked about it.
func (r *reader) refer(kind fleet.Kind, name string, v value, also func(definition)) {
	r.later(func() {
		d, ok := r.names.of[kind][name]
		switch {
		case ok && also != nil:
			also(d)
		case !ok && !r.names.partial[kind]:
			v.problem(r.dangling(kind, name))
		}
	})
}

func (r *reader) dangling(kind fleet.Kind, name string) fleet.Reason {
	if r.full() {
		return fleet.Reason{}
	}
	var fields []field
	for known := range r.names.of[kind] {
		fields = append(fields, field{name: known})
	}
	if near := nearest(name, fields); near != "" && !ambiguous(name, near, fields) {
		return fleet.Because("config.no_such_near", "kind", kindCode(kind), "name", showText(name), "near", near)
	}
	return fleet.Because("config.no_such", "kind", kindCode(kind), "name", showText(name))
}

// ambiguous reports whether another name is as near: "node-3" is as near to node-1 as to node-2, and a guess would mislead.
func ambiguous(name, near string, fields []field) bool {
	for _, f := range fields {
		if f.name != near && apart(name, f.name) == apart(name, near) {
			return true
		}
	}
	return false
}

// sameSite refers to a thing that must belong to site: a site is one LAN with one lease.
func (r *reader) sameSite(kind fleet.Kind, name, site string, v value) {
	r.refer(kind, name, v, func(d definition) {
		switch {
		case d.site != site:
			v.problem(fleet.Because("config.other_site", "kind", kindCode(kind), "name", name, "site", d.site))
		case d.single:
			v.problem(fleet.Because("config.single_chain", "name", name))
		}
	})
}

func kindCode(k fleet.Kind) string {
	switch k {
	case kindNetwork:
		return "config.kind_network"
	case kindHeadersCache:
		return "config.kind_headers_cache"
	case kindWindow:
		return "config.kind_window"
	case kindRule:
		return "config.kind_rule"
	}
	return "kind." + string(k)
}
