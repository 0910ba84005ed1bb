package roster

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"phalops/internal/fleet"
)

var rangePattern = regexp.MustCompile(`\[([0-9]{1,9})-([0-9]{1,9})\]`)

// expand makes the texts of a cell, whose ranges count against the list's share.
func (r *row) expand(c cell) ([]string, *mistake) {
	all, why := expand(c.text, *r.left)
	if *r.left -= len(all); !why.IsZero() {
		return nil, c.wrong(why)
	}
	return all, nil
}

// expand turns "w-[001-100]" into w-001 … w-100, at most most of them; leading zeros are kept, so both ends must then be
// equally long. A text without a range stands for itself, alone.
func expand(s string, most int) ([]string, fleet.Reason) {
	found := rangePattern.FindAllStringSubmatchIndex(s, 2)
	if len(found) == 0 {
		return []string{s}, fleet.Reason{}
	}
	at := found[0]
	low, high := s[at[2]:at[3]], s[at[4]:at[5]]
	from, _ := strconv.Atoi(low) // nine digits at most
	to, _ := strconv.Atoi(high)
	width := 0
	if low[0] == '0' && len(low) > 1 || high[0] == '0' && len(high) > 1 {
		width = len(low)
	}
	switch {
	case len(found) > 1:
		return nil, fleet.Because("roster.two_ranges", "value", show(s))
	case from > to:
		return nil, fleet.Because("roster.range_backwards", "value", show(s), "want", fmt.Sprintf("[%s-%s]", high, low))
	case width > 0 && len(low) != len(high):
		return nil, fleet.Because("roster.range_width", "value", show(s))
	case to-from >= min(most, MaxEntries):
		return nil, fleet.Because("roster.too_many", "most", MaxEntries)
	}
	out := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf("%s%0*d%s", s[:at[0]], width, i, s[at[1]:]))
	}
	return out, fleet.Reason{}
}

// entries makes the entries of a row.
func (r *row) entries(o Options) ([]Entry, *mistake) {
	base, wrong := r.common(o)
	if wrong != nil {
		return nil, wrong
	}
	if r.cells[colEndpoint].text == "" {
		return nil, r.cells[colEndpoint].wrong(fleet.Because("roster.no_address"))
	}
	endpoints, wrong := r.expand(r.cells[colEndpoint])
	if wrong != nil {
		return nil, wrong
	}
	names, wrong := r.expand(r.cells[colName])
	switch {
	case wrong != nil:
		return nil, wrong
	case r.cells[colName].text != "" && len(names) != len(endpoints):
		return nil, r.cells[colName].wrong(fleet.Because("roster.range_length", "names", len(names), "addresses", len(endpoints)))
	}
	out := make([]Entry, len(endpoints))
	for i, endpoint := range endpoints {
		var why fleet.Reason
		e := &out[i]
		*e = base
		if e.Endpoint, why = Endpoint(endpoint); !why.IsZero() {
			return nil, r.cells[colEndpoint].wrong(why)
		}
		if r.cells[colName].text == "" {
			e.Name = defaultName(e.Endpoint)
		} else if e.Name, why = Name(names[i]); !why.IsZero() {
			return nil, r.cells[colName].wrong(why)
		}
	}
	return out, nil
}

// common reads what all entries of a row share.
func (r *row) common(o Options) (e Entry, wrong *mistake) {
	e = Entry{Line: r.line, PID: o.PID, Stake: o.Stake}
	var disabled *bool
	wrong = first(
		optional(r.cells[colPID], &e.PID, PID),
		optional(r.cells[colStake], &e.Stake, r.stake()),
		optional(r.cells[colEnabled], &e.Enabled, Switch),
		optional(r.cells[colDisabled], &disabled, Switch),
		optional(r.cells[colSyncOnly], &e.SyncOnly, Switch),
	)
	if wrong == nil && r.cells[colBridge].text != "" {
		var why fleet.Reason
		if e.Bridge, why = Name(r.cells[colBridge].text); !why.IsZero() {
			wrong = r.cells[colBridge].wrong(why)
		}
	}
	switch {
	case wrong != nil:
		return e, wrong
	case e.PID == nil && o.NeedPID:
		return e, &mistake{why: fleet.Because("roster.need_pid")}
	case e.Stake == nil && o.NeedStake:
		return e, &mistake{why: fleet.Because("roster.need_stake")}
	case e.PID != nil && o.PID != nil && *e.PID != *o.PID:
		return e, r.cells[colPID].wrong(fleet.Because("roster.other_pid", "pid", *e.PID, "want", *o.PID))
	}
	if disabled != nil {
		enabled := !*disabled
		e.Enabled = &enabled
	}
	for _, l := range r.labels {
		if l.value.text == "" {
			continue
		}
		value, why := LabelValue(l.value.text)
		if !why.IsZero() {
			return e, l.value.wrong(why)
		}
		if e.Labels == nil {
			e.Labels = map[string]string{}
		}
		e.Labels[l.key] = value
	}
	return e, nil
}

// stake is how this row writes stakes.
func (r *row) stake() func(string) (fleet.Amount, fleet.Reason) {
	if strings.HasPrefix(r.cells[colRef].text, string(fleet.KindWorker)+"/") {
		return smallest
	}
	return Stake
}

// optional reads a cell unless it is empty.
func optional[T any](c cell, into **T, parse func(string) (T, fleet.Reason)) *mistake {
	if c.text == "" {
		return nil
	}
	if why := put(into, c.text, parse); !why.IsZero() {
		return c.wrong(why)
	}
	return nil
}

func first(mistakes ...*mistake) *mistake {
	for _, m := range mistakes {
		if m != nil {
			return m
		}
	}
	return nil
}
