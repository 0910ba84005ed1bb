package decide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/rule"
)

const egressText = "Error while synching mq egress: Error: timeout of 8000ms exceeded"

// own is an operator's rule; whatever is left out is as in the configuration.
func own(t reporter, name, when string, hold time.Duration, do ...string) decide.UserRule {
	t.Helper()
	p, err := rule.Compile(when, rule.OfWorker)
	if err != nil {
		t.Errorf("%s: %v", when, err)
	}
	if len(do) == 0 {
		do = []string{decide.RungRestart, decide.RungAlert}
	}
	return decide.UserRule{Name: name, When: p, For: hold, Do: do, Cooldown: 10 * m}
}

// rulesOf draws rules that would treat everybody, to be held against every guard.
func rulesOf(t *rapid.T) []decide.UserRule {
	return rapid.SampledFrom([][]decide.UserRule{
		nil, {own(t, "all", "true", 0)}, {own(t, "all", "true", 0, "alert")}, {own(t, "later", "true", h), own(t, "errors", `worker.state == "S_ERROR"`, 0, "restart", "container", "alert")},
		{own(t, "unknown", "worker.lag != 0", 0), own(t, "broken", `int(worker.name) > 0`, 0)},
	}).Draw(t, "rules")
}

// remembered lets the newest decisions about the workers say what the present ones do, a poll ago.
func remembered(ds []fleet.Decision, at time.Time) decide.Memory {
	return func(ref fleet.Ref) (fleet.Decision, bool) {
		for _, d := range ds {
			if d.Target == ref {
				d.At = at
				return d, true
			}
		}
		return fleet.Decision{}, false
	}
}

// TestOwnRuleActsWhenItHasHeldLongEnough follows the example of the documentation through its three minutes.
func TestOwnRuleActsWhenItHasHeldLongEnough(t *testing.T) {
	texts := catalog(t)
	in := healthyBridge(20)
	in.Policy.Rules = []decide.UserRule{own(t, "mq egress flapping",
		`worker.bridge.version == "v2" and worker.message contains "Error while synching mq egress"`, 3*m)}
	began := ago(4 * m)
	var last []fleet.Decision
	for poll := 0; poll <= 16; poll++ {
		in.Now = began.Add(time.Duration(poll) * 15 * time.Second)
		for i := range in.Status.Workers {
			inStateAt(&in.Status.Workers[i], in.Now)
		}
		in.Status.Monitor.At, in.Status.Lifecycle.At = in.Now, in.Now
		in.Status.DataProviders[0].At, in.Node.Para.At, in.Node.Relay.At = in.Now, in.Now, in.Now
		w := &in.Status.Workers[7]
		w.State, w.StateSince, w.Message, w.MessageSeen = "S_SYNCHED", began, egressText, in.Now
		_, ws := decide.Bridge(in)
		d := ws[7]
		if len(d.Holds) != 1 || !d.Holds[0].Since.Equal(began) || !d.Holds[0].Due.Equal(began.Add(3*m)) || d.Holds[0].Rule != "user.mq egress flapping" {
			t.Fatalf("poll %d: %+v", poll, d.Holds)
		}
		due := poll*15 >= 180
		if due != (d.Rule == "user.mq egress flapping" && d.Verdict == fleet.Act && d.Action == decide.ActionWorkerRestart && d.Since.Equal(began)) {
			t.Fatalf("poll %d: %+v", poll, d)
		}
		if !due && (!d.NextLook.After(in.Now) || d.NextLook.After(began.Add(3*m))) {
			t.Errorf("poll %d: nobody looks when it is due: %v", poll, d.NextLook)
		}
		if due && (d.Reason.Code != "rule.holds" || d.Reason.Args["rule"] != "mq egress flapping" || d.Condition == string(fleet.Working)) {
			t.Errorf("%+v", d)
		}
		said(t, texts, d)
		for i, other := range ws {
			if i != 7 && (len(other.Holds) != 0 || other.Verdict != fleet.Healthy) {
				t.Fatalf("worker %d: %+v", i, other)
			}
		}
		if poll > 0 {
			if same := last[7].Same(d); same != (last[7].Rule == d.Rule && last[7].Verdict == d.Verdict) {
				t.Errorf("poll %d: same is %v: a decision that remembers nothing new is written down", poll, same)
			}
		}
		last = ws
		in.Last = remembered(ws, in.Now)
	}
}

// inStateAt keeps a worker mining at a moment.
func inStateAt(w *fleet.WorkerStatus, at time.Time) {
	w.At, w.Para.MovedAt, w.ParaHeader.MovedAt, w.Relay.MovedAt = at, at, at, at
}

