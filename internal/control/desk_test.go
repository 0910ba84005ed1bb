package control

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newDesk(t *testing.T) (*desk, *memory.Store) {
	s := memory.New()
	n := 0
	return &desk{store: s, newID: func() string { n++; return fmt.Sprintf("i%d", n) }, open: map[fleet.Ref]fleet.Incident{}}, s
}

var (
	w7   = fleet.WorkerRef("prb-a", "w7")
	fine = fleet.Decision{Target: w7, Condition: "Working", Verdict: fleet.Healthy}
	wait = fleet.Decision{Target: w7, Condition: "Failed", Since: day, Verdict: fleet.Wait, Severity: fleet.Info, Reason: fleet.Because("x.wait")}
	do   = fleet.Decision{Target: w7, Condition: "Failed", Since: day, Verdict: fleet.Act, Severity: fleet.Info, Reason: fleet.Because("x.act"), Action: "worker.restart"}
	call = fleet.Decision{Target: w7, Condition: "Failed", Since: day, Verdict: fleet.Person, Severity: fleet.Critical, Reason: fleet.Because("x.person")}
	onIt = fleet.Decision{Target: w7, Condition: "Starting", Verdict: fleet.Wait, Reason: fleet.Because("x.starting")}
)

func hear(t *testing.T, k *desk, after time.Duration, n news) {
	t.Helper()
	n.site, n.title = "dc1", "w-07"
	if err := k.judge(t.Context(), n, day.Add(after)); err != nil {
		t.Fatal(err)
	}
}

