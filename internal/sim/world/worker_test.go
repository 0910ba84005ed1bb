package world

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// story is what a worker's bridge tells of it, one line for each change, looked at twice a second.
func story(w *World, c func() *Context, d time.Duration) []string {
	var lines []string
	for end := w.Now().Add(d); w.Now().Before(end); pass(w, 500*time.Millisecond) {
		line := "-"
		if c := c(); c != nil {
			text, _ := c.Message()
			line = fmt.Sprintf("%s %s", c.State(), text)
		}
		if len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
	}
	return lines
}

var recovery = []string{
	"S_STARTING State changed from S_IDLE to S_STARTING",
	"S_SYNCHING Synching block data...",
	"S_SYNCHED Synching message queue...",
	"S_PRE_ACTIVE Message queue synched.",
	"S_ACTIVE Now the worker should be active.",
}

// steady drops the lines that are too short to be seen each time.
func steady(lines []string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return l == " " || strings.Contains(l, "Runtime already initialized.") })
}

func TestWorkerErrorIsTerminalUntilARestart(t *testing.T) {
	for text, want := range map[string]string{
		"":                    `"Error: timeout of 60000ms exceeded"`,
		"refused":             `"Error: connect ECONNREFUSED 127.0.100.3:8000"`,
		"BlockNumberMismatch": `{"payload":{"message":"BlockNumberMismatch"},"signature":"` + strings.Repeat("ab", 64) + `","status":"error","isRuntimeReturnedError":true}`,
		"txtimeout":           `"TxTimeOutError: Timeout!"`,
		`"Error: own words"`:  `"Error: own words"`,
	} {
		w := demo(t, Fault{Kind: WorkerError, Target: "w-03", Text: text})
		pass(w, 3*time.Minute)
		c, b := worker(t, w, "w-03"), w.Bridge("prb-a")
		if got, _ := c.Message(); c.State() != StateError || got != want || c.Pruntime().Feeders() != 0 {
			t.Fatalf("%s: %s %s, %d feeders", text, c.State(), got, c.Pruntime().Feeders())
		}
		before, err := b.Act(ActionRestart, []string{c.Worker.UUID})
		if err != nil || len(before) != 1 || before[0].State() != StateError {
			t.Fatalf("restart: %v, %v", before, err)
		}
		got := steady(story(w, func() *Context { return c }, time.Minute))
		if want := append([]string{StateError + " " + want}, recovery...); !slices.Equal(got, want) {
			t.Errorf("%s: after the restart:\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if c.Pruntime().Feeders() != 1 || len(w.Harm()) > 0 {
			t.Errorf("%d feeders, harm %v", c.Pruntime().Feeders(), w.Harm())
		}
		if e := w.Effects(); len(e) != 1 || e[0].Kind != "restart" || e[0].Target != "prb-a/w-03" {
			t.Errorf("effects %v", e)
		}
	}
}

func TestWorkerStatesTakeTheirTime(t *testing.T) {
	w := demo(t, Fault{Kind: WorkerError, Target: "*"})
	b := w.Bridge("prb-a")
	pass(w, time.Second)
	for _, c := range b.contexts {
		_, _ = b.Act(ActionRestart, []string{c.Worker.UUID})
	}
	since := map[*Context]map[string]time.Time{}
	for range 600 {
		for _, c := range b.contexts {
			if since[c] == nil {
				since[c] = map[string]time.Time{}
			}
			if _, seen := since[c][c.state]; !seen {
				since[c][c.state] = w.Now()
			}
		}
		pass(w, 100*time.Millisecond)
	}
	for c, at := range since {
		if starting := at[StateSynching].Sub(at[StateStarting]); starting > 2*time.Second {
			t.Errorf("%s: S_STARTING took %v", c.Worker.Name, starting)
		}
		if synched := at[StatePreActive].Sub(at[StateSynched]); synched < 3*time.Second {
			t.Errorf("%s: S_SYNCHED took %v", c.Worker.Name, synched)
		}
		if pre := at[StateActive].Sub(at[StatePreActive]); pre < 12*time.Second-100*time.Millisecond {
			t.Errorf("%s: S_PRE_ACTIVE took %v", c.Worker.Name, pre)
		}
	}
}

func TestFreezeHidesBehindActive(t *testing.T) {
	w := demo(t, Fault{Kind: WorkerFreeze, Target: "w-03"})
	pass(w, time.Second)
	c := worker(t, w, "w-03")
	before, _, _ := c.Heights()
	pass(w, 7*time.Minute)
	after, _, _ := c.Heights()
	text, _ := c.Message()
	if s, _ := c.Session(); before != after || c.State() != StateActive || text != "Now the worker should be active." || s.State != "WorkerIdle" {
		t.Errorf("7 minutes frozen: %s %q at %d (was %d), session %s", c.State(), text, after, before, s.State)
	}
	pass(w, 3*time.Minute)
	text, at := c.Message()
	if s, _ := c.Session(); text != noticeUnresponsive || s.State != "WorkerUnresponsive" || c.State() != StateActive {
		t.Errorf("10 minutes frozen: %s %q, session %s", c.State(), text, s.State)
	}
	pass(w, 10*time.Minute)
	if _, later := c.Message(); !later.Equal(at) {
		t.Errorf("the notice's time moves from %v to %v", at, later)
	}
	_, _ = w.Bridge("prb-a").Act(ActionRestart, []string{c.Worker.UUID})
	pass(w, time.Minute)
	text, _ = c.Message()
	if s, _ := c.Session(); c.State() != StateActive || text != "Now the worker should be active." || s.State != "WorkerIdle" || c.rt.Lag() > 5 {
		t.Errorf("restarted: %s %q, session %s, %d behind", c.State(), text, s.State, c.rt.Lag())
	}
	if len(w.Harm()) > 0 {
		t.Errorf("harm %v", w.Harm())
	}
}

func TestNoticeStaysAfterTheNodeHealedByItself(t *testing.T) {
	w := demo(t, Fault{Kind: NodeStall, Target: "node-1", For: 20 * time.Minute})
	c := worker(t, w, "w-02")
	pass(w, 25*time.Minute)
	text, at := c.Message()
	if s, _ := c.Session(); text != noticeUnresponsive || s.State != "WorkerIdle" || c.rt.Lag() > 5 {
		t.Errorf("%q, session %s, %d behind", text, s.State, c.rt.Lag())
	}
	if since := at.Sub(epoch); since < 7*time.Minute || since > 9*time.Minute {
		t.Errorf("noticed after %v", since)
	}
}

func TestOtherWorkerFaults(t *testing.T) {
	for _, tc := range []struct {
		name    string
		fault   Fault
		state   string
		message string
		moving  bool
		healed  bool // it works again, by itself, half an hour later
	}{
		{"hangs in S_STARTING", Fault{Kind: WorkerStarting}, StateStarting, "State changed from S_IDLE to S_STARTING", false, false},
		{"a blip heals", Fault{Kind: WorkerPause, For: 2 * time.Minute}, StateActive, "Now the worker should be active.", false, true},
		{"a sticky message means nothing", Fault{Kind: WorkerMessage}, StateActive, "Error while synching mq egress: Error: timeout of 8000ms exceeded", true, true},
		{"enclave down", Fault{Kind: PruntimeDown}, StateError, `"Error: connect ECONNREFUSED 127.0.100.3:8000"`, false, false},
		{"enclave hangs", Fault{Kind: PruntimeHang}, StateError, `"Error: timeout of 60000ms exceeded"`, false, false},
		{"the error stays when its cause has gone", Fault{Kind: PruntimeDown, For: 3 * time.Minute}, StateError, `"Error: connect ECONNREFUSED 127.0.100.3:8000"`, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.fault.Target = "w-03"
			w := demo(t, tc.fault)
			c := worker(t, w, "w-03")
			pass(w, time.Minute)
			was, _, _ := c.Heights()
			pass(w, 50*time.Second)
			is, _, _ := c.Heights()
			if text, _ := c.Message(); c.State() != tc.state || text != tc.message || (is > was) != tc.moving {
				t.Errorf("%s %q, %d → %d", c.State(), text, was, is)
			}
			pass(w, 30*time.Minute)
			if healed := c.State() == StateActive && c.rt.Lag() < 6; healed != tc.healed {
				t.Errorf("half an hour later: %s, %d behind", c.State(), c.rt.Lag())
			}
		})
	}
}

