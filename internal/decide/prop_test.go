package decide_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

func spanOf(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.SampledFrom([]int64{1, 20, 100, 200, 290, 310, 700, 2000, 8000, 30000, 300000}).Draw(t, label)) * time.Second
}

func probeOf(t *rapid.T, label string) fleet.Probe {
	if rapid.IntRange(0, 9).Draw(t, label) > 0 {
		return answered
	}
	return silentFor(spanOf(t, label+" silent"))
}

func heightOf(t *rapid.T, label string) fleet.Height {
	if rapid.IntRange(0, 9).Draw(t, label+" known") == 0 {
		return fleet.Height{}
	}
	return at(rapid.SampledFrom([]int64{-1, 12, 2_000_000, 2_999_990, 3_000_000, 3_000_100}).Draw(t, label), spanOf(t, label+" frozen"))
}

func chainFor(t *rapid.T, label string) *fleet.ChainStatus {
	if rapid.IntRange(0, 9).Draw(t, label) == 0 {
		return nil
	}
	return &fleet.ChainStatus{Probe: probeOf(t, label), URL: "http://127.0.0.1:9944", Best: heightOf(t, label+" best"), Target: heightOf(t, label+" target"),
		Finalized: heightOf(t, label+" finalized"), Peers: rapid.IntRange(-1, 3).Draw(t, label+" peers")}
}

func nodeOf(t *rapid.T, name string) fleet.NodeStatus {
	n := fleet.NodeStatus{Ref: fleet.NodeRef(name), Site: "dc1", Para: chainFor(t, name+" para"), Relay: chainFor(t, name+" relay")}
	if rapid.Bool().Draw(t, name+" container") {
		n.Container = &fleet.ContainerStatus{Probe: probeOf(t, name+" container"), Name: name,
			State: rapid.SampledFrom([]string{"running", "exited", "paused", "restarting", "created", ""}).Draw(t, name+" state"), Started: ago(spanOf(t, name+" started"))}
	}
	return n
}

func attemptsOf(t *rapid.T, targets []fleet.Ref, kind string) []fleet.Attempt {
	var out []fleet.Attempt
	for range rapid.IntRange(0, 6).Draw(t, "attempts") {
		a := tried(rapid.SampledFrom(targets).Draw(t, "tried"), kind, spanOf(t, "ended"))
		if rapid.IntRange(0, 7).Draw(t, "running") == 0 {
			a.Ended, a.Outcome = time.Time{}, fleet.PlanRunning
		}
		out = append(out, a)
	}
	return out
}

func policyOf(t *rapid.T) decide.Policy {
	p := decide.DefaultPolicy()
	p.Mode = rapid.SampledFrom([]string{decide.ModeAct, decide.ModeAct, decide.ModeObserve}).Draw(t, "mode")
	p.PerBridge = rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(t, "share")
	p.AtOnce = rapid.IntRange(0, 6).Draw(t, "at once")
	p.Maintenance = rapid.IntRange(0, 5).Draw(t, "maintenance") == 0
	return p
}

