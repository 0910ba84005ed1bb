package v3

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

// PoolSpec is a pool as it shall be stored. A write overwrites every field.
type PoolSpec struct {
	PID      uint64
	Name     string // pools and workers share one space of names
	Enabled  bool   // has no effect at run time
	SyncOnly bool
}

func (s PoolSpec) matches(p Pool) bool {
	return p.PID == s.PID && p.Name == s.Name && p.Enabled == s.Enabled && p.SyncOnly == s.SyncOnly
}

// WorkerSpec is a worker as it shall be stored. A write overwrites every field: begin with Worker.Spec to keep the others.
type WorkerSpec struct {
	Name       string
	Endpoint   string // of the pRuntime; stored with a slash at its end and without a default port
	Stake      fleet.Amount
	PID        uint64 // of a pool that exists
	Enabled    bool
	SyncOnly   bool
	Gatekeeper bool
}

func (s WorkerSpec) matches(w Worker) bool {
	return w.Name == s.Name && canonical(w.Endpoint) == canonical(s.Endpoint) && w.StakeOK && w.Stake == s.Stake &&
		w.Pooled && w.PID == s.PID && w.Enabled == s.Enabled && w.SyncOnly == s.SyncOnly && w.Gatekeeper == s.Gatekeeper
}

// canonical is an endpoint as prb-wm stores it, "" for what is none.
func canonical(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return ""
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		u.Host = strings.TrimSuffix(u.Host, ":80")
	case "https":
		u.Host = strings.TrimSuffix(u.Host, ":443")
	default:
		return ""
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

type poolArgs struct {
	Name     string `json:"name"`
	PID      uint64 `json:"pid"`
	Disabled bool   `json:"disabled"`
	SyncOnly bool   `json:"sync_only"`
}

func (p poolArgs) pid() uint64 { return p.PID }

type workerArgs struct {
	Name       string  `json:"name"`
	NewName    *string `json:"new_name,omitempty"`
	Endpoint   string  `json:"endpoint"`
	Stake      string  `json:"stake"`
	PID        uint64  `json:"pid"`
	Disabled   bool    `json:"disabled"`
	SyncOnly   bool    `json:"sync_only"`
	Gatekeeper bool    `json:"gatekeeper"`
}

func (w workerArgs) pid() uint64 { return w.PID }

type nameOnly struct {
	Name string `json:"name"`
}

// AddPool stores a new pool. v3.0 sees it after RestartManager only, like every change below.
//
// Of every write: it looks at the inventory first, refuses what prb-wm would take and choke on, sends once, and compares
// the answer with what was asked for. When the answer is unclear it looks again: what is there as asked for counts as
// done. An error that IsAmbiguous may still be carried out. Writes of one Client come one after the other.
func (c *Client) AddPool(ctx context.Context, s PoolSpec) error {
	return c.change(ctx, func(pools []Pool) (edit, error) {
		if _, ok := findPool(pools, s.PID); ok {
			return edit{}, poolExists(s.PID)
		}
		return s.edit("AddPool"), nameFree(pools, s.Name, "")
	})
}

// UpdatePool replaces the pool with this PID. Its PID cannot change. v3.2 applies SyncOnly at once; Enabled is stored and
// nothing else.
func (c *Client) UpdatePool(ctx context.Context, s PoolSpec) error {
	return c.change(ctx, func(pools []Pool) (edit, error) {
		p, ok := findPool(pools, s.PID)
		if !ok {
			return edit{}, noPool(s.PID)
		}
		return s.edit("UpdatePool"), nameFree(pools, s.Name, p.ID)
	})
}

func (s PoolSpec) edit(name string) edit {
	return edit{
		name: name, args: poolArgs{s.Name, s.PID, !s.Enabled, s.SyncOnly},
		told: func(data []byte) bool { p, ok := decodePool(data); return ok && s.matches(p) },
		done: func(pools []Pool) bool { p, ok := findPool(pools, s.PID); return ok && s.matches(p) },
	}
}

// RemovePool removes a pool that has no workers. Its operator's record, with the key, stays in prb-wm: no command removes
// that.
func (c *Client) RemovePool(ctx context.Context, pid uint64) error {
	return c.change(ctx, func(pools []Pool) (edit, error) {
		p, ok := findPool(pools, pid)
		switch {
		case !ok:
			return edit{}, noPool(pid)
		case len(p.Workers) > 0:
			return edit{}, fleet.Fail(fleet.Refused, fleet.Because("prb3.pool_not_empty", "pid", pid, "n", len(p.Workers)))
		}
		return edit{name: "RemovePool", args: pidOnly{pid}, told: toldOK,
			done: func(pools []Pool) bool { _, ok := findPool(pools, pid); return !ok }}, nil
	})
}

// AddWorker stores a new worker; v3.2 starts it at once when it is Enabled.
func (c *Client) AddWorker(ctx context.Context, s WorkerSpec) error {
	return c.change(ctx, func(pools []Pool) (edit, error) {
		return s.edit("AddWorker", s.Name), cmp.Or(s.check(pools), nameFree(pools, s.Name, ""))
	})
}

// UpdateWorker replaces the worker with this id; another name in s renames it. v3.2 applies the endpoint at once, restarts
// the worker when Enabled or SyncOnly change, and signs for another pool only after the worker's next restart.
func (c *Client) UpdateWorker(ctx context.Context, id string, s WorkerSpec) error {
	return c.updateWorker(ctx, id, func(Worker) WorkerSpec { return s })
}

// updateWorker lets spec begin with what is stored.
func (c *Client) updateWorker(ctx context.Context, id string, spec func(Worker) WorkerSpec) error {
	return c.change(ctx, func(pools []Pool) (edit, error) {
		w, ok := findWorker(pools, id)
		if !ok {
			return edit{}, noWorker(id)
		}
		s := spec(w)
		return s.edit("UpdateWorker", w.Name), cmp.Or(s.check(pools), unique(pools, w.Name), nameFree(pools, s.Name, id))
	})
}

// edit makes the command for the worker that is now called name.
func (s WorkerSpec) edit(command, name string) edit {
	args := workerArgs{name, nil, s.Endpoint, s.Stake.String(), s.PID, !s.Enabled, s.SyncOnly, s.Gatekeeper}
	if name != s.Name {
		args.NewName = &s.Name
	}
	return edit{
		name: command, args: args,
		told: func(data []byte) bool { w, ok := decodeWorker(data); return ok && s.matches(w) },
		done: func(pools []Pool) bool {
			return slices.ContainsFunc(pools, func(p Pool) bool { return slices.ContainsFunc(p.Workers, s.matches) })
		},
	}
}

// check refuses what UpdateWorker would store without a look.
func (s WorkerSpec) check(pools []Pool) error {
	if canonical(s.Endpoint) == "" {
		return fleet.Fail(fleet.Invalid, fleet.Because("prb3.bad_endpoint", "worker", s.Name, "endpoint", wire.Display(s.Endpoint)))
	}
	if _, ok := findPool(pools, s.PID); !ok {
		return noPool(s.PID)
	}
	return nil
}

// RemoveWorker removes a worker; v3.2 stops it at once. The name in prb-wm's command is looked up: a name that nobody has
// would end in a panic there, and a pool's would delete the pool under its workers.
func (c *Client) RemoveWorker(ctx context.Context, id string) error {
	return c.change(ctx, func(pools []Pool) (edit, error) {
		w, ok := findWorker(pools, id)
		if !ok {
			return edit{}, noWorker(id)
		}
		return edit{name: "RemoveWorker", args: nameOnly{w.Name}, told: toldOK,
			done: func(pools []Pool) bool { _, ok := findWorker(pools, id); return !ok }}, unique(pools, w.Name)
	})
}

func findPool(pools []Pool, pid uint64) (Pool, bool) {
	for _, p := range pools {
		if p.PID == pid {
			return p, true
		}
	}
	return Pool{}, false
}

func findWorker(pools []Pool, id string) (Worker, bool) {
	for _, p := range pools {
		for _, w := range p.Workers {
			if w.ID == id {
				return w, true
			}
		}
	}
	return Worker{}, false
}

// holders counts the records other than self that have a name.
func holders(pools []Pool, name, self string) int {
	n := 0
	for _, p := range pools {
		if p.Name == name && p.ID != self {
			n++
		}
		for _, w := range p.Workers {
			if w.Name == name && w.ID != self {
				n++
			}
		}
	}
	return n
}

// nameFree refuses an empty name and one that another record has: prb-wm finds workers by their names among workers and
// pools alike.
func nameFree(pools []Pool, name, self string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fleet.Fail(fleet.Invalid, fleet.Because("prb3.no_name"))
	case holders(pools, name, self) > 0:
		return fleet.FailWith(fleet.Invalid, fleet.Because("prb3.name_taken", "name", name), prb.ErrDuplicate)
	}
	return nil
}

// unique refuses to send a command by a name that more than one record has: it might hit the wrong one.
func unique(pools []Pool, name string) error {
	if holders(pools, name, "") > 1 {
		return fleet.Fail(fleet.Refused, fleet.Because("prb3.name_ambiguous", "name", name))
	}
	return nil
}

func noPool(pid uint64) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("prb3.no_pool", "pid", pid), prb.ErrNoPool)
}

func poolExists(pid uint64) error {
	return fleet.FailWith(fleet.Invalid, fleet.Because("prb3.pool_exists", "pid", pid), prb.ErrDuplicate)
}

func noWorker(id string) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("prb3.no_worker", "worker", id), prb.ErrNoWorker)
}