func TestStickyMessageKeepsItsLastTime(t *testing.T) {
	w := demo(t, Fault{At: time.Minute, Kind: WorkerMessage, Target: "w-03", For: 30 * time.Second})
	c := worker(t, w, "w-03")
	pass(w, time.Minute)
	_, first := c.Message()
	pass(w, 20*time.Second)
	if _, at := c.Message(); at.Sub(first) != 18*time.Second {
		t.Errorf("20 s later it was said after %v", at.Sub(first))
	}
	pass(w, time.Hour)
	if text, at := c.Message(); !strings.HasPrefix(text, "Error while synching mq egress") || at.Sub(first) != 30*time.Second {
		t.Errorf("healed for an hour: %q after %v", text, at.Sub(first))
	}
}

func TestFaultThatSurvivesRestarts(t *testing.T) {
	w := demo(t, Fault{Kind: WorkerError, Target: "w-03", Text: "HeaderHashMismatch", CuredBy: CuredByNothing})
	c := worker(t, w, "w-03")
	pass(w, time.Second)
	_, _ = w.Bridge("prb-a").Act(ActionRestart, []string{c.Worker.UUID})
	got := steady(story(w, func() *Context { return c }, 2*time.Minute))
	if len(got) != 4 || !strings.HasPrefix(got[2], StateSynching) || !strings.HasPrefix(got[3], StateError) {
		t.Errorf("story:\n%s", strings.Join(got, "\n"))
	}
}

