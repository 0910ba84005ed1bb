package prb

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/secret"
	"phalops/internal/wire"
)

// MaxBatch is the most records of one write. A v0 bridge needs about 0.1 s for each, and its monitor gives up after 5 s
// while the bridge writes on.
const MaxBatch = 20

// maxPID is where JavaScript's numbers, in which both generations handle a pid, stop being exact.
const maxPID = 1<<53 - 1

// PoolSpec is a pool as a bridge shall store it. Writes overwrite every field.
type PoolSpec struct {
	PID      uint64
	Name     string
	Enabled  bool         // changes nothing for its workers in v0 and v2
	SyncOnly bool         // v2 only
	Mnemonic secret.Value // the operator's; zero in an update: the stored operator stays
	Proxied  string       // SS58 of the pool owner when the operator is a proxy; "" = none
}

// WorkerSpec is a worker as a bridge shall store it. Writes overwrite every field.
type WorkerSpec struct {
	PID      uint64
	Name     string
	Endpoint string       // http://host:port, without a path or a trailing slash: bridges append to it as text
	Stake    fleet.Amount // at least 1 PHA: one enabled worker with less stops a whole v2 lifecycle manager
	Enabled  bool
	SyncOnly bool // v2 only
}

// PoolUpdate is the new content of the pool with this uuid.
type PoolUpdate struct {
	ID string
	PoolSpec
}

// WorkerUpdate is the new content of the worker with this uuid.
type WorkerUpdate struct {
	ID string
	WorkerSpec
}

// Stored says what a bridge has of one record that was to be written.
type Stored struct {
	ID        string   // the bridge's uuid; "": it has none
	Different []string // the fields that are not as asked for, by their JSON names
}

// OK reports whether the record is stored exactly as asked for.
func (s Stored) OK() bool { return s.ID != "" && len(s.Different) == 0 }

// Inventory changes the pools and workers that a bridge has stored. Nothing of it touches running contexts: what was
// written takes effect at the lifecycle manager's next start (v0: for new workers also at its hourly scan, for changed
// ones at RestartWorker).
//
// No write is ever sent twice, and none has more than MaxBatch records. Input is checked before anything is sent
// (fleet.Invalid). A write answers with what is stored, one Stored per input; without an error all of them are OK. When the
// answer got lost the client reads back: if everything is there the write is proved and no error remains; else the error
// IsAmbiguous, the Stored say what was there at last (nil: reading back failed, too), and a missing record may still
// appear, so read again before writing again.
type Inventory interface {
	// Inventory lists pools and workers without their running state.
	Inventory(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error)
	// CreatePools stores new pools; the pid and the name must be new.
	CreatePools(ctx context.Context, pools []PoolSpec) ([]Stored, error)
	// CreateWorkers stores new workers of pools that exist; the name (v0: the endpoint, too) must be new.
	CreateWorkers(ctx context.Context, workers []WorkerSpec) ([]Stored, error)
	// UpdatePools replaces pools.
	UpdatePools(ctx context.Context, pools []PoolUpdate) ([]Stored, error)
	// UpdateWorkers replaces workers.
	UpdateWorkers(ctx context.Context, workers []WorkerUpdate) ([]Stored, error)
	// DeletePool deletes a pool that has no workers; with workers it is refused (v2 would delete them silently, in v0 they
	// could not start any more).
	DeletePool(ctx context.Context, id string) error
	// DeleteWorker deletes a worker. Its context runs on until the lifecycle manager restarts. A v0 bridge lists it for
	// ever, disabled.
	DeleteWorker(ctx context.Context, id string) error
}

// OwnRecords is a bridge whose pools can make all their workers sync only: Inventory mixes that into the workers', and this
// lists them as they are stored. Whoever writes a worker's record back must begin with it.
type OwnRecords interface {
	OwnRecords(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error)
}

