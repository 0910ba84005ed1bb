package daemon

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
	"phalops/internal/store"
)

const (
	latencySpeed   = 10
	latencyBridges = 16
	latencyRounds  = 2
	latencyEvery   = 6 * time.Minute // of the fleet: longer than hold-down and cure
)

// BenchmarkLatency lets one worker of each of 16 bridges fail every few minutes and measures, in the fleet's time, how long
// it takes until the failure is a recorded decision, and from the end of the hold-down until the restart arrives at the
// bridge. The clock runs ten times as fast as the machine, so what the machine adds counts tenfold.
func BenchmarkLatency(b *testing.B) {
	for b.Loop() {
		seen, sent := latencies(b)
		b.ReportMetric(p99(seen).Seconds(), "fleet-s-to-decision-p99")
		b.ReportMetric(p99(sent).Seconds(), "fleet-s-to-action-p99")
		fmt.Printf("    targets: decision %.1f s of <= 16 s (poll 15 s + 1 s), action %.2f s of <= 1 s; p99 of %d and %d\n",
			p99(seen).Seconds(), p99(sent).Seconds(), len(seen), len(sent))
	}
}

func latencies(b *testing.B) (seen, sent []time.Duration) {
	b.Helper()
	var faults strings.Builder
	for round := range latencyRounds {
		for n := range latencyBridges { // never many at once: that would be another trouble, and shared
			at := time.Minute + time.Duration(round)*latencyEvery + time.Duration(n)*latencyEvery/latencyBridges + time.Duration(n*997%1000)*time.Millisecond
			name := fmt.Sprintf("w-%02d", 1+round)
			if n > 0 {
				name = fmt.Sprintf("w-%03d-%03d", n+1, 1+round)
			}
			fmt.Fprintf(&faults, "- { at: %s, fault: worker.error, target: %s, text: timeout }\n", at, name)
		}
	}
	scenario, err := simwire.ParseScenario([]byte(faults.String()))
	if err != nil {
		b.Fatal(err)
	}
	sim, err := StartSim(b.Context(), SimOptions{Seed: 7, Speed: latencySpeed, Scenario: &scenario,
		Fleet: world.FleetOptions{Bridges: latencyBridges, Workers: 20}})
	if err != nil {
		b.Fatal(err)
	}
	defer sim.Close()
	yaml := sim.ConfigYAML("en", b.TempDir(), "127.0.0.1:0", SimReferences{"env:" + SimToken, "env:" + SimSecret})
	cfg, problems := config.Parse(yaml)
	if len(problems) > 0 {
		b.Fatalf("the simulator's own configuration has problems: %+v", problems)
	}
	d, err := New(b.Context(), testOptions(b, cfg, sim.Clock, "sim-token", "SECsim"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := d.Stop(b.Context()); err != nil {
			b.Error(err)
		}
	}()
	if err := d.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	end := sim.Start.Add(time.Minute + (latencyRounds+1)*latencyEvery)
	if err := (clock.Real{}).Sleep(b.Context(), end.Sub(sim.Clock.Now())/latencySpeed); err != nil {
		b.Fatal(err)
	}
	return measure(b, d, sim)
}

// measure compares what struck the world with what was decided and what arrived there.
func measure(b *testing.B, d *Daemon, sim *Sim) (seen, sent []time.Duration) {
	b.Helper()
	var struck, effects []world.Record
	sim.Face.Do(func(w *world.World) { struck, effects = w.Faults(), w.Effects() })
	events, err := d.Store.Events(b.Context(), store.EventFilter{Kinds: []fleet.EventKind{fleet.EventDecision}})
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range struck {
		ref := refOf(d, f.Target)
		i := slices.IndexFunc(events, func(e fleet.Event) bool {
			return e.Target == ref && !e.At.Before(f.At) && e.Decision != nil && e.Decision.Condition == string(fleet.Failing)
		})
		if i < 0 {
			b.Errorf("%s failed at %s, and nothing was decided", f.Target, f.At)
			continue
		}
		seen = append(seen, events[i].At.Sub(f.At))
		due := events[i].Decision.NextLook
		j := slices.IndexFunc(effects, func(e world.Record) bool {
			return e.Kind == "restart" && e.Target == f.Target && e.At.After(f.At)
		})
		if j < 0 {
			b.Errorf("%s was never restarted", f.Target)
			continue
		}
		sent = append(sent, effects[j].At.Sub(due))
	}
	return seen, sent
}

// refOf finds the worker that the world calls bridge/name.
func refOf(d *Daemon, target string) fleet.Ref {
	_, name, _ := strings.Cut(target, "/")
	for _, br := range d.control.Board().Bridges() {
		for _, w := range br.Workers {
			if w.Name == name {
				return w.Ref
			}
		}
	}
	return ""
}

func p99(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, len(all)*99/100)]
}
