package prb

import (
	"encoding/json"

	"phalops/internal/fleet"
)

// The lenient field types never fail: a field of another type than expected is an unknown field, not an unreadable worker.

// Text takes a string, and a number as it is written; everything else is "".
type Text string

// UnmarshalJSON never fails.
func (t *Text) UnmarshalJSON(raw []byte) error {
	var s string
	switch {
	case json.Unmarshal(raw, &s) == nil:
		*t = Text(s)
	case raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'):
		*t = Text(raw)
	}
	return nil
}

// Flag is true for true only, as absent is false to the servers.
type Flag bool

// UnmarshalJSON never fails.
func (f *Flag) UnmarshalJSON(raw []byte) error {
	*f = string(raw) == "true"
	return nil
}

// OptBool is nil unless it is true or false.
type OptBool struct{ Value *bool }

// UnmarshalJSON never fails.
func (b *OptBool) UnmarshalJSON(raw []byte) error {
	var v *bool
	if json.Unmarshal(raw, &v) == nil {
		b.Value = v
	}
	return nil
}

// Int takes a number or the same as a string.
type Int struct {
	Value int64
	Known bool
}

// UnmarshalJSON never fails.
func (n *Int) UnmarshalJSON(raw []byte) error {
	var t Text
	_ = t.UnmarshalJSON(raw)
	if h := heightOf(string(t)); h.Known {
		*n = Int{h.Value, true}
	}
	return nil
}

// Height is the number as a bare height.
func (n Int) Height() fleet.Height { return fleet.Height{Value: n.Value, Known: n.Known} }
