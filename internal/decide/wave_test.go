package decide_test

import (
	"fmt"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// done is an automatic treatment of worker n of prb-b that ended so long ago and took a minute.
func done(n int, ended time.Duration, outcome fleet.PlanState) fleet.Attempt {
	return fleet.Attempt{Target: fleet.WorkerRef("prb-b", fmt.Sprintf("id-%03d", n)), Kind: decide.ActionWorkerRestart, Plan: fmt.Sprint("p", n),
		At: ago(ended + m), Ended: ago(ended), Outcome: outcome, Author: "rule:v2.error.refused"}
}

func outcomes(text string) []fleet.Attempt {
	var out []fleet.Attempt
	for i, c := range text {
		o := map[rune]fleet.PlanState{'+': fleet.PlanDone, '-': fleet.PlanFailed, 'x': fleet.PlanAborted}[c]
		out = append(out, done(i, time.Duration(len(text)-i)*m, o))
	}
	return out
}

func TestLoads(t *testing.T) {
	byHand := outcomes("--------")
	for i := range byHand {
		byHand[i].Author = "user:li"
	}
	again := outcomes("++++++")
	for i := range again { // each was treated once more five minutes later: they were not cured
		a := again[i]
		a.At, a.Ended, a.Outcome = a.Ended.Add(30*time.Second), time.Time{}, fleet.PlanRunning
		again = append(again, a)
	}
	old := outcomes("------")
	for i := range old {
		old[i].At, old[i].Ended = old[i].At.Add(-70*m), old[i].Ended.Add(-70*m)
	}
	tests := []struct {
		name   string
		given  []fleet.Attempt
		places int
		held   string
	}{
		{"nothing was done", nil, 12, ""},
		{"each cure opens a place: a wave doubles them", outcomes("++++++++++++"), 24, ""},
		{"a failure halves them", outcomes("++++-"), 8, ""},
		{"failures that were under way together halve them once", []fleet.Attempt{
			{Target: "worker/prb-b/1", Kind: decide.ActionWorkerRestart, At: ago(20 * m), Ended: ago(10 * m), Outcome: fleet.PlanFailed, Author: "rule:x"},
			{Target: "worker/prb-b/2", Kind: decide.ActionWorkerRestart, At: ago(20 * m), Ended: ago(9 * m), Outcome: fleet.PlanFailed, Author: "rule:x"},
		}, 6, ""},
		{"there is always one", outcomes("-----"), 1, ""},
		{"what a person aborts proves nothing", outcomes("xxxxxxxx"), 12, ""},
		{"what a person does proves nothing", byHand, 12, ""},
		{"more than half of six failed", outcomes("++----"), 1, "guard.brake"},
		{"half of six failed", outcomes("+-+-+-"), 2, ""},
		{"who is treated again was not cured", again, 1, "guard.brake"},
		{"an hour later it is forgotten", old, 12, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := decide.FleetLoad(tt.given, defaults, now)
			held := ""
			if l.Held != nil {
				held = l.Held.Code
			}
			if l.Places != tt.places || held != tt.held || (l.Held != nil) != l.Until.After(now) {
				t.Errorf("%d places, held by %q until %v; want %d, %q", l.Places, held, l.Until, tt.places, tt.held)
			}
		})
	}
}

// TestTheBrakeIsReleasedAndGrows: half an hour of rest, an hour when it speaks again.
func TestTheBrakeIsReleasedAndGrows(t *testing.T) {
	first := outcomes("------")
	end := first[5].Ended
	for _, d := range []time.Duration{time.Second, 29 * m} {
		if l := decide.FleetLoad(first, defaults, end.Add(d)); l.Held == nil || !l.Until.Equal(end.Add(30*m)) {
			t.Errorf("after %v: %+v", d, l)
		}
	}
	if l := decide.FleetLoad(first, defaults, end.Add(31*m)); l.Held != nil {
		t.Errorf("still held: %+v", l)
	}
	second := append([]fleet.Attempt(nil), first...)
	for i, a := range outcomes("------") {
		a.Target = fleet.WorkerRef("prb-b", fmt.Sprint("second", i))
		a.At, a.Ended = a.At.Add(40*m), a.Ended.Add(40*m)
		second = append(second, a)
	}
	again := end.Add(40 * m)
	if l := decide.FleetLoad(second, defaults, again.Add(time.Second)); l.Held == nil || !l.Until.Equal(again.Add(time.Hour)) {
		t.Errorf("the second time it holds until %v, want %v", l.Until, again.Add(time.Hour))
	}
}

