package campaign

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
	"phalops/internal/store"
)

// TestLeavingOutBeatsChangesNothing: the same faults, with every beat and with those left out that would see nothing new, make the
// same decisions and have the same effects on every target, at the same moments but for a beat or two: two plans that are ready
// in the same second may change places.
func TestLeavingOutBeatsChangesNothing(t *testing.T) {
	t.Parallel()
	const length, apart = 4 * time.Hour, 31 * time.Second
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			all, every := story(t, seed, length, true)
			some, few := story(t, seed, length, false)
			if len(all) < 4 || few > every*9/10 {
				t.Errorf("%d targets; %d beats, and %d with those left out: too little happened, or was left out", len(all), every, few)
			}
			for target, with := range all {
				without := some[target]
				for i := range min(len(with), len(without)) {
					if a, b := with[i], without[i]; a.what != b.what || a.at-b.at > apart || b.at-a.at > apart {
						t.Fatalf("%s:\n with every beat: %v %s\n with those left out: %v %s", target, a.at, a.what, b.at, b.what)
					}
				}
				if len(with) != len(without) {
					t.Errorf("%s: %d lines with every beat, %d without", target, len(with), len(without))
				}
			}
			if len(all) != len(some) {
				t.Errorf("%d targets with every beat, %d without", len(all), len(some))
			}
		})
	}
}

type line struct {
	at   time.Duration
	what string
}

// story is what was decided about each target and done to it, and how many beats it took.
func story(t *testing.T, seed uint64, length time.Duration, every bool) (lines map[string][]line, beats int64) {
	t.Helper()
	w := world.New(start, seed)
	world.DefaultFleet(w, world.FleetOptions{Workers: 8, V0Workers: 4, V3Workers: 4, Bridges: 3, Pools: 2, Net: byte(220 + seed)})
	faults := someFaults(w, length)
	if seed == 3 {
		faults = workersFaults(length)
	}
	if err := w.Apply(faults); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Start(t.Context(), DaemonOptions{EveryBeat: every}); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), length); err != nil {
		t.Fatal(err)
	}
	events, err := s.Store.Events(t.Context(), store.EventFilter{Kinds: []fleet.EventKind{fleet.EventDecision}})
	if err != nil {
		t.Fatal(err)
	}
	lines = map[string][]line{}
	for _, e := range events {
		d := e.Decision
		lines[string(e.Target)] = append(lines[string(e.Target)], line{e.At.Sub(start), fmt.Sprint(d.Rule, " ", d.Condition, " ", d.Verdict, " ", d.Action)})
	}
	for _, r := range w.Effects() {
		lines[r.Target] = append(lines[r.Target], line{r.At.Sub(start), r.Kind})
	}
	return lines, s.Beats()
}

// someFaults strike here and there, each by chance, with quiet times between.
func someFaults(w *world.World, length time.Duration) world.Scenario {
	kinds := strings.Fields("worker.error worker.freeze worker.message pruntime.down pruntime.hang node.stall dp.stall lifecycle.crash rpc.error peer.frozen")
	r := w.Rand("some faults")
	var out world.Scenario
	for at := 5 * time.Minute; at < length-30*time.Minute; at += 20*time.Minute + time.Duration(r.Int64N(int64(40*time.Minute))) {
		kind := kinds[r.IntN(len(kinds))]
		target := map[bool]string{true: fmt.Sprintf("*%d", 1+r.IntN(8)), false: "*"}[strings.HasPrefix(kind, "worker.") || strings.HasPrefix(kind, "pruntime.")]
		f := world.Fault{At: at, Kind: kind, Target: target, For: time.Duration(1+r.IntN(15)) * time.Minute}
		if kind == world.LifecycleCrash {
			f.For = 0
		}
		out.Faults = append(out.Faults, f)
	}
	return out
}

// workersFaults strike workers of one bridge after the other: what happens there concerns no other bridge.
func workersFaults(length time.Duration) world.Scenario {
	bridges, kinds := strings.Fields("prb-a prb-v0 prb-002 prb-v3"), strings.Fields("worker.error worker.freeze worker.starting pruntime.hang pruntime.down")
	var out world.Scenario
	for n := 0; time.Duration(n)*13*time.Minute < length-30*time.Minute; n++ {
		out.Faults = append(out.Faults, world.Fault{At: time.Duration(n+1) * 13 * time.Minute, Kind: kinds[n%len(kinds)],
			Target: fmt.Sprintf("%s/*%d", bridges[n%len(bridges)], 1+n%4), For: time.Duration(3+n%9) * time.Minute})
	}
	return out
}
