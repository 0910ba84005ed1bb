package control

import (
	"context"
	"errors"
	"time"

	"phalops/internal/config"
	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/observe"
)

// bridgeStep watches one bridge and its workers.
func (c *Control) bridgeStep(s config.Site, b config.Bridge) Step {
	return func(ctx context.Context, now time.Time) (time.Time, error) {
		if _, ours := c.board.Lease(s.Name, now); !ours {
			return now.Add(leaseRenew / 3), nil
		}
		status, decisions, facts := c.judgeBridge(ctx, s, b)
		now = c.clock.Now() // asking took time
		titles := make(map[fleet.Ref]string, len(decisions))
		titles[status.Ref] = b.Name
		for _, w := range status.Workers {
			titles[w.Ref] = w.Name
		}
		errs := []error{
			c.remember(ctx, status, facts, decisions, now), c.store.LogFacts(ctx, facts...),
			c.record(ctx, s.Name, titles, c.refused.tell(decisions), c.curedWorkers(status, now), now),
			c.treat(ctx, s.Name, decisions, now), c.tellUnanswered(ctx, decisions, now),
		}
		return c.nextLook(now, c.config().Poll.Bridge, decisions...), errors.Join(errs...)
	}
}

// judgeBridge observes and decides, and puts both on the board. The bridge's own decision comes first.
func (c *Control) judgeBridge(ctx context.Context, s config.Site, b config.Bridge) (fleet.BridgeStatus, []fleet.Decision, []fleet.Fact) {
	cfg := c.config()
	ref := fleet.BridgeRef(b.Name)
	before := c.board.Bridge(b.Name)
	reading := c.read(ctx, b, before, c.clock.Now())
	now := c.clock.Now() // asking took time
	before.Ref, before.Site, before.Version = ref, s.Name, b.Version
	status := observe.Bridge(before, reading, now)
	facts := observe.Changes(before, status)

	in := decide.BridgeInput{
		Status: status, Attempts: c.board.attemptsUnder(ref, fleet.NodeRef(b.Node)), Treating: c.board.treating(ref), Locked: c.lockedWorkers(status),
		ParentTreated: c.lockedBy(ref), Blind: c.board.dark(), Policy: c.policyAt(s, now), Now: now,
		Labels: b.Labels, Last: c.board.Decision, CanRestart: b.Project != "" && b.Version != config.VersionSolo,
	}
	if len(b.DataProviders) > 0 {
		in.DataProvider = fleet.DataProviderRef(b.DataProviders[0])
	}
	if n := c.board.Node(b.Node); n.Ref != "" {
		in.Node = &n
		if d, ok := c.board.Decision(n.Ref); ok {
			in.NodeDecision = &d
		}
	}
	in.Policy.Rules = c.rules.of(cfg.Healing.Rules)
	in.Suspicions, in.Containers = c.board.suspicionsOf(ref), c.containers(before, now)
	if view, judged := c.board.heardChain(s.Network, ref); view != nil {
		in.Chain, in.ChainSuspicions, in.ChainOdd, in.Leaving = view, judged.suspicions, judged.odd, c.board.leaving()
	}
	own, workers := c.place(in)
	status.Condition, status.Since = fleet.BridgeCondition(own.Condition), own.Since
	for i, d := range workers {
		status.Workers[i].Condition, status.Workers[i].Since = fleet.Condition(d.Condition), d.Since
	}
	c.board.setBridge(b.Name, status)
	return status, append([]fleet.Decision{own}, workers...), facts
}

// place decides about a bridge with what is under way everywhere else in view. Bridges come one after the other here, so
// that two of them do not give away the same place.
func (c *Control) place(in decide.BridgeInput) (fleet.Decision, []fleet.Decision) {
	c.placing.Lock()
	defer c.placing.Unlock()
	all, sites := c.loads(in.Now)
	site := sites[in.Status.Site]
	in.Fleet, in.Site = &all, &site
	own, workers := decide.Bridge(in)
	c.board.promise(workers, in.Now)
	return own, workers
}

// lockedWorkers are the workers that somebody else's plan holds; those under our own treatment are in Treating.
func (c *Control) lockedWorkers(b fleet.BridgeStatus) map[fleet.Ref]fleet.Reason {
	out := map[fleet.Ref]fleet.Reason{}
	for _, w := range b.Workers {
		if r := c.lockedBy(w.Ref); r != nil {
			out[w.Ref] = *r
		}
	}
	return out
}

// curedWorkers tells which of a bridge's targets proved that they work again; the bridge itself is cured when nothing is
// wrong with it any more.
func (c *Control) curedWorkers(b fleet.BridgeStatus, now time.Time) func(fleet.Decision, fleet.Decision) bool {
	policy := policyOf(c.config())
	return func(was, is fleet.Decision) bool {
		w := b.Worker(is.Target)
		if w == nil {
			return is.Verdict == fleet.Healthy
		}
		return decide.WorkerCured(was, *w, policy, now)
	}
}

// record writes down what changed in the decisions, keeps the incidents, and has the channels look. cured is asked about
// targets with an open incident, with the decision under which it was opened or changed last.
func (c *Control) record(ctx context.Context, site string, titles map[fleet.Ref]string, decisions []fleet.Decision,
	cured func(was, is fleet.Decision) bool, now time.Time,
) error {
	var changed []fleet.Decision
	var errs []error
	for _, d := range decisions {
		last, known := c.board.Decision(d.Target)
		if !known || !last.Same(d) || now.Sub(last.At) >= ageOf(d) {
			changed = append(changed, d)
			c.board.setDecision(d)
		}
		n := news{site: site, title: titles[d.Target], decision: d, held: c.board.holder(d.Target) != nil}
		if was, open := c.desk.decisionOf(d.Target); open && !bad(d) {
			n.cured = cured(was, d)
		}
		errs = append(errs, c.desk.judge(ctx, n, now))
	}
	if len(changed) > 0 {
		errs = append(errs, c.store.SaveDecisions(ctx, changed...))
		c.tell(now)
	}
	return errors.Join(errs...)
}

// ageOf is how old the stored copy of an unchanged decision may get. One that says that something is wrong is read by
// people, whose clock goes on: its numbers are kept close to the present.
func ageOf(d fleet.Decision) time.Duration {
	if bad(d) {
		return time.Minute
	}
	return 5 * time.Minute
}

// Survey looks at everything once, for a command that finds no daemon: nothing is written, nothing is treated.
func (c *Control) Survey(ctx context.Context) {
	cfg := c.config()
	for name, n := range cfg.Networks {
		if len(n.Reference) > 0 {
			c.askHeads(ctx, name)
		}
	}
	for _, s := range cfg.Sites {
		for _, n := range s.Nodes {
			_, d, _ := c.judgeNode(ctx, s, n)
			c.board.setDecision(d)
		}
	}
	for _, s := range cfg.Sites {
		for _, b := range s.Bridges {
			_, decisions, _ := c.judgeBridge(ctx, s, b)
			for _, d := range decisions {
				c.board.setDecision(d)
			}
		}
	}
}