func TestHoldingBeginsAnew(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*fleet.Decision)
		acts   bool
	}{
		"it held all the time":          {func(*fleet.Decision) {}, true},
		"nobody looked for long":        {func(d *fleet.Decision) { d.At = ago(16 * m) }, false},
		"it did not hold before":        {func(d *fleet.Decision) { d.Holds = nil }, false},
		"it had no answer before":       {func(d *fleet.Decision) { d.Holds[0].Since = time.Time{} }, false},
		"the condition was another one": {func(d *fleet.Decision) { d.Holds[0].When = "worker.lag > 5" }, false},
		"another rule held":             {func(d *fleet.Decision) { d.Holds[0].Rule = "user.other" }, false},
		"it began in the future":        {func(d *fleet.Decision) { d.Holds[0].Since = now.Add(h) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := healthyBridge(20)
			in.Policy.Rules = []decide.UserRule{own(t, "slow", `worker.name != ""`, 3*m)}
			in.Status.Workers = in.Status.Workers[:1]
			d := fleet.Decision{Target: in.Status.Workers[0].Ref, At: ago(15 * time.Second),
				Holds: []fleet.Hold{{Rule: "user.slow", When: `worker.name != ""`, Since: ago(5 * m)}}}
			tc.change(&d)
			in.Last = func(fleet.Ref) (fleet.Decision, bool) { return d, true }
			_, ws := decide.Bridge(in)
			if (ws[0].Verdict == fleet.Act) != tc.acts {
				t.Errorf("%+v", ws[0])
			}
		})
	}
}

// TestOwnRulesStayBelowTheGuards holds a rule that would restart everybody against each guard by itself.
func TestOwnRulesStayBelowTheGuards(t *testing.T) {
	texts := catalog(t)
	first := func(change workerChange) func(*decide.BridgeInput) {
		return func(in *decide.BridgeInput) { change(&in.Status.Workers[0]) }
	}
	for name, tc := range map[string]struct {
		change func(*decide.BridgeInput)
		why    string // code of a guard, or of what is above the rule; "": it acts
	}{
		"nothing in the way":  {func(*decide.BridgeInput) {}, ""},
		"a sick worker":       {first(failed(h, refused)), ""},
		"disabled":            {first(disabled), "rule.hands_off"},
		"cooling down":        {first(session("WorkerCoolingDown")), "rule.hands_off"},
		"sync-only":           {first(syncOnly), "guard.sync_only"},
		"syncing with growth": {first(inState("S_SYNCHING", h, "Synching block data...")), "rule.hands_off"},
		"another key":         {first(func(w *fleet.WorkerStatus) { w.KnownKey, w.OtherKey, w.OtherSince = "ab", "cd", ago(m) }), "rule.hands_off"},
		"another key, disabled": {first(func(w *fleet.WorkerStatus) {
			disabled(w)
			w.KnownKey, w.OtherKey, w.OtherSince = "ab", "cd", ago(m)
		}), "rule.hands_off"},
		"no context":     {first(contextless), "rule.hands_off"},
		"no gas":         {first(failed(h, `"Error: 1010: Invalid Transaction: Inability to pay some fees"`)), "rule.no_cure"},
		"an odd state":   {first(inState("S_ODD", h, "")), "rule.hands_off"},
		"the node":       {func(in *decide.BridgeInput) { in.Node.Condition = fleet.NodeStalled }, "guard.node"},
		"phalops itself": {func(in *decide.BridgeInput) { in.Blind = true }, "guard.blind"},
		"somebody else": {func(in *decide.BridgeInput) {
			in.Locked = map[fleet.Ref]fleet.Reason{in.Status.Workers[0].Ref: fleet.Because("guard.treating")}
		}, "guard.treating"},
		"under treatment":            {func(in *decide.BridgeInput) { in.Treating = map[fleet.Ref]bool{in.Status.Workers[0].Ref: true} }, "guard.treating"},
		"its bridge under treatment": {func(in *decide.BridgeInput) { in.ParentTreated = new(fleet.Because("guard.maintenance")) }, "guard.maintenance"},
		"maintenance":                {func(in *decide.BridgeInput) { in.Policy.Maintenance = true }, "guard.maintenance"},
		"just restarted": {func(in *decide.BridgeInput) {
			in.Attempts = []fleet.Attempt{tried(in.Status.Workers[0].Ref, decide.ActionWorkerRestart, m)}
		}, "guard.just_restarted"},
		"its budget": {func(in *decide.BridgeInput) {
			for _, d := range []time.Duration{h, 2 * h, 3 * h} {
				in.Attempts = append(in.Attempts, tried(in.Status.Workers[0].Ref, decide.ActionWorkerRestart, d))
			}
		}, "guard.budget"},
		"its cooldown": {func(in *decide.BridgeInput) {
			in.Policy.Rules[0].Cooldown = 24 * h
			a := tried(in.Status.Workers[0].Ref, decide.ActionWorkerRestart, 23*h)
			a.Author = "rule:user.all"
			in.Attempts = []fleet.Attempt{a}
		}, "guard.holddown"},
		"another rule's cooldown": {func(in *decide.BridgeInput) {
			in.Policy.Rules[0].Cooldown = 24 * h
			in.Attempts = []fleet.Attempt{tried(in.Status.Workers[0].Ref, decide.ActionWorkerRestart, 23*h)}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := healthyBridge(20)
			in.Policy.Rules = []decide.UserRule{own(t, "all", `worker.name == "`+in.Status.Workers[0].Name+`"`, 0)}
			tc.change(&in)
			_, ws := decide.Bridge(in)
			d := ws[0]
			said(t, texts, d)
			var why []string
			for _, g := range d.Guards {
				why = append(why, g.Code)
			}
			for _, hold := range d.Holds {
				why = append(why, hold.Why.Code)
				if !hold.Why.IsZero() {
					said(t, texts, fleet.Decision{Reason: hold.Why})
				}
			}
			switch {
			case len(d.Holds) != 1:
				t.Errorf("it is not told that the rule holds: %+v", d)
			case tc.why == "" && (d.Verdict != fleet.Act || d.Rule != "user.all"):
				t.Errorf("%+v", d)
			case tc.why != "" && (d.Action != "" && d.Action != decide.ActionWorkerDisable || !slices.Contains(why, tc.why)):
				t.Errorf("%s: %+v", strings.Join(why, " "), d)
			}
		})
	}
}