func TestBudgetsOfUselessTreatments(t *testing.T) {
	p := defaults
	p.SiteBudget = decide.Budget{Per: time.Hour, AtMost: 4, Backoff: 5 * m}
	for _, tt := range []struct {
		given string
		until time.Duration // from now
	}{
		{"++++++++", 0},
		{"--", 0},
		{"---", 4 * m}, // beyond its half: a pause of 5 minutes since the last
		{"+-+-+-+-", 53 * m},
	} {
		l := decide.SiteLoad(outcomes(tt.given), p, now)
		if got := max(0, l.Until.Sub(now)); got != tt.until || (l.Held != nil) != (tt.until > 0) {
			t.Errorf("%s: held for %v (%v), want %v", tt.given, got, l.Held, tt.until)
		}
	}
}

// TestPressure: the bridge's own budget, the site's and the fleet's places bound it, and say so.
func TestPressure(t *testing.T) {
	for _, tt := range []struct {
		name    string
		given   func(*decide.BridgeInput)
		guard   string
		suspect fleet.Ref
	}{
		{"fleet's brake", func(in *decide.BridgeInput) {
			in.Fleet = &decide.Load{Places: 9, Held: new(fleet.Because("guard.brake")), Until: now.Add(m)}
		}, "guard.brake", fleet.Fleet},
		{"site's budget", func(in *decide.BridgeInput) {
			in.Site = &decide.Load{Places: 9, Held: new(fleet.Because("guard.site_budget")), Until: now.Add(m)}
		}, "guard.site_budget", "site/dc1"},
		{"a brake that ended", func(in *decide.BridgeInput) {
			in.Fleet = &decide.Load{Places: 9, Held: new(fleet.Because("guard.brake")), Until: now}
		}, "", fleet.WorkerRef("prb-b", "id-003")},
		{"site's places", func(in *decide.BridgeInput) { in.Site = &decide.Load{Places: 4, Busy: 4} }, "guard.site_cap", fleet.WorkerRef("prb-b", "id-003")},
		{"fleet's places", func(in *decide.BridgeInput) { in.Fleet = &decide.Load{Places: 4, Busy: 9} }, "guard.fleet_cap", fleet.WorkerRef("prb-b", "id-003")},
		{"the bridge's budget", func(in *decide.BridgeInput) {
			for i := range 10 {
				in.Attempts = append(in.Attempts, done(10+i, 40*m, fleet.PlanFailed))
			}
		}, "guard.bridge_budget", prbB},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			failed(h, "null")(&in.Status.Workers[3])
			tt.given(&in)
			b, ws := decide.Bridge(in)
			if d := ws[3]; guarded(d) != tt.guard || d.Suspect != tt.suspect || (tt.guard == "") != (d.Verdict == fleet.Act) {
				t.Errorf("%+v", d)
			}
			if tt.suspect == prbB && (b.Rule != "bridge.budget" || b.Verdict != fleet.Person) {
				t.Errorf("the bridge says %+v", b)
			}
		})
	}
}

// toy is a world in which every worker of several bridges fell into S_ERROR at one moment, and a restart mends it after two
// minutes with a given chance.
type toy struct {
	bridges  []decide.BridgeInput
	attempts []fleet.Attempt
	mends    func(n int) bool
	treated  int
}

func newToy(bridges, workers int, mends func(int) bool) *toy {
	w := &toy{mends: mends}
	for b := range bridges {
		in := healthyBridge(workers)
		name := fmt.Sprint("prb-", b)
		in.Status.Ref = fleet.BridgeRef(name)
		for i := range in.Status.Workers {
			x := &in.Status.Workers[i]
			x.Ref, x.Endpoint = fleet.WorkerRef(name, x.ID), fmt.Sprintf("http://127.0.%d.%d:8000", b, 1+i)
			failed(time.Duration(i%60)*time.Second, refused)(x)
			x.Condition = fleet.Failing
		}
		w.bridges = append(w.bridges, in)
	}
	return w
}

