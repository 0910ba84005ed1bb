package observe

import (
	"testing"
	"time"

	"phalops/internal/fleet"
)

// TestIdentity plays what a worker shows, beat by beat.
func TestIdentity(t *testing.T) {
	no := false
	shows := func(key string) fleet.WorkerStatus {
		return fleet.WorkerStatus{Enabled: true, Running: true, PublicKey: key}
	}
	wiped := fleet.WorkerStatus{Enabled: true, Running: true, Initialized: &no}
	disabled := fleet.WorkerStatus{}
	noContext := fleet.WorkerStatus{Enabled: true}
	tests := []struct {
		name         string
		beats        []fleet.WorkerStatus
		known, other string
	}{
		{"the first key is the known one", []fleet.WorkerStatus{noContext, wiped, shows("a"), shows("a")}, "a", ""},
		{"silence changes nothing", []fleet.WorkerStatus{shows("a"), noContext, shows("")}, "a", ""},
		{"another key", []fleet.WorkerStatus{shows("a"), shows("b")}, "a", "b"},
		{"… is not forgotten in silence", []fleet.WorkerStatus{shows("a"), shows("b"), shows(""), noContext}, "a", "b"},
		{"… nor when it is disabled", []fleet.WorkerStatus{shows("a"), shows("b"), disabled}, "a", "b"},
		{"… and a restored key ends it", []fleet.WorkerStatus{shows("a"), shows("b"), shows("a")}, "a", ""},
		{"a person enables it with the new key", []fleet.WorkerStatus{shows("a"), shows("b"), disabled, noContext, shows("b")}, "b", ""},
		{"a person enables it with the old key restored", []fleet.WorkerStatus{shows("a"), shows("b"), disabled, shows(""), shows("a")}, "a", ""},
		{"a wiped pRuntime has no key", []fleet.WorkerStatus{shows("a"), wiped}, "a", fleet.NoKey},
		{"… and gets another one", []fleet.WorkerStatus{shows("a"), wiped, shows("b")}, "a", "b"},
		{"… or its own again", []fleet.WorkerStatus{shows("a"), wiped, shows("a")}, "a", ""},
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w fleet.WorkerStatus
			var since time.Time
			for i, told := range tt.beats {
				now := start.Add(time.Duration(i) * time.Minute)
				old := w
				w.Enabled, w.Running = told.Enabled, told.Running
				identity(&old, &w, &told, now)
				if w.OtherKey != old.OtherKey {
					since = time.Time{}
					if w.OtherKey != "" {
						since = now
					}
				}
			}
			if w.KnownKey != tt.known || w.OtherKey != tt.other || !w.OtherSince.Equal(since) {
				t.Errorf("known %q, other %q since %v; want %q, %q since %v", w.KnownKey, w.OtherKey, w.OtherSince, tt.known, tt.other, since)
			}
		})
	}
}

// TestThePruntimesOwnWordComesFirst: the bridge may still tell what it was told before.
func TestThePruntimesOwnWordComesFirst(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	old := fleet.WorkerStatus{Enabled: true, KnownKey: "a"}
	w := old
	w.Pruntime = &fleet.PruntimeStatus{Probe: fleet.Probe{At: now}, PublicKey: "b", Ours: true}
	told := fleet.WorkerStatus{Running: true, PublicKey: "a"}
	if identity(&old, &w, &told, now); w.OtherKey != "b" {
		t.Errorf("other key %q", w.OtherKey)
	}
	w = old
	w.Pruntime = &fleet.PruntimeStatus{Probe: fleet.Probe{At: now, Failed: now, Missed: 1}, PublicKey: "b", Ours: true}
	if identity(&old, &w, &told, now); w.OtherKey != "" {
		t.Errorf("a silent pRuntime says %q", w.OtherKey)
	}
}

// What we find at the endpoint counts only after it has shown the worker's key once: the bridge may reach another machine there.
func TestAnotherMachineIsNoLostIdentity(t *testing.T) {
	no := false
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		said  []fleet.PruntimeStatus
		other string
	}{
		{"another key from the beginning", []fleet.PruntimeStatus{{PublicKey: "x"}, {PublicKey: "x"}}, ""},
		{"no key from the beginning", []fleet.PruntimeStatus{{Initialized: &no}}, ""},
		{"its own, then another", []fleet.PruntimeStatus{{PublicKey: "a"}, {PublicKey: "x"}}, "x"},
		{"its own, then none", []fleet.PruntimeStatus{{PublicKey: "a"}, {Initialized: &no}}, fleet.NoKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told := fleet.WorkerStatus{Enabled: true, Running: true, PublicKey: "a"}
			w := fleet.WorkerStatus{Enabled: true}
			identity(&fleet.WorkerStatus{Enabled: true}, &w, &told, start)
			for i, p := range tt.said {
				now := start.Add(time.Duration(1+i) * time.Minute)
				old := w
				w.Pruntime = pruntime(w.Pruntime, &p, now)
				identity(&old, &w, &told, now)
			}
			if w.KnownKey != "a" || w.OtherKey != tt.other {
				t.Errorf("known %q, other %q; want a and %q", w.KnownKey, w.OtherKey, tt.other)
			}
		})
	}
}
