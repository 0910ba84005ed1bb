package decide_test

import (
	"strings"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// bridgeSays changes what the bridge tells of the worker in question.
func bridgeSays(changes ...workerChange) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) {
		for _, f := range changes {
			f(&in.Status.Workers[3])
		}
	}
}

// chainSays changes what the chain tells of it.
func chainSays(changes ...chainChange) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) { chained(in.Chain, 3, changes...) }
}

func viewIs(change func(*fleet.ChainView)) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) { change(in.Chain) }
}

func inPool(pid uint64) chainChange {
	return func(c *fleet.ChainWorker) { c.PID, c.Pool = pid, true }
}

func inNoPool(c *fleet.ChainWorker) {
	c.PID, c.Pool, c.State, c.Stake = 0, false, "Unknown", fleet.Amount{}
}

func unregistered(c *fleet.ChainWorker) {
	inNoPool(c)
	c.Registered, c.Operator = false, ""
}

func operatedBy(who string) chainChange { return func(c *fleet.ChainWorker) { c.Operator = who } }

// saidBefore has the newest decision about the worker made by a rule that has spoken for so long.
func saidBefore(rule string, d time.Duration) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) {
		in.Last = remembering(fleet.Decision{Target: in.Status.Workers[3].Ref, At: ago(m), Rule: rule, Since: read.Add(-d)})
	}
}