// run plays until everybody works or the time is over; it returns when that was, and the most treatments that began within
// one minute and that were under way at once.
func (w *toy) run(limit time.Duration) (took time.Duration, perMinute, atOnce int) {
	minute := map[int]int{}
	for at := time.Duration(0); at < limit; at += 15 * time.Second {
		clock := now.Add(at)
		bad := 0
		for b := range w.bridges {
			in := w.bridges[b]
			in.Now, in.Attempts = clock, w.attempts
			w.freshen(&in, clock)
			site, all := decide.SiteLoad(w.attempts, in.Policy, clock), decide.FleetLoad(w.attempts, in.Policy, clock)
			in.Site, in.Fleet = &site, &all
			_, ws := decide.Bridge(in)
			for i, d := range ws {
				if in.Status.Workers[i].State == "S_ERROR" {
					bad++
				}
				if d.Verdict == fleet.Act {
					w.attempts = append(w.attempts, fleet.Attempt{Target: d.Target, Kind: d.Action, Plan: fmt.Sprint(w.treated), At: clock, Outcome: fleet.PlanRunning, Author: "rule:" + d.Rule})
					w.treated++
					minute[int(at/time.Minute)]++
				}
			}
		}
		running := 0
		for _, a := range w.attempts {
			if a.Ended.IsZero() {
				running++
			}
		}
		atOnce = max(atOnce, running)
		if bad == 0 {
			took = at
			break
		}
		took = limit
	}
	for _, n := range minute {
		perMinute = max(perMinute, n)
	}
	return took, perMinute, atOnce
}

// freshen lets time pass: answers are new, heights grow, treatments end.
func (w *toy) freshen(in *decide.BridgeInput, clock time.Time) {
	for i := range w.attempts {
		a := &w.attempts[i]
		if !a.Ended.IsZero() || clock.Sub(a.At) < 2*m || a.Target.Parent() != in.Status.Ref {
			continue
		}
		a.Ended, a.Outcome = clock, fleet.PlanFailed
		if w.mends(i) {
			a.Outcome = fleet.PlanDone
			x := in.Status.Worker(a.Target)
			x.State, x.StateSince, x.Condition, x.Message = "S_ACTIVE", clock, fleet.Working, ""
		}
	}
	seen := fleet.Probe{At: clock}
	in.Status.Monitor, in.Status.Lifecycle = seen, seen
	dp := &in.Status.DataProviders[0]
	dp.Probe, dp.Para.MovedAt, dp.Parent.MovedAt = seen, clock, clock
	in.Node.Para.Probe, in.Node.Para.Best.MovedAt = seen, clock
	for i := range in.Status.Workers {
		x := &in.Status.Workers[i]
		x.Probe = seen
		if x.State == "S_ACTIVE" {
			x.Para.MovedAt, x.ParaHeader.MovedAt, x.Relay.MovedAt = clock, clock, clock
		}
	}
}

// TestFiveHundredAfterAPowerCut: nobody is treated before the shared cause had its time; then waves double, and everybody is
// back within the time that a doubling takes, never more at once than half of each bridge.
func TestFiveHundredAfterAPowerCut(t *testing.T) {
	for _, per := range []int{20, 100} {
		w := newToy(5, per, func(int) bool { return true })
		took, perMinute, atOnce := w.run(3 * h)
		t.Logf("%d workers: back after %v, at most %d at once and %d a minute", 5*per, took, atOnce, perMinute)
		if took > 45*m || took < 10*m {
			t.Errorf("%d workers are back after %v", 5*per, took)
		}
		if w.treated != 5*per {
			t.Errorf("%d treatments of %d workers", w.treated, 5*per)
		}
		if atOnce > 5*per/2 {
			t.Errorf("%d at once of %d", atOnce, 5*per)
		}
	}
}

