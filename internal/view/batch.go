package view

import "phalops/internal/fleet"

// BatchItem is one line of a batch: what became of one worker or pool.
type BatchItem struct {
	Line     int     `json:"line,omitempty"` // of the list that it comes from
	Name     string  `json:"name"`
	Endpoint string  `json:"endpoint,omitempty"`
	Pool     uint64  `json:"pool,omitempty"`
	Stake    string  `json:"stake,omitempty"` // in PHA
	Bridge   string  `json:"bridge"`
	Plan     string  `json:"plan,omitempty"` // "" in a dry run, and for what is in no plan
	Result   string  `json:"result"`         // done, failed, skipped; dry_run; else where its step stands
	Reason   *Reason `json:"reason,omitempty"`
}

// Reason is a sentence in the reader's language, nil for none.
func (w Words) Reason(r fleet.Reason) *Reason { return w.reason(r) }