func TestChainAgainstAWorker(t *testing.T) {
	type change = func(*decide.BridgeInput)
	const healthy = "healthy Working v2.active"
	tests := []struct {
		name  string
		given []change
		want  string // verdict, condition and rule
	}{
		{"all well", nil, healthy},
		{"no view", []change{chainSays(is("Unresponsive", 9*h)), func(in *decide.BridgeInput) { in.Chain = nil }}, healthy},
		{"never read", []change{chainSays(is("Unresponsive", 9*h)), viewIs(func(v *fleet.ChainView) { v.Probe = fleet.Probe{} })}, healthy},
		{"an old view", []change{chainSays(is("Unresponsive", 9*h)), viewIs(func(v *fleet.ChainView) { v.At, v.Time = ago(21*m), ago(21*m) })}, healthy},
		{"a view that the policy takes for new", []change{chainSays(is("Unresponsive", 9*h)), func(in *decide.BridgeInput) {
			in.Policy.ChainOld, in.Chain.At, in.Chain.Time = h, ago(21*m), ago(21*m)
		}}, "person Working v2.chain.unheard"},
		{"a view of before phalops could see again", []change{chainSays(is("Unresponsive", 9*h)), func(in *decide.BridgeInput) { in.Policy.NotBefore = ago(m) }}, healthy},
		{"a view from the future", []change{chainSays(is("Unresponsive", 9*h)), viewIs(func(v *fleet.ChainView) { v.At, v.Time = now.Add(5*m), now.Add(5*m) })}, healthy},
		{"a chain whose clock stands", []change{chainSays(is("Unresponsive", 9*h)), viewIs(func(v *fleet.ChainView) { v.Time = read.Add(-21 * m) })}, healthy},
		{"a chain whose clock is ahead", []change{chainSays(is("Unresponsive", 9*h)), viewIs(func(v *fleet.ChainView) { v.Time = read.Add(21 * m) })}, healthy},
		{"the newest question failed, the last answer is new", []change{chainSays(is("Unresponsive", 9*h)), viewIs(func(v *fleet.ChainView) { v.Missed, v.Failed = 5, ago(m) })}, "person Working v2.chain.unheard"},
		{"another network's key", []change{chainSays(is("Unresponsive", 9*h)), bridgeSays(func(w *fleet.WorkerStatus) { w.PublicKey = keyOf(99) })}, healthy},
		{"no key", []change{chainSays(is("Unresponsive", 9*h)), bridgeSays(func(w *fleet.WorkerStatus) { w.PublicKey = "" })}, healthy},

		{"marked for a moment", []change{chainSays(is("Unresponsive", m))}, "wait Working v2.chain.unheard"},
		{"marked for nearly an hour", []change{chainSays(is("Unresponsive", h-time.Second))}, "wait Working v2.chain.unheard"},
		{"marked for an hour", []change{chainSays(is("Unresponsive", h))}, "person Working v2.chain.unheard"},
		{"marked for three hours and a half, in a network that asks each worker every three hours", []change{chainSays(is("Unresponsive", 3*h+30*m)), viewIs(func(v *fleet.ChainView) { v.Totals.Online = 18_000 })}, "wait Working v2.chain.unheard"},
		{"… and for four", []change{chainSays(is("Unresponsive", 4*h)), viewIs(func(v *fleet.ChainView) { v.Totals.Online = 18_000 })}, "person Working v2.chain.unheard"},
		{"marked long ago, and the bridge began to work just now", []change{chainSays(is("Unresponsive", 9*h)), bridgeSays(inState("S_ACTIVE", 3*m, "Now the worker should be active."))}, "wait Working v2.chain.unheard"},
		{"marked, as the bridge knows", []change{chainSays(is("Unresponsive", 2*h)), bridgeSays(session("WorkerUnresponsive"))}, "person Working v2.chain.unheard"},
		{"the bridge still relays a mark that is gone", []change{bridgeSays(session("WorkerUnresponsive"), func(w *fleet.WorkerStatus) { w.SessionSince = ago(2 * h) })}, "wait Working v2.active.unheard"},
		{"marked, as the bridge knows, and it leaves", []change{chainSays(is("Unresponsive", 2*h)), bridgeSays(session("WorkerUnresponsive"), func(w *fleet.WorkerStatus) { w.SessionSince = ago(2 * h) }), func(in *decide.BridgeInput) {
			in.Leaving = map[fleet.Ref]bool{in.Status.Workers[3].Ref: true}
		}}, "person Working v2.active.unheard"},
		{"marked, and its height stands still", []change{chainSays(is("Unresponsive", 9*h)), bridgeSays(frozen(20 * m))}, "act Unresponsive v2.active.frozen"},
		{"marked, and it catches up", []change{chainSays(is("Unresponsive", 9*h)), bridgeSays(func(w *fleet.WorkerStatus) { w.Para.Value -= 500 })}, "handsoff Syncing v2.active.catching_up"},
		{"marked, and its bridge is at fault", []change{chainSays(is("Unresponsive", 9*h)), dpFrozen(20 * m)}, "wait Working v2.chain.unheard"},
		{"marked, and its node stands", []change{chainSays(is("Unresponsive", 9*h)), nodeIs(fleet.NodeStalled)}, "wait Working v2.chain.unheard"},

		{"cools down, as its bridge knows", []change{chainSays(is("CoolingDown", h)), bridgeSays(session("WorkerCoolingDown"))}, "person CoolingDown v2.chain.cooling"},
		{"cools down since a moment ago", []change{chainSays(is("CoolingDown", 5*m)), bridgeSays(session("WorkerCoolingDown"))}, "handsoff CoolingDown v2.chain.cooling"},
		{"cools down, and its bridge says that it works", []change{chainSays(is("CoolingDown", h))}, "person Working v2.chain.cooling"},
		{"began to cool down long before phalops looked", []change{chainSays(is("CoolingDown", m), func(c *fleet.ChainWorker) { c.CoolingSince = ago(70 * h) })}, "person Working v2.chain.cooling"},
		{"cools down and is disabled", []change{chainSays(is("CoolingDown", h)), bridgeSays(func(w *fleet.WorkerStatus) { w.Enabled = false })}, "handsoff Disabled v2.disabled.running"},
		{"cools down because it leaves", []change{chainSays(is("CoolingDown", h)), bridgeSays(session("WorkerCoolingDown")), func(in *decide.BridgeInput) {
			in.Leaving = map[fleet.Ref]bool{in.Status.Workers[3].Ref: true}
		}}, "handsoff CoolingDown v2.cooling"},
		{"cools down while a plan is at it", []change{chainSays(is("CoolingDown", h)), func(in *decide.BridgeInput) {
			in.Treating = map[fleet.Ref]bool{in.Status.Workers[3].Ref: true}
		}}, "wait Working v2.chain.cooling"},
		{"its bridge alone says that it cools down", []change{bridgeSays(session("WorkerCoolingDown"))}, "handsoff CoolingDown v2.cooling"},

		{"unpaid for 11 hours", []change{chainSays(unpaidFor(11 * h))}, healthy},
		{"unpaid for 12 hours", []change{chainSays(unpaidFor(12 * h))}, "person Working v2.chain.unpaid"},
		{"unpaid, and computes for 11 hours only", []change{chainSays(unpaidFor(30*h), is("Idle", 11*h))}, healthy},
		{"unpaid, and its bridge got it to work 11 hours ago", []change{chainSays(unpaidFor(30 * h)), bridgeSays(inState("S_ACTIVE", 11*h, "Now the worker should be active."))}, healthy},
		{"unpaid, and nobody is paid", []change{chainSays(unpaidFor(30 * h)), viewIs(func(v *fleet.ChainView) { v.Totals.RewardMoved = read.Add(-2 * h) })}, healthy},
		{"unpaid, and whether others are paid is not told", []change{chainSays(unpaidFor(30 * h)), viewIs(func(v *fleet.ChainView) { v.Totals.RewardMoved = time.Time{} })}, healthy},
		{"unpaid, and the network pays again for 11 hours", []change{chainSays(unpaidFor(30 * h)), viewIs(func(v *fleet.ChainView) { v.Totals.RewardResumed = read.Add(-11 * h) })}, healthy},
		{"unpaid, and the network pays again for 12 hours", []change{chainSays(unpaidFor(30 * h)), viewIs(func(v *fleet.ChainView) { v.Totals.RewardResumed = read.Add(-12 * h) })}, "person Working v2.chain.unpaid"},
		{"unpaid because it is marked", []change{chainSays(unpaidFor(30*h), is("Unresponsive", 20*m))}, "wait Working v2.chain.unheard"},

		{"computes nothing", []change{chainSays(is("Ready", 20*m))}, "wait Working v2.chain.not_computing"},
		{"computes nothing for half an hour", []change{chainSays(is("Ready", 30*m))}, "person Working v2.chain.not_computing"},
		{"computes nothing, as its bridge knows", []change{chainSays(is("Ready", h)), bridgeSays(session("Ready"), func(w *fleet.WorkerStatus) { w.SessionSince = ago(2 * h) })}, "person Working v2.chain.not_computing"},
		{"another session, seen just now", []change{chainSays(inPool(91))}, "wait Working v2.chain.elsewhere"},
		{"in another pool for 20 minutes", []change{chainSays(inPool(91)), saidBefore("v2.chain.elsewhere", 20*m)}, "wait Working v2.chain.elsewhere"},
		{"in another pool for half an hour", []change{chainSays(inPool(91)), saidBefore("v2.chain.elsewhere", 30*m)}, "person Working v2.chain.elsewhere"},
		{"… which another rule remembers", []change{chainSays(inPool(91)), saidBefore("v2.chain.unbound", 30*m)}, "wait Working v2.chain.elsewhere"},
		{"in pool 0, and belongs into 83", []change{chainSays(inPool(0)), saidBefore("v2.chain.elsewhere", h)}, "person Working v2.chain.elsewhere"},
		{"in a pool, and its feeder tells none", []change{bridgeSays(func(w *fleet.WorkerStatus) { w.PID = 0 })}, healthy},
		{"in another pool, and its feeder tells none", []change{chainSays(inPool(91)), bridgeSays(func(w *fleet.WorkerStatus) { w.PID = 0 }), saidBefore("v2.chain.elsewhere", h)}, healthy},
		{"in nobody's pool", []change{chainSays(inNoPool), saidBefore("v2.chain.unbound", h)}, "person Working v2.chain.unbound"},
		{"in nobody's pool while it catches up", []change{chainSays(inNoPool), bridgeSays(func(w *fleet.WorkerStatus) { w.Para.Value -= 500 })}, "handsoff Syncing v2.active.catching_up"},
		{"not registered", []change{chainSays(unregistered), saidBefore("v2.chain.unregistered", h)}, "person Working v2.chain.unregistered"},
		{"of another operator, and so in no pool", []change{chainSays(inNoPool, operatedBy("45other")), saidBefore("v2.chain.operator", h)}, "person Working v2.chain.operator"},
		{"of another operator, and in its pool all the same", []change{chainSays(operatedBy("45other"))}, healthy},
		{"another stake", []change{chainSays(func(c *fleet.ChainWorker) { c.Stake = fleet.PHA(9) })}, healthy},
		{"another stake, and unpaid", []change{chainSays(unpaidFor(13*h), func(c *fleet.ChainWorker) { c.Stake = fleet.PHA(9) })}, "person Working v2.chain.unpaid"},
		{"of another operator, and marked", []change{chainSays(operatedBy("45other"), is("Unresponsive", 2*h))}, "person Working v2.chain.unheard"},
		{"a gatekeeper that is paid for nothing", []change{chainSays(unpaidFor(30 * h)), bridgeSays(func(w *fleet.WorkerStatus) { w.Gatekeeper = true })}, healthy},
		{"sync-only, and cools down", []change{chainSays(is("CoolingDown", h)), bridgeSays(session("WorkerCoolingDown"), func(w *fleet.WorkerStatus) { w.SyncOnly = true })}, "handsoff CoolingDown v2.cooling"},
		{"cools down, and its bridge just began", []change{chainSays(is("CoolingDown", 9*h)), bridgeSays(inState("S_ACTIVE", 10*m, "Now the worker should be active."))}, "wait Working v2.chain.cooling"},
		{"disabled, and computes", []change{bridgeSays(func(w *fleet.WorkerStatus) { w.Enabled = false })}, "handsoff Disabled v2.disabled.running"},
		{"a gatekeeper", []change{chainSays(unregistered), bridgeSays(func(w *fleet.WorkerStatus) { w.Gatekeeper = true })}, healthy},
		{"sync-only", []change{chainSays(inNoPool), bridgeSays(func(w *fleet.WorkerStatus) { w.SyncOnly = true })}, healthy},
		{"another key in its place", []change{chainSays(is("Unresponsive", 9*h)), bridgeSays(func(w *fleet.WorkerStatus) { w.KnownKey, w.OtherKey, w.OtherSince = keyOf(3), keyOf(99), ago(m) })},
			"act Failed v2.identity_changed"},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := watchedBridge(20)
			for _, f := range tt.given {
				f(&in)
			}
			bridge, ds := decide.Bridge(in)
			for i, d := range append(ds, bridge) {
				sound(t, d)
				said(t, texts, d)
				if i != 3 && d.Verdict != fleet.Healthy && tt.name != "marked, and its bridge is at fault" {
					t.Errorf("number %d: %+v", i, d)
				}
			}
			d := ds[3]
			if got := string(d.Verdict) + " " + d.Condition + " " + d.Rule; got != tt.want {
				t.Errorf("got %s, want %s\n%+v", got, tt.want, d)
			}
			if d.Verdict != fleet.Act && d.Action != "" {
				t.Errorf("asks for %s", d.Action)
			}
		})
	}
}

