package roster

import (
	"io"
	"strconv"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// ParsePools reads a list of pools. The list's problems are in PoolList.Problems; err is only what r itself answered.
func ParsePools(r io.Reader, o PoolOptions) (PoolList, error) {
	var list PoolList
	pids, names := map[uint64]int{}, map[string]int{}
	d := pools()
	d.accept = func(r *row) (*mistake, bool) {
		e, wrong := r.pool(o)
		if wrong != nil {
			return wrong, false
		}
		if line, ok := pids[e.PID]; ok {
			return r.cells[colPID].wrong(fleet.Because("roster.twice_pid", "pid", e.PID, "line", line)), false
		}
		if line, ok := names[e.Name]; ok {
			return r.cells[colName].wrong(fleet.Because("roster.twice_name", "name", show(e.Name), "line", line)), false
		}
		pids[e.PID], names[e.Name] = e.Line, e.Line
		list.Entries = append(list.Entries, e)
		return nil, false
	}
	p, err := parse(r, d)
	list.Form, list.Problems = p.form, p.finish()
	if p.hopeless {
		list.Entries = nil
	}
	return list, err
}

func pools() dialect {
	return dialect{
		top: "pools", keys: poolKeys(), column: poolColumn, line: poolRow, excerpt: poolExcerpt, guard: guarded,
		needs: []column{colPID}, needed: func() fleet.Reason { return fleet.Because("roster.no_pid_column") },
	}
}

// poolRow reads pid, name, operator, proxied; what is missing at the end is not said.
func poolRow(line string) (*row, *mistake) {
	c := uncommented(line)
	if wrong := wideSign(c); wrong != nil {
		return nil, wrong
	}
	all, wrong := cells(line, ',', true)
	switch {
	case wrong != nil:
		return nil, wrong
	case len(all) == 1 && strings.ContainsAny(c.text, " \t:"):
		return nil, c.at(strings.IndexAny(c.text, " \t:")).wrong(fleet.Because("roster.pool_commas"))
	case len(all) > 4:
		return nil, all[4].wrong(fleet.Because("roster.pool_fields", "count", len(all)))
	}
	r := &row{}
	for i, c := range all {
		r.cells[[...]column{colPID, colName, colOperator, colProxied}[i]] = c
	}
	return r, nil
}

// pool makes the entry of a row.
func (r *row) pool(o PoolOptions) (PoolEntry, *mistake) {
	e := PoolEntry{Line: r.line, Operator: o.Operator, Name: r.cells[colName].text, Proxied: r.cells[colProxied].text, Bridge: r.cells[colBridge].text}
	pid, why := PID(r.cells[colPID].text)
	if !why.IsZero() {
		return e, r.cells[colPID].wrong(why)
	}
	if e.PID = pid; e.Name == "" {
		e.Name = strconv.FormatUint(pid, 10)
	}
	if ref := r.cells[colOperator]; ref.text != "" {
		if why := o.judge(ref.text); !why.IsZero() {
			return e, ref.wrong(why)
		}
		e.Operator = ref.text
	}
	if c := r.cells[colProxied]; c.text != "" {
		if _, _, err := scale.ParseAddress(c.text); err != nil {
			return e, c.wrong(fleet.Because("roster.bad_account"))
		}
	}
	for _, c := range []cell{r.cells[colName], r.cells[colBridge]} {
		if _, why := Name(c.text); c.text != "" && !why.IsZero() {
			return e, c.wrong(why)
		}
	}
	return e, optional(r.cells[colSyncOnly], &e.SyncOnly, Switch)
}

// judge says what is wrong with a reference to a secret, without repeating it: it may be the secret.
func (o PoolOptions) judge(ref string) fleet.Reason {
	scheme, rest, ok := strings.Cut(ref, ":")
	if !ok || rest == "" || scheme != "env" && scheme != "file" && scheme != "age" && scheme != "cred" {
		return fleet.Because("roster.not_a_reference")
	}
	if o.Check != nil {
		if err := o.Check(ref); err != nil {
			return fleet.ReasonOf(err)
		}
	}
	return fleet.Reason{}
}