func TestKick(t *testing.T) {
	w := demo(t)
	b, c := w.Bridge("prb-a"), worker(t, w, "w-03")
	c.rt.KickAPI = true
	before, _, _ := c.Heights()
	if _, err := b.Act(ActionKick, []string{c.Worker.UUID}); err != nil {
		t.Fatal(err)
	}
	pass(w, time.Second)
	if text, _ := c.Message(); c.State() != StateKicked || text != "State changed from S_ACTIVE to S_KICKED" || !c.rt.Down() {
		t.Errorf("%s %q, enclave down %v", c.State(), text, c.rt.Down())
	}
	pass(w, 5*time.Minute)
	after, _, _ := c.Heights()
	if c.State() != StateKicked || c.rt.Down() || c.Feeding() || after >= before {
		t.Errorf("nobody resumes: %s, down %v, %d → %d (it goes on from its checkpoint)", c.State(), c.rt.Down(), before, after)
	}
	_, _ = b.Act(ActionRestart, []string{c.Worker.UUID})
	for c.State() != StateSynched {
		pass(w, 100*time.Millisecond)
	}
	_, _ = b.Act(ActionKick, []string{c.Worker.UUID})
	pass(w, time.Second)
	if text, _ := c.Message(); c.State() != StateError || text != "null" {
		t.Errorf("kicked in S_SYNCHED: %s %q", c.State(), text)
	}
}

func TestRefreshEndsInAnError(t *testing.T) {
	w := demo(t)
	c := worker(t, w, "w-03")
	_, _ = w.Bridge("prb-a").Act(ActionRefresh, []string{c.Worker.UUID})
	pass(w, time.Minute)
	if text, _ := c.Message(); c.State() != StateError || text != `"Error: Request failed with status code 500"` || c.Feeding() {
		t.Errorf("%s %q, feeding %v", c.State(), text, c.Feeding())
	}
}

func TestHarmfulTreatmentIsRecorded(t *testing.T) {
	w := demo(t, Fault{Kind: WorkerFreeze, Target: "w-03"})
	b, healthy, frozen := w.Bridge("prb-a"), worker(t, w, "w-02"), worker(t, w, "w-03")
	pass(w, time.Hour)
	_, _ = b.Act(ActionRestart, []string{healthy.Worker.UUID})
	_, _ = b.Act(ActionRestart, []string{frozen.Worker.UUID})
	pass(w, 5*time.Second) // an hour is 300 blocks: it catches up for 25 s
	_, _ = b.Act(ActionRestart, []string{frozen.Worker.UUID})
	got := []string{}
	for _, h := range w.Harm() {
		got = append(got, h.Kind+" "+h.Target)
	}
	if want := []string{HarmRestartHealthy + " prb-a/w-02", HarmRestartSyncing + " prb-a/w-03"}; !slices.Equal(got, want) {
		t.Errorf("harm %v, want %v", got, want)
	}
}

func TestARestartIsNotLostInATransition(t *testing.T) {
	for asked := time.Duration(0); asked < 40*time.Second; asked += 100 * time.Millisecond {
		w := demo(t, Fault{Kind: WorkerError, Target: "w-03"})
		b, c := w.Bridge("prb-a"), worker(t, w, "w-03")
		pass(w, time.Second)
		_, _ = b.Act(ActionRestart, []string{c.Worker.UUID})
		pass(w, asked)
		before := c.State()
		_, _ = b.Act(ActionRestart, []string{c.Worker.UUID})
		pass(w, 500*time.Millisecond)
		if c.State() != StateStarting {
			t.Errorf("asked after %v, in %s: half a second later it is in %s", asked, before, c.State())
		}
	}
}

func TestEnclaveThatDiesDuringASync(t *testing.T) {
	w := demo(t, Fault{Kind: WorkerFreeze, Target: "w-03"})
	b, c := w.Bridge("prb-a"), worker(t, w, "w-03")
	pass(w, time.Hour)
	_, _ = b.Act(ActionRestart, []string{c.Worker.UUID})
	for c.State() != StateSynched {
		pass(w, 100*time.Millisecond)
	}
	if err := w.Apply(Scenario{Faults: []Fault{{Kind: PruntimeDown, Target: "w-03"}}}); err != nil {
		t.Fatal(err)
	}
	pass(w, time.Minute)
	if text, _ := c.Message(); c.State() != StateError || text != `"Error: connect ECONNREFUSED 127.0.100.3:8000"` {
		t.Errorf("%s %q", c.State(), text)
	}
	_, _ = b.Act(ActionRestart, []string{c.Worker.UUID})
	got := steady(story(w, func() *Context { return c }, 2*time.Minute))
	if want := []string{`S_ERROR "Error: connect ECONNREFUSED 127.0.100.3:8000"`, recovery[0], `S_ERROR "Error: connect ECONNREFUSED 127.0.100.3:8000"`}; !slices.Equal(got, want) {
		t.Errorf("restarted against a closed port:\n%s", strings.Join(got, "\n"))
	}
}
