package config

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
	"phalops/internal/secret"
)

// field is one key that a mapping may have.
type field struct {
	name     string
	read     func(value)
	required bool
	planned  bool // a part of phalops that this version does not have yet
}

func key(name string, read func(value)) field  { return field{name: name, read: read} }
func must(name string, read func(value)) field { return field{name: name, read: read, required: true} }

// planned are keys that phalops will know, so that a file written for a newer version gets a clear answer.
func planned(names ...string) []field {
	fields := make([]field, len(names))
	for i, n := range names {
		fields[i] = field{name: n, planned: true, read: func(v value) {
			// Of these values only the kind is known: some are secrets, and those are references.
			if text := v.n.Value; showText(text) == text || secret.Ref(text).Check() == nil {
				v.show()
			}
		}}
	}
	return fields
}

// object reads a mapping with known keys, and returns the value of each key that is there. Looking up an absent key gives a
// value that is not present.
func (v value) object(fields ...field) map[string]value {
	seen := map[string]value{}
	v.entries(func(k *yaml.Node, item value) {
		for _, f := range fields {
			if f.name != k.Value {
				continue
			}
			v.r.shown[k] = true
			seen[f.name] = item
			f.read(item)
			if f.planned {
				v.r.report(k, item.path, fleet.Because("config.unsupported", "key", f.name))
			}
			return
		}
		if meant := v.unknown(k, item, fields); meant != "" && !seen[meant].present() {
			seen[meant] = item // one mistake, one problem: it is not missing as well
		}
	})
	for _, f := range fields {
		if f.required && !seen[f.name].present() && (v.n.Kind == yaml.MappingNode || v.isNull()) {
			v.problem(fleet.Because("config.missing", "key", f.name))
		}
	}
	return seen
}

// unknown reports a key that no field has, and returns the field that was probably meant.
func (v value) unknown(k *yaml.Node, item value, fields []field) (meant string) {
	near := nearest(k.Value, fields)
	name, _, colon := strings.Cut(k.Value, ":")
	switch {
	case near != "":
		v.r.shown[k] = true
		v.r.report(k, item.path, fleet.Because("config.unknown_key_near", "key", k.Value, "near", near))
		return near
	case item.isNull() && colon && knows(fields, name):
		// "token:xyz": the rest of the key is a value, perhaps a secret.
		v.r.report(k, join(v.path, name), fleet.Because("config.missing_space", "key", name))
		return name
	}
	shown := showKey(k.Value, item.isNull())
	v.r.shown[k] = shown == k.Value
	v.r.report(k, join(v.path, shown), fleet.Because("config.unknown_key", "key", shown))
	return ""
}

func knows(fields []field, name string) bool {
	for _, f := range fields {
		if f.name == name {
			return true
		}
	}
	return false
}

// nearest is the known key that key was probably meant to be, "" when none is close.
func nearest(key string, fields []field) string {
	best, near := 1+min(2, len(key)/3), ""
	for _, f := range fields {
		if max(len(key), len(f.name))-min(len(key), len(f.name)) >= best {
			continue
		}
		if d := apart(key, f.name); d < best {
			best, near = d, f.name
		}
	}
	return near
}

// apart is how far a key is from a known one; a dash is as good as an underscore.
func apart(key, known string) int { return fleet.Distance(strings.ReplaceAll(key, "-", "_"), known) }