// CheckPools says what is wrong with pools before they are sent: a *fleet.Error of kind Invalid. create demands a mnemonic.
func CheckPools(pools []PoolSpec, create bool) error {
	if err := checkBatch(len(pools)); err != nil {
		return err
	}
	names, pids := map[string]bool{}, map[uint64]bool{}
	for _, p := range pools {
		words := len(strings.Fields(p.Mnemonic.Reveal()))
		switch {
		case p.PID == 0 || p.PID > maxPID:
			return invalid(fleet.Because("prb.bad_pid", "name", p.Name, "pid", p.PID))
		case !plainText(p.Name):
			return invalid(fleet.Because("prb.bad_name", "name", p.Name))
		case p.Proxied != "" && !plainText(p.Proxied):
			return invalid(fleet.Because("prb.bad_proxied", "name", p.Name))
		case names[p.Name] || pids[p.PID]:
			return twice(p.Name)
		case words == 0 && create, words != 0 && (words < 12 || words > 24 || words%3 != 0):
			// Bridges take any short text for a raw seed: a cut mnemonic would become another account.
			return invalid(fleet.Because("prb.bad_mnemonic", "name", p.Name))
		}
		names[p.Name], pids[p.PID] = true, true
	}
	return nil
}

// CheckWorkers says what is wrong with workers before they are sent: a *fleet.Error of kind Invalid.
func CheckWorkers(workers []WorkerSpec) error {
	if err := checkBatch(len(workers)); err != nil {
		return err
	}
	names, endpoints := map[string]bool{}, map[string]bool{}
	for _, w := range workers {
		switch {
		case w.PID == 0 || w.PID > maxPID:
			return invalid(fleet.Because("prb.bad_pid", "name", w.Name, "pid", w.PID))
		case !plainText(w.Name):
			return invalid(fleet.Because("prb.bad_name", "name", w.Name))
		case !plainEndpoint(w.Endpoint):
			return invalid(fleet.Because("prb.bad_endpoint", "name", w.Name, "endpoint", wire.Display(w.Endpoint)))
		case w.Stake.Cmp(fleet.PHA(1)) < 0:
			return invalid(fleet.Because("prb.bad_stake", "name", w.Name, "stake", w.Stake.PHA()))
		case names[w.Name] || endpoints[w.Endpoint]:
			return twice(w.Name) // v0 would store both and break its index
		}
		names[w.Name], endpoints[w.Endpoint] = true, true
	}
	return nil
}

func invalid(r fleet.Reason) error { return fleet.Fail(fleet.Invalid, r) }

func twice(name string) error { return invalid(fleet.Because("prb.twice", "name", name)) }

func checkBatch(n int) error {
	if n == 0 || n > MaxBatch {
		return invalid(fleet.Because("prb.bad_batch", "n", n, "max", MaxBatch))
	}
	return nil
}

// plainText is what people can read back from a list: no blanks around it, nothing invisible in it.
func plainText(s string) bool {
	return s != "" && len(s) <= 200 && s == strings.TrimSpace(s) && strings.ToValidUTF8(s, "") == s && !strings.ContainsFunc(s, unicode.IsControl)
}

func plainEndpoint(s string) bool {
	u, err := url.Parse(s)
	return err == nil && plainText(s) && !strings.Contains(s, " ") && (u.Scheme == "http" || u.Scheme == "https") &&
		u.Hostname() != "" && s == u.Scheme+"://"+u.Host
}

// ComparePools finds pools by their names in a list and compares them, for a read-back. Where several records have a name
// (v0 lists deleted ones for ever) the best match counts; leave out of the list what was there before.
func ComparePools(list []fleet.Pool, specs []PoolSpec) []Stored {
	return compare(list, specs, func(p fleet.Pool, s PoolSpec) (Stored, bool) {
		if p.Name != s.Name {
			return Stored{}, false
		}
		return PoolStored(p, s), true
	})
}

