package world

import (
	"cmp"
	"slices"
	"time"
)

// Record is one line of the world's own book-keeping, by which tests, campaigns and the demo judge whoever looks after it.
type Record struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Target string    `json:"target"`
}

// Kinds of harm.
const (
	HarmTwoFeeders     = "two-feeders"     // two bridges feed one pRuntime
	HarmRestartSyncing = "restart-syncing" // a worker was restarted while it was catching up and moving
	HarmRestartHealthy = "restart-healthy" // a worker was restarted although it worked
	HarmNodeUnderLoad  = "node-under-load" // a node was stopped while a lifecycle was fed by it
	HarmNodeKilled     = "node-killed"     // a node got SIGKILL: its database may be damaged
)

// Effects is everything that was done to the world from outside, in the order of time: restart, kick and refresh of a
// worker (Target "prb-a/w-07"), inventory writes, and start, stop, restart and kill of a container (Target
// "node-1/phala-node": its host and its name).
func (w *World) Effects() []Record {
	all := slices.Clone(w.effects)
	for _, h := range w.Hosts() {
		for _, e := range h.Effects() {
			all = append(all, Record{At: e.At, Kind: string(e.Kind), Target: h.Name + "/" + e.Container})
		}
	}
	slices.SortStableFunc(all, func(a, b Record) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Target, b.Target)) })
	return all
}

// Harm is everything by which somebody made things worse, in the order of time.
func (w *World) Harm() []Record { return slices.Clone(w.harms) }

// Faults is what went wrong by itself so far, in the order of time: the fault's kind and the target that it struck.
func (w *World) Faults() []Record { return slices.Clone(w.struck) }

// FaultsSince is Faults without the first n.
func (w *World) FaultsSince(n int) []Record { return slices.Clone(w.struck[n:]) }

// DoneSince is what was done to workers and inventories, as in Effects but in the order of time alone and without the first n.
func (w *World) DoneSince(n int) []Record { return slices.Clone(w.effects[n:]) }

func (w *World) did(kind, target string) {
	w.effects = append(w.effects, Record{w.now, kind, target})
}

func (w *World) harm(kind, target string) {
	w.harms = append(w.harms, Record{w.now, kind, target})
}
