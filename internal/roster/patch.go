package roster

import (
	"slices"
	"strings"

	"phalops/internal/fleet"
)

// Patch is what `worker set` changes. nil: it stays as it is.
type Patch struct {
	Stake    *fleet.Amount
	PID      *uint64
	Name     *string // makes sense for one worker only
	Endpoint *string // as Endpoint makes it; makes sense for one worker only
	Enabled  *bool
	SyncOnly *bool
	Labels   map[string]string // "" takes the label away; nil: none change
}

// Empty reports whether nothing changes.
func (p Patch) Empty() bool {
	return p.Stake == nil && p.PID == nil && p.Name == nil && p.Endpoint == nil && p.Enabled == nil && p.SyncOnly == nil && len(p.Labels) == 0
}

// patchKeys are the keys of `worker set`, as people are told them.
func patchKeys() []string {
	return []string{"stake", "pool", "name", "endpoint", "enabled", "sync-only", "label.K"}
}

// ParsePatch reads the arguments of `worker set`: stake=10.5 pool=84 name=w-1 endpoint=192.168.2.1 enabled=false
// sync-only=true label.customer=x. The error is a *fleet.Error of kind Invalid about the first wrong one.
func ParsePatch(args []string) (Patch, error) {
	var p Patch
	if len(args) == 0 {
		return p, fleet.Fail(fleet.Invalid, fleet.Because("roster.patch_empty", "keys", strings.Join(patchKeys(), ", ")))
	}
	seen := map[string]bool{}
	for _, arg := range args {
		key, text, ok := strings.Cut(arg, "=")
		if !ok {
			return Patch{}, fleet.Fail(fleet.Invalid, fleet.Because("roster.patch_form", "value", show(arg)))
		}
		key = patchKey(strings.TrimSpace(key))
		if seen[key] {
			return Patch{}, fleet.Fail(fleet.Invalid, fleet.Because("roster.patch_twice", "key", show(key)))
		}
		seen[key] = true
		if why := p.set(key, strings.TrimSpace(text)); !why.IsZero() {
			return Patch{}, fleet.Fail(fleet.Invalid, fleet.Because("roster.patch_value", "key", show(key), "why", fleet.Fail(fleet.Invalid, why)))
		}
	}
	return p, nil
}

// patchKey is one key for all ways to write it.
func patchKey(key string) string {
	if strings.HasPrefix(key, "label.") {
		return key
	}
	switch key = strings.ReplaceAll(key, "_", "-"); key {
	case "pid":
		return "pool"
	case "url":
		return "endpoint"
	}
	return key
}

func (p *Patch) set(key, text string) fleet.Reason {
	if label, ok := strings.CutPrefix(key, "label."); ok {
		return p.label(label, text)
	}
	switch key {
	case "stake":
		return put(&p.Stake, text, Stake)
	case "pool":
		return put(&p.PID, text, PID)
	case "name":
		return put(&p.Name, text, Name)
	case "endpoint":
		return put(&p.Endpoint, text, Endpoint)
	case "enabled":
		return put(&p.Enabled, text, Switch)
	case "sync-only":
		return put(&p.SyncOnly, text, Switch)
	}
	if near := nearest(key, patchKeys()); near != "" {
		return fleet.Because("roster.patch_key_near", "near", near)
	}
	return fleet.Because("roster.patch_key", "keys", strings.Join(patchKeys(), ", "))
}

func (p *Patch) label(key, text string) fleet.Reason {
	key, why := LabelKey(key)
	if !why.IsZero() {
		return why
	}
	if text, why = LabelValue(text); !why.IsZero() {
		return why
	}
	if p.Labels == nil {
		p.Labels = map[string]string{}
	}
	p.Labels[key] = text
	return fleet.Reason{}
}

// put parses text into its place.
func put[T any](into **T, text string, parse func(string) (T, fleet.Reason)) fleet.Reason {
	v, why := parse(text)
	if why.IsZero() {
		*into = &v
	}
	return why
}

// nearest is the one known word that s was probably meant to be, "" when none is near or two are equally near.
func nearest(s string, known []string) string {
	best, at := "", 3
	if len([]rune(s)) < 5 {
		at = 2
	}
	for _, k := range slices.Sorted(slices.Values(known)) {
		switch d := fleet.Distance(s, k); {
		case d < at:
			best, at = k, d
		case d == at:
			best = ""
		}
	}
	return best
}