// CompareWorkers is ComparePools for workers.
func CompareWorkers(list []fleet.WorkerStatus, specs []WorkerSpec) []Stored {
	return compare(list, specs, func(w fleet.WorkerStatus, s WorkerSpec) (Stored, bool) {
		if w.Name != s.Name {
			return Stored{}, false
		}
		return WorkerStored(w, s), true
	})
}

func compare[T, S any](list []T, specs []S, match func(T, S) (Stored, bool)) []Stored {
	found := make([]Stored, len(specs))
	for i, spec := range specs {
		for _, record := range list {
			s, ok := match(record, spec)
			if ok && (found[i].ID == "" || len(s.Different) < len(found[i].Different)) {
				found[i] = s
			}
		}
	}
	return found
}

// PoolStored compares a stored pool with what was asked for. The operator is not compared: a bridge does not show it as it
// was written.
func PoolStored(p fleet.Pool, s PoolSpec) Stored {
	return differences(p.ID, map[string]bool{
		"pid": p.PID == s.PID, "name": p.Name == s.Name, "enabled": p.Enabled == s.Enabled, "syncOnly": p.SyncOnly == s.SyncOnly,
		"realPhalaSs58": p.Proxied == s.Proxied,
	})
}

// WorkerStored compares a stored worker with what was asked for. The worker must not have its pool's SyncOnly mixed in.
func WorkerStored(w fleet.WorkerStatus, s WorkerSpec) Stored {
	return differences(w.ID, map[string]bool{
		"pid": w.PID == s.PID, "name": w.Name == s.Name, "endpoint": w.Endpoint == s.Endpoint, "enabled": w.Enabled == s.Enabled,
		"stake": w.StakeOK && w.Stake == s.Stake, "syncOnly": w.SyncOnly == s.SyncOnly,
	})
}

func differences(id string, same map[string]bool) Stored {
	s := Stored{ID: id}
	for field, ok := range same {
		if !ok {
			s.Different = append(s.Different, field)
		}
	}
	slices.Sort(s.Different)
	return s
}

// NotStored is nil when every record is stored as asked for, else an error that names the first that is not.
func NotStored(stored []Stored, name func(i int) string) error {
	for i, s := range stored {
		if s.ID == "" {
			return fleet.Fail(fleet.Failed, fleet.Because("prb.not_stored", "name", name(i)))
		}
		if len(s.Different) > 0 {
			return fleet.Fail(fleet.Failed, fleet.Because("prb.stored_otherwise", "name", name(i), "fields", strings.Join(s.Different, ", ")))
		}
	}
	return nil
}

// After a lost answer a v0 bridge may be writing still, 0.1 s for each record.
const (
	readBacks     = 4
	readBackPause = 2 * time.Second
)

// ReadBack looks, after a write whose answer got lost, until look finds everything stored or a few times have passed. It
// returns what was found last, nil when look always failed.
func ReadBack(ctx context.Context, c clock.Clock, look func() (stored []Stored, complete bool, err error)) (stored []Stored, complete bool) {
	for range readBacks {
		if c.Sleep(ctx, readBackPause) != nil {
			break
		}
		if found, all, err := look(); err == nil {
			if stored = found; all {
				return stored, true
			}
		}
	}
	return stored, false
}

// Mnemonic is the text of a mnemonic with single blanks, as bridges take it: they do not trim. "" for the zero Value.
func Mnemonic(v secret.Value) string { return strings.Join(strings.Fields(v.Reveal()), " ") }

// Without is what is in list and was not in before. Deleted records may stay listed (v0); only what is new can be what was
// just written.
func Without[T any](list, before []T, id func(T) string) []T {
	old := make(map[string]bool, len(before))
	for _, r := range before {
		old[id(r)] = true
	}
	var fresh []T
	for _, r := range list {
		if !old[id(r)] {
			fresh = append(fresh, r)
		}
	}
	return fresh
}

// PoolID is the uuid, for Without.
func PoolID(p fleet.Pool) string { return p.ID }

// WorkerID is the uuid, for Without.
func WorkerID(w fleet.WorkerStatus) string { return w.ID }
