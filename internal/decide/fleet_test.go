package decide_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// twoBridges are two healthy bridges of one site with 20 workers each; worker n is the n-th of both together.
func twoBridges() decide.FleetInput {
	in := decide.FleetInput{Decisions: map[fleet.Ref]fleet.Decision{}, Hosts: map[string]fleet.Ref{"127.0.5.5": "host/rack-5"},
		Sites: []string{"dc1"}, Load: decide.Load{Places: 12}, Now: now}
	for b := range 2 {
		x := healthyBridge(20)
		name := fmt.Sprint("prb-", b)
		x.Status.Ref = fleet.BridgeRef(name)
		x.Status.Pools = []fleet.Pool{{PID: 83, Operator: "45abc"}}
		for i := range x.Status.Workers {
			w := &x.Status.Workers[i]
			w.Ref, w.Endpoint, w.Version = fleet.WorkerRef(name, w.ID), fmt.Sprintf("http://127.0.%d.%d:8000", 10+b*20+i, 1+i), "2.2.0"
		}
		in.Bridges = append(in.Bridges, x.Status)
	}
	return in
}

func nth(in *decide.FleetInput, n int) *fleet.WorkerStatus { return &in.Bridges[n/20].Workers[n%20] }

// sick lets workers be bad since so long ago, a second apart, with a cause.
func sick(since time.Duration, cause string, ns ...int) func(*decide.FleetInput) {
	return func(in *decide.FleetInput) {
		for i, n := range ns {
			w := nth(in, n)
			w.Condition = fleet.Failing
			in.Decisions[w.Ref] = fleet.Decision{Target: w.Ref, Condition: "Failed", Severity: fleet.Info, Verdict: fleet.Wait, Since: ago(since - time.Duration(i)*time.Second), Cause: cause}
		}
	}
}

func endpoints(format string, ns ...int) func(*decide.FleetInput) {
	return func(in *decide.FleetInput) {
		for i, n := range ns {
			nth(in, n).Endpoint = fmt.Sprintf(format, 1+i)
		}
	}
}

