package cli

import (
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// TestWhyNothing: of a worker with which nothing is wrong, what was looked at and when; of one that cannot be seen, who does
// not answer, since when and why; of one that must not be touched, that; of one that is not there, who is meant.
func TestWhyNothing(t *testing.T) {
	f := newFixture(t)
	bridges := bridgesOfTheNight()
	hidden := worker(7, fleet.Unknown, "S_ACTIVE", "", 9*time.Minute)
	hidden.Probe = fleet.Probe{At: before(3 * time.Minute)}
	hidden.Ref, hidden.Since = fleet.WorkerRef("prb-b", hidden.ID), before(2*time.Minute)
	bridges[1].Workers = []fleet.WorkerStatus{hidden}
	if err := f.store.SaveBridge(t.Context(), bridges[1]); err != nil {
		t.Fatal(err)
	}
	works, disabled := bridges[0].Workers[0].Ref, bridges[0].Workers[4].Ref
	if err := f.store.SaveDecisions(t.Context(),
		fleet.Decision{Target: works, At: before(5 * time.Second), Condition: "Working", Rule: "v2.active", Verdict: fleet.Healthy},
		fleet.Decision{Target: disabled, At: before(5 * time.Second), Condition: "Disabled", Rule: "v2.disabled", Verdict: fleet.HandsOff, Reason: fleet.Because("worker.disabled")},
		fleet.Decision{Target: hidden.Ref, At: before(5 * time.Second), Condition: "Unknown", Since: before(2 * time.Minute), Rule: "v2.unseen", Verdict: fleet.Wait,
			Suspect: fleet.BridgeRef("prb-b"), Reason: fleet.Because("worker.unseen", "bridge", fleet.BridgeRef("prb-b")), NextLook: night.Add(10 * time.Second)},
	); err != nil {
		t.Fatal(err)
	}
	for _, lang := range i18n.Langs() {
		r := f.run(t, lang, "worker", "why", "--name", "w-01", "--name", "w-05", "--name", "w-07")
		golden(t, lang, "worker_why_nothing", r.out+"--- stderr\n"+r.err)
	}
	bridges[1].Monitor, bridges[1].Lifecycle = seen(time.Second), seen(time.Second)
	if err := f.store.SaveBridge(t.Context(), bridges[1]); err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{"w-1": "w-01", "W-03": "w-03", "机柜三-6": "机柜三-06", "柜三": "机柜三-06"} {
		if r := f.run(t, i18n.ZH, "worker", "why", "--name", asked); r.code != exitUsage || !strings.Contains(r.err, "是不是想找："+want+"？") {
			t.Errorf("asked for %s: exit %d, %s", asked, r.code, r.err)
		}
	}
	if r := f.run(t, i18n.ZH, "worker", "why", "--name", "gatekeeper"); strings.Contains(r.err, "是不是") {
		t.Errorf("nobody is called nearly so: %s", r.err)
	}
}

// TestGather: what one round of judging says of many is one line; what comes later, from another rule or about the same
// target again is not.
func TestGather(t *testing.T) {
	event := func(worker, rule, code string, ago time.Duration) fleet.Event {
		return fleet.Event{At: before(ago), Kind: fleet.EventDecision, Author: "rule:" + rule, Target: fleet.WorkerRef("prb-a", worker), Reason: fleet.Reason{Code: code}}
	}
	var got []int
	for _, g := range gather([]fleet.Event{
		event("1", "v2.starved", "worker.starved", 60*time.Second), event("2", "v2.starved", "worker.starved", 60*time.Second), event("3", "v2.starved", "worker.starved", 55*time.Second),
		event("1", "v2.starved", "worker.starved", 54*time.Second),
		event("2", "v2.unseen", "worker.unseen", 53*time.Second),
		event("3", "v2.unseen", "worker.unseen", 10*time.Second),
	}) {
		got = append(got, len(g.targets))
	}
	if want := []int{3, 1, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("lines about %v targets, want %v", got, want)
	}
}
