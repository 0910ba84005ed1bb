package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/view"
)

// ownOnChain is a worker of ours with what its network's chain says of it.
type ownOnChain struct {
	chosen
	view   *fleet.ChainView   // nil: the chain was never read
	chain  *fleet.ChainWorker // nil: it was not asked about this worker
	differ []fleet.Reason
}

// listWorkersOnChain shows the chosen workers, without a selector all, beside what the chain says of them.
func (a *app) listWorkersOnChain(ctx context.Context, flags *selectorFlags, differs bool) error {
	sel, err := a.selector(flags)
	if err != nil {
		return err
	}
	sel.All = sel.All || sel.Empty()
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		now, err := s.lookAtChains(ctx)
		if err != nil {
			return err
		}
		var found []ownOnChain
		for _, c := range choose(now, sel) {
			x := onChain(now, c)
			if !differs || len(x.differ) > 0 {
				found = append(found, x)
			}
		}
		return s.workersOnChain(now, found)
	})
}

// onChain finds a worker on its network's chain, by its public key.
func onChain(now snapshot, c chosen) ownOnChain {
	x := ownOnChain{chosen: c, view: now.Chain(c.site)}
	if x.view == nil {
		return x
	}
	if x.chain = x.view.Worker(c.worker.PublicKey); x.chain == nil {
		return x
	}
	var pool *fleet.ChainPool
	if x.chain.Pool {
		pool = x.view.Pool(x.chain.PID)
	}
	x.differ = decide.Differences(&c.worker, x.chain, pool)
	return x
}

func (s *session) workersOnChain(now snapshot, found []ownOnChain) error {
	g := grid{
		head: []string{
			"col.worker", "col.bridge", "col.pool", "col.condition", "col.on_chain", "col.stake", "col.v", "col.ve", "col.p_now", "col.reward", "col.daily", "col.differs",
		},
		spare: []string{"col.ve", "col.bridge", "col.p_now", "col.pool", "col.reward", "col.v"},
	}
	out := []view.WorkerOnChain{}
	for _, x := range found {
		w := s.words().Worker(x.site, x.worker, now.Decisions[x.worker.Ref])
		out = append(out, view.WorkerOnChain{Worker: w, Chain: s.words().WorkerChain(x.view, x.chain, x.differ)})
		pid := x.worker.PID
		if x.chain != nil && x.chain.Pool && pid == 0 {
			pid = x.chain.PID // a feeder knows no pool
		}
		cells := []string{x.worker.Name, x.worker.Ref.Parent().Name(), fmt.Sprint(pid), s.condition(x.worker.Condition)}
		g.add(append(append(cells, s.chainCells(x.chain)...), s.differences(x.differ))...)
	}
	if err := s.print(out, g); err != nil {
		return err
	}
	s.foot(now)
	s.chainFeet(now, networksOf(found))
	return nil
}

// chainCells are what the chain says of a worker: state, stake, V, Ve, P, reward, reward of a day.
func (a *app) chainCells(c *fleet.ChainWorker) []string {
	if c == nil {
		return slices.Repeat([]string{a.none()}, 7)
	}
	if c.V == "" { // no session
		return append([]string{a.sessionState(c.State)}, slices.Repeat([]string{a.none()}, 6)...)
	}
	return []string{
		a.sessionState(c.State), a.short(c.Stake.PHA()), a.short(c.V), a.short(c.Ve), strconv.FormatUint(uint64(c.PInstant), 10), a.short(c.Reward.PHA()),
		a.daily(c.Daily, c.DailyFor),
	}
}

// daily is what was earned in a day, "–" while nobody knows.
func (a *app) daily(amount fleet.Amount, measured time.Duration) string {
	if measured <= 0 {
		return a.none()
	}
	return a.short(amount.PHA())
}

// differences are in what the chain differs from the bridge: sentences for people, codes for programs.
func (a *app) differences(all []fleet.Reason) string {
	var out []string
	for _, r := range all {
		if a.csv() {
			out = append(out, r.Code)
		} else {
			out = append(out, a.text(r))
		}
	}
	if a.csv() {
		return strings.Join(out, " ")
	}
	return a.paint(yellow, strings.Join(out, a.say("cli.and_so")))
}

func networksOf(found []ownOnChain) (out []fleet.Ref) {
	for _, x := range found {
		if x.view != nil && !slices.Contains(out, x.view.Ref) {
			out = append(out, x.view.Ref)
		}
	}
	return out
}