func TestFleetParents(t *testing.T) {
	type change = func(*decide.FleetInput)
	everyOther := []int{0, 5, 10, 20, 25, 30}
	treatedAll := func(in *decide.FleetInput) {
		for _, n := range everyOther {
			in.Attempts = append(in.Attempts, tried(nth(in, n).Ref, decide.ActionWorkerRestart, 2*m))
		}
	}
	tests := []struct {
		name    string
		given   []change
		parent  fleet.Ref // "": nobody is suspected
		kind    string
		members int
		until   time.Duration // from now; 0: as long as they are bad
		verdict fleet.Verdict
	}{
		{"all well", nil, "", "", 0, 0, ""},
		{"two are not enough", []change{sick(m, "network", 0, 20)}, "", "", 0, 0, ""},
		{"three of forty are no fifth of anything", []change{sick(m, "", 0, 20, 21)}, "", "", 0, 0, ""},
		{"one segment under two bridges", []change{endpoints("http://127.0.9.%d:8000", everyOther...), sick(m, "network", everyOther...)}, "site/dc1", "segment", 6, 9 * m, fleet.Person},
		{"one segment, but it is not the way there", []change{endpoints("http://127.0.9.%d:8000", everyOther...), sick(m, "", everyOther[:5]...)}, "", "", 0, 0, ""},
		{"one host with several workers", []change{endpoints("http://127.0.5.5:80%02d", 1, 2, 21), sick(m, "network", 1, 2, 21)}, "host/rack-5", "host", 3, 9 * m, fleet.Person},
		{"one version", []change{func(in *decide.FleetInput) {
			for _, n := range everyOther {
				nth(in, n).Version = "2.3.0"
			}
		}, sick(m, "", everyOther...)}, "site/dc1", "version", 6, m, fleet.Wait},
		{"one pool under two bridges", []change{func(in *decide.FleetInput) {
			for _, n := range everyOther {
				nth(in, n).PID = 99
			}
		}, sick(m, "", everyOther...)}, "pool/prb-0/99", "pool", 6, m, fleet.Wait},
		{"a site in one minute", []change{sick(m, "", 0, 1, 2, 3, 4, 5, 20, 21, 22, 23)}, "site/dc1", "minute", 10, m, fleet.Wait},
		{"a site in one minute, long ago", []change{sick(20*m, "", 0, 1, 2, 3, 4, 5, 20, 21, 22, 23)}, "", "", 0, 0, ""},
		{"one gas account", []change{sick(m, "gas", 0, 20, 21)}, "pool/prb-0/83", "gas", 3, 0, fleet.Person},
		{"one gas account, found out one after the other", []change{sick(50*m, "gas", 0), sick(20*m, "gas", 1), sick(m, "gas", 2)}, "pool/prb-0/83", "gas", 3, 0, fleet.Person},
		{"attestation", []change{sick(m, "pccs", 0, 20, 21)}, "site/dc1", "pccs", 3, 0, fleet.Person},
		{"the allow-list", []change{sick(m, "allowlist", 0, 20, 21)}, "site/dc1", "allowlist", 3, 0, fleet.Person},
		{"trade is the bridge's own", []change{sick(m, "trade", 0, 1, 2)}, "bridge/prb-0", "trade", 3, 0, ""},
		{"they die again at one block", []change{treatedAll, sick(m, "network", everyOther...), func(in *decide.FleetInput) {
			for n := range 40 {
				nth(in, n).Para = at(int64(3_000_000+n), time.Second)
			}
			for _, n := range everyOther {
				nth(in, n).Para = at(2_999_111, 10*m)
			}
		}}, "site/dc1", "block", 6, 0, fleet.Person},
		{"who turned bad right after a treatment is no symptom", []change{treatedAll, sick(m, "", everyOther...), func(in *decide.FleetInput) {
			for _, n := range everyOther {
				nth(in, n).Version = "2.3.0"
			}
		}}, "", "", 0, 0, ""},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := twoBridges()
			for _, f := range tt.given {
				f(&in)
			}
			before := fmt.Sprint(in)
			suspicions, decisions := decide.Fleet(in)
			if fmt.Sprint(in) != before {
				t.Error("the input was changed")
			}
			for _, d := range decisions {
				sound(t, d)
				said(t, texts, d)
			}
			if tt.parent == "" {
				if len(suspicions)+len(decisions) > 0 {
					t.Fatalf("suspects %+v, decides %+v", suspicions, decisions)
				}
				return
			}
			if len(suspicions) != 1 {
				t.Fatalf("%d suspicions: %+v", len(suspicions), suspicions)
			}
			s := suspicions[0]
			until := time.Duration(0)
			if !s.Until.IsZero() {
				until = s.Until.Sub(now).Round(m)
			}
			if s.Parent != tt.parent || s.Kind != tt.kind || len(s.Members) != tt.members || until != tt.until {
				t.Errorf("suspects %s for %s, %d members, until %v; %+v", s.Parent, s.Kind, len(s.Members), until, s)
			}
			switch {
			case tt.verdict == "" && len(decisions) != 0:
				t.Errorf("decides %+v; the bridge speaks for itself", decisions)
			case tt.verdict != "" && (len(decisions) != 1 || decisions[0].Target != tt.parent || decisions[0].Verdict != tt.verdict || decisions[0].Severity == ""):
				t.Errorf("decides %+v", decisions)
			}
		})
	}
}

// TestAParentIsClearedAgain: a parent with an open incident is decided about until it is closed.
func TestAParentIsClearedAgain(t *testing.T) {
	in := twoBridges()
	in.Open = []fleet.Ref{"pool/prb-0/83", fleet.Fleet}
	_, ds := decide.Fleet(in)
	if len(ds) != 2 || ds[0].Verdict != fleet.Healthy || ds[1].Verdict != fleet.Healthy || ds[0].Condition != "Clear" {
		t.Errorf("%+v", ds)
	}
}

// TestRestraintIsAPersonsOnce: blindness outweighs the brake, and each has one decision about what it holds back.
func TestRestraint(t *testing.T) {
	texts := catalog(t)
	held := decide.Load{Held: new(fleet.Because("guard.brake", "failed", 4, "n", 6, "window", 30*m, "until", now.Add(m))), Until: now.Add(m)}
	in := twoBridges()
	in.Load = held
	in.SiteLoads = map[string]decide.Load{"dc1": {Held: new(fleet.Because("guard.site_budget", "n", 20, "per", h, "until", now.Add(m))), Until: now.Add(m)}}
	_, ds := decide.Fleet(in)
	if len(ds) != 2 || ds[0].Rule != "fleet.brake" || ds[0].Verdict != fleet.Person || ds[1].Rule != "site.budget" || ds[1].Target != "site/dc1" {
		t.Errorf("%+v", ds)
	}
	in.Blind, in.BlindFrom, in.SiteLoads = true, ago(m), nil
	_, blind := decide.Fleet(in)
	if len(blind) != 1 || blind[0].Rule != "fleet.blind" || blind[0].Target != fleet.Fleet {
		t.Errorf("%+v", blind)
	}
	for _, d := range append(ds, blind...) {
		sound(t, d)
		said(t, texts, d)
	}
}