// frozenIn is everything of an input as text, to see that nobody wrote into it.
func frozenIn(t *rapid.T, in any) string {
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNodeProperties(t *testing.T) {
	texts := catalog(t)
	rapid.Check(t, func(r *rapid.T) {
		in := decide.NodeInput{Status: nodeOf(r, "a"), CanRestart: rapid.Bool().Draw(r, "can restart"),
			HostSilent: rapid.IntRange(0, 5).Draw(r, "host") == 0, Blind: rapid.IntRange(0, 5).Draw(r, "blind") == 0, Policy: policyOf(r), Now: now}
		for _, name := range []string{"b", "c"}[:rapid.IntRange(0, 2).Draw(r, "others")] {
			in.Others = append(in.Others, nodeOf(r, name))
		}
		if c := chainFor(r, "reference"); c != nil {
			in.Reference = append(in.Reference, *c)
		}
		in.Attempts = attemptsOf(r, []fleet.Ref{nodeA, "node/b"}, decide.ActionNodeRestart)

		before := frozenIn(r, in)
		d := decide.Node(in)
		if frozenIn(r, in) != before {
			r.Fatal("the input was changed")
		}
		if again := decide.Node(in); frozenIn(r, d) != frozenIn(r, again) {
			r.Fatalf("two answers to one question:\n%+v\n%+v", d, again)
		}
		sound(r, d)
		said(r, texts, d)
		weighed(r, texts, d)
		if d.Action == "" {
			return
		}
		recent, running := 0, false
		for _, a := range in.Attempts {
			if a.Target != nodeA {
				continue
			}
			running = running || a.Ended.IsZero()
			if now.Sub(a.At) < in.Policy.NodeBudget.Per {
				recent++
			}
		}
		switch {
		case in.HostSilent, in.Blind, !in.CanRestart, in.Policy.Maintenance, running:
			r.Errorf("acts against a guard: %+v", d)
		case recent >= in.Policy.NodeBudget.AtMost:
			r.Errorf("acts with %d restarts behind it: %+v", recent, d)
		case (d.Verdict == fleet.Act) != (in.Policy.Mode == decide.ModeAct):
			r.Errorf("mode %s: %+v", in.Policy.Mode, d)
		case !slices.Contains([]string{"Stalled", "Starved", "Down"}, d.Condition):
			r.Errorf("restarts a node that is %s", d.Condition)
		}
	})
}

// TestNobodyRestartsInAChainHalt: whenever each chain's witnesses stand still within a block of us, nothing is restarted,
// however long it lasts and whatever else is wrong.
func TestNobodyRestartsInAChainHalt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := time.Duration(rapid.Int64Range(300, 400_000).Draw(r, "halted")) * time.Second
		in := healthyNode()
		in.Status.Para, in.Status.Relay = chain(3_000_000, d), chain(15_000_000, d)
		jitter := time.Duration(rapid.IntRange(-20, 20).Draw(r, "jitter")) * time.Second
		b := other("b", chain(3_000_000+rapid.Int64Range(-1, 2).Draw(r, "blocks"), max(time.Second, d+jitter)))
		b.Relay = chain(15_000_000+rapid.Int64Range(-2, 4).Draw(r, "relay blocks"), max(time.Second, d+jitter))
		in.Others = []fleet.NodeStatus{b}
		if rapid.Bool().Draw(r, "dark") {
			bothDark(spanOf(r, "dark for"))(&in)
		}
		if got := decide.Node(in); got.Action != "" {
			r.Errorf("%+v", got)
		}
	})
}

// surroundings are what a bridge is told of the rest of the fleet.
func surroundings(r *rapid.T, in *decide.BridgeInput, refs []fleet.Ref) {
	in.Fleet = &decide.Load{Places: rapid.IntRange(0, 12).Draw(r, "places"), Busy: rapid.IntRange(0, 3).Draw(r, "busy")}
	if rapid.IntRange(0, 7).Draw(r, "brake") == 0 {
		in.Fleet.Held, in.Fleet.Until = new(fleet.Because("guard.brake", "failed", 4, "n", 6, "window", 30*m, "until", now.Add(m))), now.Add(m)
	}
	in.Containers = map[fleet.Ref]bool{}
	for _, ref := range refs[1:] {
		in.Containers[ref] = rapid.Bool().Draw(r, "container")
	}
	if len(refs) > 1 && rapid.IntRange(0, 3).Draw(r, "suspicion") == 0 {
		in.Suspicions = []decide.Suspicion{{Parent: "site/dc1", Kind: "minute", Name: "dc1", Total: 9, Until: now.Add(m),
			Members: []fleet.Ref{rapid.SampledFrom(refs[1:]).Draw(r, "suspected")}}}
	}
}

