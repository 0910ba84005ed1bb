package campaign

import (
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/sim/world"
	"phalops/internal/store"
)

// stalled is a fleet of every sort whose node stands still, up to the moment at which its ordered restart has begun to stop
// things.
func stalled(t *testing.T) *rig {
	r := newRig(t, everySort, "", world.Fault{At: 2 * time.Minute, Kind: world.NodeStall, Target: "node-1"})
	r.until("the first part is stopped", time.Hour, func() bool { return len(r.World.Effects()) > 0 })
	return r
}

// finished holds that the ordered restart was ended by whoever came after: once, and with exactly what ran before.
func (r *rig) finished() {
	r.t.Helper()
	r.until("the restart is finished", 2*time.Hour, func() bool {
		plans, err := r.Store.Plans(r.t.Context(), store.PlanFilter{Kind: "node.restart"})
		return err == nil && len(plans) == 1 && plans[0].State == fleet.PlanDone
	})
	r.pass(20 * time.Minute)
	count := map[string]int{}
	for _, e := range r.effects() {
		if count[e]++; count[e] > 1 && strings.Contains(e, "phala-node") {
			r.t.Errorf("%q happened %d times", e, count[e])
		}
	}
	r.calm(30)
}

// SIGTERM at any moment of an ordered restart: the next process finishes it.
func TestStopInTheMiddle(t *testing.T) {
	t.Parallel()
	for at := time.Duration(0); at <= 150*time.Second; at += 13 * time.Second {
		t.Run(at.String(), func(t *testing.T) {
			r := stalled(t)
			r.pass(at)
			if err := r.daemon.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			r.pass(time.Minute) // nobody is there
			r.daemon = r.start(DaemonOptions{})
			r.finished()
		})
	}
}

// kill -9 at any moment of an ordered restart: whoever comes after waits for the lease, and finishes it.
func TestKillInTheMiddle(t *testing.T) {
	t.Parallel()
	for at := time.Duration(0); at <= 150*time.Second; at += 13500 * time.Millisecond {
		t.Run(at.String(), func(t *testing.T) {
			r := stalled(t)
			r.pass(at)
			r.daemon.Kill()
			r.daemon = r.start(DaemonOptions{})
			r.finished()
		})
	}
}

// Two daemons on one store: only the one with the lease acts. When it dies the other takes over, not before the lease has
// ended, and repeats nothing that nobody can tell about.
func TestTwoDaemons(t *testing.T) {
	t.Parallel()
	for _, point := range []act.Point{act.BeforeIntent, act.AfterIntent, act.AfterEffect, act.AfterVerify} {
		t.Run(string(point), func(t *testing.T) {
			w := world.New(start, 7)
			world.DefaultFleet(w, everySort)
			s, err := New(Options{World: w})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			r := &rig{Sim: s, t: t}
			r.ran = r.running()
			var died time.Time
			first := r.start(DaemonOptions{Crash: func(d *Daemon, b act.Boundary) {
				if b.Point == point && strings.HasPrefix(b.Step, "restart ") {
					died = r.Now()
					d.Kill()
				}
			}})
			second := r.start(DaemonOptions{})
			r.daemon = second
			r.pass(10 * time.Minute)
			if len(second.Control.Board().Bridges()) > 0 {
				t.Error("a daemon without the lease watches")
			}
			if err := w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.WorkerError, Target: "w-03", Text: "timeout"}}}); err != nil {
				t.Fatal(err)
			}
			r.until("the first dies", time.Hour, func() bool { return !died.IsZero() })
			before := len(r.effects())
			lease, err := r.Store.LeaseOf(t.Context(), "sim", r.Now())
			if err != nil || lease.Owner != first.Name {
				t.Fatalf("lease %+v, %v", lease, err)
			}
			r.until("the second heals w-03, or sees it healed", 3*time.Hour, func() bool {
				return slices.ContainsFunc(r.incidents(), func(i fleet.Incident) bool { return i.Title == "w-03" && !i.Open() })
			})
			r.pass(time.Hour)
			for _, e := range r.World.Effects()[before:] {
				if safe := lease.Expires.Add(3 * time.Minute); e.At.Before(safe) {
					t.Errorf("%s %s at %v; requests of the first daemon may be on their way until %v", e.Kind, e.Target, e.At, safe)
				}
			}
			if n := len(r.effects()); n != 1 {
				t.Errorf("%d effects, want one restart: %q", n, r.effects())
			}
			r.calm(10)
		})
	}
}

// A full disk under the store in the middle of an ordered restart: what was stopped runs again, nothing new is begun, and when
// there is room again the fleet is healed.
func TestStoreIsFull(t *testing.T) {
	t.Parallel()
	r := newRig(t, everySort, "", world.Fault{At: 2 * time.Minute, Kind: world.NodeStall, Target: "node-1", For: time.Hour, CuredBy: world.CuredByNothing})
	r.until("the third part is stopped", time.Hour, func() bool { return len(r.World.Effects()) > 2 })
	r.Store.SetFull(true)
	r.until("what ran runs again", 10*time.Minute, func() bool { return slices.Equal(r.running(), r.ran) })
	r.pass(2 * time.Hour)
	done := len(r.World.Effects())
	if err := r.World.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.WorkerError, Target: "w-03", Text: "timeout"}}}); err != nil {
		t.Fatal(err)
	}
	r.pass(2 * time.Hour)
	if n := len(r.World.Effects()); n != done {
		t.Errorf("new treatments on a full disk: %q", r.effects()[done:])
	}
	if told := r.told(); !strings.Contains(told, "w-03") {
		t.Errorf("nobody was told of w-03:\n%s", told)
	}
	r.Store.SetFull(false)
	r.until("w-03 is healed", 2*time.Hour, closed(r, "w-03"))
	r.pass(time.Hour)
	r.calm(30)
}

// A disk that was full for ten minutes broke off the restart of a node before the node itself was touched: that is no restart
// that did not help, and the node gets its own soon.
func TestARestartThatNeverCameToItsNode(t *testing.T) {
	t.Parallel()
	r := newRig(t, everySort, "", world.Fault{At: 2 * time.Minute, Kind: world.NodeStall, Target: "node-1", CuredBy: world.CuredByRestart})
	touched := func() bool {
		return slices.ContainsFunc(r.effects(), func(e string) bool { return strings.Contains(e, "phala-node") })
	}
	r.until("the first part is stopped", time.Hour, func() bool { return len(r.World.Effects()) > 0 })
	r.Store.SetFull(true)
	r.pass(10 * time.Minute)
	if touched() || !slices.Equal(r.running(), r.ran) {
		t.Fatalf("on the full disk: %q", r.effects())
	}
	r.Store.SetFull(false)
	r.until("the node is restarted", 30*time.Minute, touched)
	r.until("it is healed", time.Hour, closed(r, "node-1"))
	r.calm(30)
}

func (r *rig) told() string {
	var all []string
	for _, m := range r.World.Robots()[0].Messages() {
		all = append(all, m.Text)
	}
	return strings.Join(all, "\n")
}