// A person is told with the chain's word and the bridge's own beside each other, since when it lasts; nobody before that.
func TestChainTroubleIsTold(t *testing.T) {
	in := watchedBridge(5)
	chained(in.Chain, 3, is("Unresponsive", 20*m))
	_, ds := decide.Bridge(in)
	if ds[3].Severity != "" || ds[3].NextLook.Before(now) {
		t.Errorf("too early: %+v", ds[3])
	}
	chained(in.Chain, 3, is("Unresponsive", 2*h))
	_, ds = decide.Bridge(in)
	d := ds[3]
	if d.Severity != fleet.Warning || !d.Since.Equal(read.Add(-2*h)) || d.Reason.Args["word"] != "S_ACTIVE" || d.Reason.Args["for"] != "2h0m0s" {
		t.Errorf("%+v", d)
	}
	if len(d.Witnesses) != 1 || d.Witnesses[0].Code != "witness.chain" || d.Witnesses[0].Args["state"] != "Unresponsive" {
		t.Errorf("witnesses %v", d.Witnesses)
	}
}

// The chain is a witness of every other trouble, and says nothing where hands are off.
func TestChainAsAWitness(t *testing.T) {
	in := watchedBridge(20)
	failed(h, refused)(&in.Status.Workers[3])
	in.Status.Workers[4].Enabled = false
	_, ds := decide.Bridge(in)
	heard := func(d fleet.Decision) bool {
		for _, w := range d.Witnesses {
			if w.Code == "witness.chain" {
				return true
			}
		}
		return false
	}
	if !heard(ds[3]) || heard(ds[4]) || heard(ds[5]) {
		t.Errorf("%v / %v / %v", ds[3].Witnesses, ds[4].Witnesses, ds[5].Witnesses)
	}
}