func TestBridgeProperties(t *testing.T) {
	texts := catalog(t)
	states := []string{"", "S_STARTING", "S_SYNCHING", "S_SYNCHED", "S_PRE_ACTIVE", "S_ACTIVE", "S_MINING", "S_KICKED", "S_ERROR", "S_ODD"}
	messages := []string{"", "null", refused, "Synching block data...", "Error while synching mq egress: x", "Notice: worker unresponsive!",
		"Worker is cooling down, skipping on-chain operations.", `"Error: Trader is down!"`, "{odd}"}
	sessions := []string{"", "Ready", "WorkerIdle", "WorkerUnresponsive", "WorkerCoolingDown", "MiningUnresponsive"}
	nodes := []fleet.NodeCondition{fleet.NodeHealthy, fleet.NodeHealthy, fleet.NodeHealthy, fleet.NodeStalled, fleet.NodeNetworkStalled, fleet.NodeUnknown, fleet.NodeSyncing}
	rapid.Check(t, func(r *rapid.T) {
		in := healthyBridge(rapid.IntRange(0, 12).Draw(r, "workers"))
		in.Policy = policyOf(r)
		in.Policy.Rules = rulesOf(r)
		refs := []fleet.Ref{prbB}
		for i := range in.Status.Workers {
			w := &in.Status.Workers[i]
			refs = append(refs, w.Ref)
			if rapid.IntRange(0, 2).Draw(r, "fine") == 0 {
				continue
			}
			w.Probe = probeOf(r, "worker")
			w.State, w.StateSince = rapid.SampledFrom(states).Draw(r, "state"), ago(spanOf(r, "state since"))
			w.Message, w.MessageSeen = rapid.SampledFrom(messages).Draw(r, "message"), ago(spanOf(r, "message seen"))
			w.Session = rapid.SampledFrom(sessions).Draw(r, "session")
			w.Para, w.Relay, w.ParaHeader = heightOf(r, "para"), heightOf(r, "relay"), heightOf(r, "header")
			w.Enabled, w.Running = rapid.IntRange(0, 5).Draw(r, "enabled") > 0, rapid.IntRange(0, 5).Draw(r, "context") > 0
			w.SyncOnly = rapid.IntRange(0, 5).Draw(r, "sync only") == 0
			w.Stake = fleet.PHA(rapid.Uint64Range(0, 3).Draw(r, "stake"))
		}
		in.Status.Monitor, in.Status.Lifecycle = probeOf(r, "monitor"), probeOf(r, "lifecycle")
		in.Status.DataProviders[0].Probe, in.Status.DataProviders[0].Para = probeOf(r, "dp"), heightOf(r, "dp")
		if rapid.Bool().Draw(r, "dp fine") {
			in.Status.DataProviders[0].Probe, in.Status.DataProviders[0].Para = answered, at(3_000_100, time.Second)
		}
		node := rapid.SampledFrom(nodes).Draw(r, "node")
		in.NodeDecision = &fleet.Decision{Target: nodeA, Condition: string(node), Since: ago(spanOf(r, "node since"))}
		in.Attempts = attemptsOf(r, refs, decide.ActionWorkerRestart)
		in.Treating = map[fleet.Ref]bool{}
		for range rapid.IntRange(0, 2).Draw(r, "treating") {
			in.Treating[rapid.SampledFrom(refs).Draw(r, "treated")] = true
		}
		delete(in.Treating, prbB)
		if rapid.IntRange(0, 5).Draw(r, "parent treated") == 0 {
			in.ParentTreated = new(fleet.Because("guard.treating"))
		}
		surroundings(r, &in, refs)

		before := frozenIn(r, in)
		b, ws := decide.Bridge(in)
		if frozenIn(r, in) != before {
			r.Fatal("the input was changed")
		}
		b2, ws2 := decide.Bridge(in)
		if frozenIn(r, b)+frozenIn(r, ws) != frozenIn(r, b2)+frozenIn(r, ws2) {
			r.Fatal("two answers to one question")
		}
		if len(ws) != len(in.Status.Workers) {
			r.Fatalf("%d decisions about %d workers", len(ws), len(in.Status.Workers))
		}
		for _, d := range append(slices.Clone(ws), b) {
			sound(r, d)
			said(r, texts, d)
			weighed(r, texts, d)
		}
		chosen := acting(ws)
		for _, i := range chosen {
			w, d := in.Status.Workers[i], ws[i]
			switch {
			case !w.Enabled, w.SyncOnly, !w.Running, !w.Fresh(), d.Condition == "CoolingDown", d.Condition == "Disabled", d.Condition == "Unknown":
				r.Errorf("must not be touched: %+v", d)
			case node != fleet.NodeHealthy, b.Condition != string(fleet.BridgeHealthy), in.ParentTreated != nil:
				r.Errorf("acts on a child of a sick parent: %+v", d)
			case in.Treating[w.Ref], in.Policy.Maintenance, in.Fleet.Held != nil:
				r.Errorf("acts against a guard: %+v", d)
			case slices.ContainsFunc(in.Suspicions, func(s decide.Suspicion) bool { return slices.Contains(s.Members, w.Ref) }):
				r.Errorf("acts on a child of a suspect: %+v", d)
			case d.Action == decide.ActionWorkerContainer && !in.Containers[w.Ref]:
				r.Errorf("there is no such container: %+v", d)
			case w.State == "S_SYNCHING" && now.Sub(w.Para.MovedAt) < time.Minute && w.Para.Known:
				r.Errorf("moving counters: hands off: %+v", d)
			}
		}
		enabled := 0
		for i := range in.Status.Workers {
			if in.Status.Workers[i].Enabled {
				enabled++
			}
		}
		limit := max(1, min(in.Policy.AtOnce, int(in.Policy.PerBridge*float64(enabled)+0.999)))
		acts := len(slices.DeleteFunc(chosen, func(i int) bool { return ws[i].Verdict != fleet.Act })) // what is only reported takes no place
		if limit = max(limit, enabled/2); acts > in.Fleet.Places-in.Fleet.Busy && acts > 0 {
			r.Errorf("%d restarts in %d free places of the fleet", acts, in.Fleet.Places-in.Fleet.Busy)
		}
		if acts > 0 && acts+len(in.Treating) > limit { // half of the bridge, when many come back together
			r.Errorf("%d restarts beside %d treatments, at most %d", acts, len(in.Treating), limit)
		}
	})
}
