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

// nodeStep watches one node: asks both chains and its host, decides, and hands over an ordered restart where that is due.
func (c *Control) nodeStep(s config.Site, n config.Node) Step {
	return func(ctx context.Context, now time.Time) (time.Time, error) {
		if _, ours := c.board.Lease(s.Name, now); !ours {
			return now.Add(leaseRenew / 3), nil
		}
		status, d, facts := c.judgeNode(ctx, s, n)
		now = c.clock.Now() // asking took time
		errs := []error{
			c.store.SaveNode(ctx, status), c.store.LogFacts(ctx, facts...),
			c.record(ctx, s.Name, map[fleet.Ref]string{d.Target: n.Name}, c.refused.tell([]fleet.Decision{d}), func(was, _ fleet.Decision) bool {
				return decide.NodeCured(was, status, policyOf(c.config()), now)
			}, now),
			c.treat(ctx, s.Name, []fleet.Decision{d}, now),
		}
		return c.nextLook(now, c.config().Poll.Node, d), errors.Join(errs...)
	}
}

// judgeNode observes and decides, and puts both on the board.
func (c *Control) judgeNode(ctx context.Context, s config.Site, n config.Node) (fleet.NodeStatus, fleet.Decision, []fleet.Fact) {
	cfg := c.config()
	ref := fleet.NodeRef(n.Name)
	before := c.board.Node(n.Name)
	status := observe.Node(ctx, c.clock, c.nodeSource(s, n, c.clock.Now()), before)
	facts := observe.Changes(before, status)
	now := c.clock.Now()
	last, _ := c.board.Decision(ref)
	workers, working := c.dependantWorkers(cfg, n.Name)
	d := decide.Node(decide.NodeInput{
		Status: status, Last: last, Earlier: c.board.earlier(n.Name, now), Others: c.otherNodes(s, n), Reference: c.board.headsOf(s.Network),
		Attempts: c.board.attemptsOn(ref), CanRestart: n.Container != "", Dependants: dependants(cfg, n.Name),
		Workers: workers, Working: working,
		HostSilent: hostSilent(n, status), Locked: c.lockedBy(ref),
		Blind: c.board.dark(), Policy: c.policyAt(s, now), BlockTimes: blockTimes(cfg, s.Network), Now: now,
	})
	if condition := fleet.NodeCondition(d.Condition); condition != status.Condition || status.Since.IsZero() {
		status.Condition, status.Since = condition, d.Since
	}
	c.board.setNode(n.Name, status)
	return status, d, facts
}

// hostSilent reports whether a node's host does not answer, or cannot be asked although a container is configured there (its
// key cannot be had). A host that says "no such container" does answer.
func hostSilent(n config.Node, s fleet.NodeStatus) bool {
	if s.Container == nil {
		return n.Container != ""
	}
	return !s.Container.Fresh() && s.Container.Cause.Code != "observe.no_container"
}

// otherNodes are our other nodes of the same network: independent witnesses.
func (c *Control) otherNodes(s config.Site, n config.Node) []fleet.NodeStatus {
	var out []fleet.NodeStatus
	for _, site := range c.config().Sites {
		if site.Network != s.Network {
			continue
		}
		for _, other := range site.Nodes {
			if status := c.board.Node(other.Name); other.Name != n.Name && status.Ref != "" {
				out = append(out, status)
			}
		}
	}
	return out
}

// dependants are what an ordered restart of a node takes along.
func dependants(cfg config.Config, node string) []fleet.Ref {
	var out []fleet.Ref
	for _, s := range cfg.Sites {
		for _, b := range s.Bridges {
			if b.Node == node {
				out = append(out, fleet.BridgeRef(b.Name))
			}
		}
	}
	return out
}

// lockedBy says which plan holds a target; nil when none does.
func (c *Control) lockedBy(ref fleet.Ref) *fleet.Reason {
	p := c.board.holder(ref)
	if p == nil {
		return nil
	}
	r := fleet.Because("control.locked", "plan", p.ID, "kind", "plan_kind."+p.Kind, "author", p.Author, "since", p.Created)
	return &r
}

// referenceStep asks the outside heads of a network.
func (c *Control) referenceStep(network string) Step {
	return func(ctx context.Context, now time.Time) (time.Time, error) {
		n := c.config().Networks[network]
		if len(n.Reference) == 0 {
			return now.Add(time.Hour), nil
		}
		c.askHeads(ctx, network)
		return now.Add(headsEvery), nil
	}
}

// headsEvery is how often outside heads are asked: they are somebody else's.
const headsEvery = 30 * time.Second

func (c *Control) askHeads(ctx context.Context, network string) {
	var sources []observe.ChainSource
	for _, url := range c.config().Networks[network].Reference {
		sources = append(sources, c.clients.Chain(url))
	}
	c.board.setHeads(network, observe.Reference(ctx, c.clock, gap(c.config(), headsEvery), c.board.headsOf(network), sources...))
}

// tooOld is decide's own default for the age of an answer.
const tooOld = 5 * time.Minute

func policyOf(cfg config.Config) decide.Policy {
	p := decide.DefaultPolicy()
	p.StalledAfter, p.DownAfter = cfg.Watchdog.StalledAfter, cfg.Watchdog.DownAfter
	p.NodeBudget, p.WorkerBudget = decide.Budget(cfg.Watchdog.Restart), decide.Budget(cfg.Healing.Worker)
	p.ChainOld = gap(cfg, cfg.Poll.Chain)
	if cfg.Clock != nil {
		p.TooOld = time.Duration(float64(tooOld) * cfg.Clock.Speed) // requests time out on the wall clock
	}
	p.Mode, p.Ladder, p.Watch = cfg.Healing.Mode, cfg.Healing.Ladder, cfg.Healing.Watch
	p.PerBridge, p.AtOnce = cfg.Healing.AtMost.PerBridge, cfg.Healing.AtMost.AtOnce
	return p
}

func blockTimes(cfg config.Config, network string) decide.BlockTimes {
	n := cfg.Networks[network]
	return decide.BlockTimes{Para: n.ParaBlockTime, Relay: n.RelayBlockTime}
}

// nextLook is the next poll, or earlier when time alone changes a decision before that.
func (c *Control) nextLook(now time.Time, poll time.Duration, decisions ...fleet.Decision) time.Time {
	next := now.Add(poll)
	for _, d := range decisions {
		if d.NextLook.After(now) && d.NextLook.Before(next) {
			next = d.NextLook
		}
	}
	return next
}