func TestDeskLife(t *testing.T) {
	k, s := newDesk(t)
	hear(t, k, 0, news{decision: fine})
	hear(t, k, 0, news{decision: onIt})
	if len(k.Open()) != 0 {
		t.Fatal("a healthy or starting worker opened an incident")
	}
	hear(t, k, time.Minute, news{decision: wait})
	if i := k.Open()[0]; !i.Opened.Equal(day) || !i.Raised.IsZero() || len(k.telling(day.Add(time.Minute))) != 0 {
		t.Fatalf("waiting is not worth telling: %+v", i)
	}
	hear(t, k, 2*time.Minute, news{decision: do})
	i := k.Open()[0]
	if !i.Raised.Equal(day.Add(2*time.Minute)) || i.Reason.Code != "x.act" || len(k.telling(day.Add(2*time.Minute))) != 1 {
		t.Fatalf("an action is worth telling, for its own reason: %+v", i)
	}
	hear(t, k, 3*time.Minute, news{decision: call})
	if i := k.Open()[0]; i.Severity != fleet.Critical || i.ID != "i1" {
		t.Fatalf("it did not become louder: %+v", i)
	}
	hear(t, k, 4*time.Minute, news{decision: onIt})
	hear(t, k, 4*time.Minute, news{decision: fine})
	if len(k.Open()) != 1 {
		t.Fatal("closed without a proof that it is cured")
	}
	hear(t, k, 5*time.Minute, news{decision: fine, cured: true, held: true})
	if len(k.Open()) != 1 {
		t.Fatal("closed while a plan still works on it")
	}
	hear(t, k, 6*time.Minute, news{decision: fine, cured: true})
	if len(k.Open()) != 0 || len(k.telling(day.Add(time.Hour))) != 1 || len(k.telling(day.Add(48*time.Hour))) != 0 {
		t.Error("its end must be offered to the channels for some hours, and no longer")
	}
	stored, err := s.Incident(t.Context(), "i1")
	if err != nil || !stored.Closed.Equal(day.Add(6*time.Minute)) {
		t.Errorf("stored: %+v, %v", stored, err)
	}
	events, err := s.Events(t.Context(), store.EventFilter{Incident: "i1"})
	if err != nil || len(events) != 5 { // opened + 3 decisions + closed
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestDeskSelfRecoveryIsSilent(t *testing.T) {
	k, _ := newDesk(t)
	hear(t, k, time.Minute, news{decision: wait})
	hear(t, k, 2*time.Minute, news{decision: fine, cured: true})
	if len(k.Open()) != 0 || len(k.telling(day.Add(3*time.Minute))) != 0 {
		t.Error("what recovers by itself within the hold-down is nobody's news")
	}
}

// Children of a suspect join its incident and have none of their own; what our own plan stops is no news.
func TestDeskCausesBeforeSymptoms(t *testing.T) {
	k, _ := newDesk(t)
	child := wait
	child.Suspect = fleet.NodeRef("node-1")
	hear(t, k, time.Minute, news{decision: child}) // before the suspect's own decision: noted nowhere
	node := fleet.Decision{Target: fleet.NodeRef("node-1"), Condition: "Stalled", Since: day, Verdict: fleet.Act, Severity: fleet.Warning, Reason: fleet.Because("n")}
	hear(t, k, time.Minute, news{decision: node})
	hear(t, k, time.Minute, news{decision: child})
	hear(t, k, 2*time.Minute, news{decision: child})
	open := k.Open()
	if len(open) != 1 || len(open[0].Children) != 1 || k.incidentOf(child) != open[0].ID {
		t.Errorf("open: %+v", open)
	}
	other := wait
	other.Target = fleet.WorkerRef("prb-a", "w8")
	hear(t, k, 3*time.Minute, news{decision: other, held: true})
	if len(k.Open()) != 1 {
		t.Error("a worker that a plan holds opened an incident")
	}
}

func TestDeskReadsBack(t *testing.T) {
	k, s := newDesk(t)
	hear(t, k, time.Minute, news{decision: do})
	again := &desk{store: s, newID: k.newID}
	if err := again.load(t.Context(), day.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	hear(t, again, 2*time.Minute, news{decision: do})
	if open := again.Open(); len(open) != 1 || open[0].ID != "i1" || open[0].Raised.IsZero() {
		t.Errorf("after a restart: %+v", open)
	}
	hear(t, again, 3*time.Minute, news{decision: fine, cured: true})
	third := &desk{store: s, newID: k.newID}
	if err := third.load(t.Context(), day.Add(4*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if len(third.Open()) != 0 || len(third.telling(day.Add(4*time.Minute))) != 1 {
		t.Error("a recovery that was not told before a restart is lost")
	}
}

func TestDeskForgetsWhatIsNotConfigured(t *testing.T) {
	k, _ := newDesk(t)
	hear(t, k, time.Minute, news{decision: do})
	if err := k.forget(t.Context(), func(fleet.Ref) bool { return false }, day.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if len(k.Open()) != 0 {
		t.Error("the incident of a removed bridge stays open for ever")
	}
}

var restartW7 = fleet.Decision{Target: w7, Verdict: fleet.Act, Action: "worker.restart", Severity: fleet.Info, At: day}

// What cannot be treated is a person's: at once when a safety rule says no, and when nothing else comes of it for long.
func TestRefusalsAreTold(t *testing.T) {
	safe := fleet.Fail(fleet.Refused, fleet.Because("remedy.low_stake", "bridge", "b", "workers", "w"))
	var r refusals
	told := func() fleet.Verdict { return r.tell([]fleet.Decision{restartW7})[0].Verdict }
	if told() != fleet.Act {
		t.Fatal("a target that was never refused is not treated")
	}
	r.add(restartW7, safe, day)
	if told() != fleet.Person {
		t.Errorf("a safety rule's no is %s", told())
	}
	r.clear(w7)
	for i, want := range []fleet.Verdict{fleet.Wait, fleet.Wait, fleet.Person} {
		r.add(restartW7, errors.New("no host"), day)
		if told() != want {
			t.Errorf("refused %d times: %s, want %s", i+1, told(), want)
		}
	}
	if other := r.tell([]fleet.Decision{{Target: w7, Verdict: fleet.Act, Action: "worker.container"}})[0]; other.Verdict != fleet.Act {
		t.Errorf("the refusal of one action holds another one: %s", other.Verdict)
	}
}

func TestRefusalsRest(t *testing.T) {
	var r refusals
	if _, waits := r.until(w7, day); waits {
		t.Error("a target that was never refused rests")
	}
	var last time.Duration
	now := day
	for range 8 {
		r.add(restartW7, errors.New("no host"), now)
		until, waits := r.until(w7, now)
		if !waits || until.Sub(now) < last || until.Sub(now) > 10*time.Minute {
			t.Fatalf("rests for %v after %v", until.Sub(now), last)
		}
		last, now = until.Sub(now), until
	}
	if last != 10*time.Minute {
		t.Errorf("the longest rest is %v", last)
	}
	if until, waits := r.until(w7, day.Add(-3*time.Hour)); waits {
		t.Errorf("a clock that was set back has it rest until %s", until)
	}
	later, d := now.Add(longestRest+forgiven+time.Second), restartW7
	if d.At = later; r.tell([]fleet.Decision{d})[0].Verdict != fleet.Act {
		t.Error("an old refusal is told as if it were of today")
	}
	r.add(restartW7, errors.New("no host"), later)
	if until, _ := r.until(w7, later); until.Sub(later) != 30*time.Second || r.tell([]fleet.Decision{d})[0].Verdict != fleet.Wait {
		t.Errorf("the first refusal after a long time rests for %v", until.Sub(later))
	}
	r.clear(w7)
	r.add(restartW7, errors.New("no host"), now)
	if until, _ := r.until(w7, now); until.Sub(now) != 30*time.Second {
		t.Errorf("after a success the first rest is %v", until.Sub(now))
	}
}

// What was wrong keeps its name while it cannot be seen for a moment; something else that is wrong takes its place.
func TestUnknownDoesNotRenameAnIncident(t *testing.T) {
	k, _ := newDesk(t)
	blind := fleet.Decision{Target: w7, Condition: "Unknown", Since: day, Verdict: fleet.Wait, Severity: fleet.Info, Reason: fleet.Because("x.blind")}
	frozen := do
	frozen.Condition = "Unresponsive"
	for i, step := range []struct {
		decision fleet.Decision
		code     string
	}{{blind, "Unknown"}, {do, "Failed"}, {blind, "Failed"}, {frozen, "Unresponsive"}} {
		hear(t, k, time.Duration(i)*time.Minute, news{decision: step.decision})
		if got := k.Open()[0]; got.Code != step.code || got.Decision.Condition != step.decision.Condition {
			t.Errorf("step %d: %s, now %s", i, got.Code, got.Decision.Condition)
		}
	}
}