func TestDifferences(t *testing.T) {
	pool := &fleet.ChainPool{PID: 83, Owner: "45owner"}
	tests := []struct {
		name   string
		worker workerChange
		chain  chainChange
		want   string
	}{
		{"none", nil, nil, ""},
		{"computing or not", nil, is("Unresponsive", m), "chain.differ.state"},
		{"cooling down", nil, is("CoolingDown", m), "chain.differ.state"},
		{"never had a session", nil, is("Unknown", m), "chain.differ.state"},
		{"not computing, as the bridge knows", func(w *fleet.WorkerStatus) { w.Condition = fleet.CoolingDown }, is("CoolingDown", m), ""},
		{"another pool", nil, inPool(91), "chain.differ.elsewhere"},
		{"another pool, of a record that is disabled", func(w *fleet.WorkerStatus) { w.Enabled = false }, inPool(91), "chain.differ.disabled"},
		{"a pool that the feeder does not tell", func(w *fleet.WorkerStatus) { w.PID = 0 }, nil, ""},
		{"no pool", nil, inNoPool, "chain.differ.unbound"},
		{"no pool yet", func(w *fleet.WorkerStatus) { w.Condition = fleet.Syncing }, inNoPool, ""},
		{"not registered", nil, unregistered, "chain.differ.unregistered"},
		{"not registered yet", func(w *fleet.WorkerStatus) { w.Condition = fleet.Syncing }, unregistered, ""},
		{"another operator", nil, operatedBy("45other"), "chain.differ.operator"},
		{"no operator", nil, operatedBy(""), ""},
		{"another stake", nil, func(c *fleet.ChainWorker) { c.Stake = fleet.PHA(9) }, "chain.differ.stake"},
		{"a stake that is no number", func(w *fleet.WorkerStatus) { w.StakeOK = false }, func(c *fleet.ChainWorker) { c.Stake = fleet.PHA(9) }, ""},
		{"a stake that is coming free", nil, func(c *fleet.ChainWorker) { is("CoolingDown", m)(c); c.Stake = fleet.PHA(9) }, "chain.differ.state"},
		{"everything", nil, func(c *fleet.ChainWorker) {
			inPool(91)(c)
			operatedBy("45other")(c)
			is("Unresponsive", m)(c)
			c.Stake = fleet.PHA(9)
		},
			"chain.differ.elsewhere chain.differ.operator chain.differ.state chain.differ.stake"},
		{"disabled and gone", func(w *fleet.WorkerStatus) { w.Enabled = false }, inNoPool, ""},
		{"a gatekeeper", func(w *fleet.WorkerStatus) { w.Gatekeeper = true }, unregistered, ""},
		{"another key in its place", func(w *fleet.WorkerStatus) { w.OtherKey = keyOf(9) }, is("Unresponsive", m), ""},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, c := worker(0), computing(0)
			if tt.worker != nil {
				tt.worker(&w)
			}
			if tt.chain != nil {
				tt.chain(&c)
			}
			var got []string
			for _, r := range decide.Differences(&w, &c, pool) {
				got = append(got, r.Code)
				said(t, texts, fleet.Decision{Reason: r})
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
	w, c := worker(0), computing(0)
	inPool(91)(&c)
	operatedBy("45other")(&c)
	if got := decide.Differences(&w, nil, pool); got != nil {
		t.Errorf("of a worker that the chain was not asked about: %v", got)
	}
	if got := decide.Differences(&w, &c, nil); len(got) != 1 {
		t.Errorf("of a pool that is not known: %v", got)
	}
}