// TestChildrenOfASuspectWait: what Fleet suspects holds its members back, names the suspect, and ends.
func TestChildrenOfASuspectWait(t *testing.T) {
	s := decide.Suspicion{Parent: "site/dc1", Kind: "segment", Name: "127.0.1.0/24", Total: 9, Until: now.Add(m), Members: []fleet.Ref{fleet.WorkerRef("prb-b", "id-003")}}
	for _, tt := range []struct {
		name    string
		change  func(*decide.Suspicion)
		guard   string
		suspect fleet.Ref
	}{
		{"suspected", func(*decide.Suspicion) {}, "guard.suspected", "site/dc1"},
		{"named by their own words", func(s *decide.Suspicion) { s.Until, s.Kind, s.Parent = time.Time{}, "gas", "pool/prb-b/83" }, "guard.parent_cause", "pool/prb-b/83"},
		{"it had its time", func(s *decide.Suspicion) { s.Until = now }, "", fleet.WorkerRef("prb-b", "id-003")},
		{"somebody else's", func(s *decide.Suspicion) { s.Members = []fleet.Ref{fleet.WorkerRef("prb-a", "id-003")} }, "", fleet.WorkerRef("prb-b", "id-003")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			failed(h, "null")(&in.Status.Workers[3])
			x := s
			tt.change(&x)
			in.Suspicions = []decide.Suspicion{x}
			_, ws := decide.Bridge(in)
			said(t, catalog(t), ws[3])
			if guarded(ws[3]) != tt.guard || ws[3].Suspect != tt.suspect {
				t.Errorf("%+v", ws[3])
			}
		})
	}
}

// TestTheBridgeSpeaksForASuspicionOfItself and hands what is wider than itself to the wider parent.
func TestTheBridgeAndTheSuspicion(t *testing.T) {
	in := healthyBridge(20)
	badWorkers(0, 5, m, "null")(&in)
	var members []fleet.Ref
	for i := range 5 {
		members = append(members, in.Status.Workers[i].Ref)
	}
	in.Suspicions = []decide.Suspicion{{Parent: "site/dc1", Kind: "minute", Name: "dc1", Members: members, Total: 40, Until: now.Add(m)}}
	if b, _ := decide.Bridge(in); b.Rule != "bridge.shared_cause" || b.Suspect != "site/dc1" {
		t.Errorf("%+v", b)
	}
	in.Suspicions = []decide.Suspicion{{Parent: prbB, Kind: "trade", Name: "prb-b", Members: members, Total: 40, Explicit: true}}
	if b, _ := decide.Bridge(in); b.Rule != "bridge.cause.trade" || b.Verdict != fleet.Person || b.Condition != string(fleet.BridgeHealthy) {
		t.Errorf("%+v", b)
	}
}

func TestBlind(t *testing.T) {
	silent := func(n int, since time.Duration) []decide.Voice {
		return slices.Repeat([]decide.Voice{{Missed: 2, Failed: ago(since)}}, n)
	}
	answering := func(n int) []decide.Voice { return slices.Repeat([]decide.Voice{{}}, n) }
	headSilent, headAnswers := decide.Voice{Missed: 1, Failed: ago(m), Outside: true}, decide.Voice{Outside: true}
	for _, tt := range []struct {
		name   string
		voices []decide.Voice
		want   bool
	}{
		{"nobody was asked", nil, false},
		{"two are silent", silent(2, m), false},
		{"all are silent", silent(3, m), true},
		{"all of ours are silent, a head answers", append(silent(3, m), headAnswers), true},
		{"two thirds, with the head", append(append(silent(4, m), answering(2)...), headSilent), true},
		{"two thirds, but the head answers", append(append(silent(4, m), answering(2)...), headAnswers), false},
		{"two thirds, no head to ask", append(silent(4, m), answering(2)...), false},
		{"four fifths, no head to ask", append(silent(8, m), answering(2)...), true},
		{"half, with the head", append(append(silent(3, m), answering(4)...), headSilent), false},
		{"not at the same moment", append(append(append(silent(2, h), silent(1, 30*m)...), silent(1, 10*m)...), append(answering(1), headSilent)...), false},
		{"who has been silent for days says nothing", append(append(append(silent(9, 48*h), silent(3, m)...), answering(1)...), headSilent), true},
	} {
		if got, since := decide.Blind(tt.voices); got != tt.want || got == since.IsZero() {
			t.Errorf("%s: %v since %v", tt.name, got, since)
		}
	}
}

// TestAfterBlindness: what was answered before phalops saw again is no fact any more.
func TestAfterBlindness(t *testing.T) {
	in := healthyBridge(20)
	failed(h, "null")(&in.Status.Workers[3])
	in.Policy.NotBefore = now.Add(-time.Second)
	if b, ws := decide.Bridge(in); b.Condition == string(fleet.BridgeHealthy) || len(acting(ws)) > 0 {
		t.Errorf("%+v", b)
	}
}