// TestOwnRulesOfManyWaitForTheirCommonCause: what a rule says of many workers at once is one trouble.
func TestOwnRulesOfManyWaitForTheirCommonCause(t *testing.T) {
	in := healthyBridge(20)
	in.Policy.Rules = []decide.UserRule{own(t, "all", "worker.enabled", 0)}
	in.Status.Since = ago(time.Minute)
	b, ws := decide.Bridge(in)
	if n := len(acting(ws)); n != 0 || b.Rule != "bridge.shared_cause" {
		t.Errorf("%d act, the bridge: %+v", n, b)
	}
}

func TestOwnRuleThatOnlyTells(t *testing.T) {
	in := healthyBridge(20)
	failed(h, refused)(&in.Status.Workers[0])
	disabled(&in.Status.Workers[1])
	session("WorkerCoolingDown")(&in.Status.Workers[2])
	in.Policy.Rules = []decide.UserRule{own(t, "hands off 7", "true", 0, "alert")}
	_, ws := decide.Bridge(in)
	for _, d := range ws {
		if d.Verdict != fleet.Person || d.Severity != fleet.Warning || d.Rule != "user.hands off 7" {
			t.Fatalf("%+v", d)
		}
	}
}

func TestOwnRuleThatOnlyReports(t *testing.T) {
	in := healthyBridge(20)
	failed(h, refused)(&in.Status.Workers[0])
	in.Policy.Rules = []decide.UserRule{own(t, "try", `worker.name in ["`+in.Status.Workers[0].Name+`", "`+in.Status.Workers[1].Name+`"]`, 0)}
	in.Policy.Rules[0].Mode = decide.ModeObserve
	_, ws := decide.Bridge(in)
	if d := ws[0]; d.Verdict != fleet.Act || strings.HasPrefix(d.Rule, "user.") || d.Holds[0].Why.Code != "rule.only_observes" {
		t.Errorf("it stands in the way of the built-in rule: %+v", d)
	}
	if d := ws[1]; d.Verdict != fleet.WouldAct || d.Rule != "user.try" {
		t.Errorf("%+v", d)
	}
	in.Policy.Mode = decide.ModeObserve
	in.Policy.Rules[0].Mode = decide.ModeAct
	if _, ws = decide.Bridge(in); ws[1].Verdict != fleet.WouldAct {
		t.Errorf("a rule acts while the fleet observes: %+v", ws[1])
	}
}

func TestTheFirstOwnRuleSpeaks(t *testing.T) {
	in := healthyBridge(20)
	in.Policy.Rules = []decide.UserRule{own(t, "later", "true", h), own(t, "one", "worker.lag != 0 and worker.lag == 0", 0, "alert"),
		own(t, "two", "worker.stake > 0", 0, "alert"), own(t, "three", "true", 0)}
	noHeights(&in.Status.Workers[0])
	_, ws := decide.Bridge(in)
	d := ws[0]
	if d.Rule != "user.two" && d.Rule != "v2.active.no_height" || len(d.Holds) != 4 {
		t.Fatalf("%+v", d)
	}
	if d.Holds[1].Why.Code != "rule.unknown" || !d.Holds[1].Since.IsZero() {
		t.Errorf("a condition about what nobody knows: %+v", d.Holds[1])
	}
	if ws[1].Rule != "user.two" || len(ws[1].Holds) != 3 {
		t.Errorf("%+v", ws[1])
	}
}