// TestNoStormWhenNothingHelps: however many are down, restarts that do not help come to an end, and soon.
func TestNoStormWhenNothingHelps(t *testing.T) {
	for _, per := range []int{5, 60} {
		w := newToy(5, per, func(int) bool { return false })
		_, perMinute, atOnce := w.run(2 * h)
		t.Logf("%d workers: %d treatments, at most %d at once and %d a minute", 5*per, w.treated, atOnce, perMinute)
		if atOnce > 12 || perMinute > 12 {
			t.Errorf("%d at once, %d in one minute", atOnce, perMinute)
		}
		if w.treated > 40 {
			t.Errorf("%d treatments of %d workers in two hours, none of which helped", w.treated, 5*per)
		}
	}
}

// mass is a fleet of many bad workers that are treated as fast as FleetLoad allows, minute by minute.
type mass struct {
	attempts []fleet.Attempt
	now      time.Time
	held     []string // every guard that spoke, in order, once in a row
}

// run treats workers for a while; how says how long the nth treatment takes and what comes of it.
func (s *mass) run(d time.Duration, how func(n int) (time.Duration, fleet.PlanState)) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(m) {
		seen, running := make([]fleet.Attempt, len(s.attempts)), 0
		for i, a := range s.attempts {
			if a.Ended.After(s.now) {
				a.Ended, a.Outcome = time.Time{}, fleet.PlanRunning
				running++
			}
			seen[i] = a
		}
		l := decide.FleetLoad(seen, defaults, s.now)
		if l.Held != nil && l.Until.After(s.now) {
			if n := len(s.held); n == 0 || s.held[n-1] != l.Held.Code {
				s.held = append(s.held, l.Held.Code)
			}
			continue
		}
		for ; running < l.Places; running++ {
			n := len(s.attempts)
			took, outcome := how(n)
			s.attempts = append(s.attempts, fleet.Attempt{Target: fleet.WorkerRef("prb-b", fmt.Sprint(n)), Kind: decide.ActionWorkerRestart, At: s.now,
				Ended: s.now.Add(took), Outcome: outcome, Author: "rule:x"})
		}
	}
}

// After a power cut failures show first: of a first wave of twelve six fail within a minute, the others prove their cure after
// six. That slows the next wave down, and does not stop everything.
func TestEarlyFailuresSlowAndDoNotStop(t *testing.T) {
	s := &mass{now: now}
	s.run(20*m, func(n int) (time.Duration, fleet.PlanState) {
		if n < 6 {
			return m, fleet.PlanFailed
		}
		return 6 * m, fleet.PlanDone
	})
	early := 0
	for _, a := range s.attempts {
		if a.At.Before(now.Add(6 * m)) {
			early++
		}
	}
	if len(s.held) > 0 || early != 12 || len(s.attempts) < 24 {
		t.Errorf("held by %v; %d were begun before the first cure, %d in all", s.held, early, len(s.attempts))
	}
}

// Where nothing helps, whenever it shows: the brake speaks before anybody is treated in the place of those who failed, and the
// next waves are small, rarer and rarer.
func TestNoStormHoweverLateFailuresShow(t *testing.T) {
	for name, took := range map[string]func(n int) int{
		"at once":         func(int) int { return 1 },
		"after a while":   func(int) int { return 8 },
		"late":            func(int) int { return 15 },
		"now and then":    func(n int) int { return n*7%15 + 1 },
		"one after other": func(n int) int { return n%12 + 1 },
		"half of it late": func(n int) int { return 1 + n%2*14 },
	} {
		s := &mass{now: now}
		s.run(12*time.Hour, func(n int) (time.Duration, fleet.PlanState) { return time.Duration(took(n)) * m, fleet.PlanFailed })
		hour := 0
		for i := range s.attempts {
			n := 0
			for _, a := range s.attempts[i:] {
				if a.At.Sub(s.attempts[i].At) < time.Hour {
					n++
				}
			}
			hour = max(hour, n)
		}
		if hour > 20 || len(s.attempts) > 72 || len(s.held) == 0 {
			t.Errorf("%s: %d within an hour, %d in half a day, held by %v", name, hour, len(s.attempts), s.held)
		}
	}
}
