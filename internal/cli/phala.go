package cli

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/phala"
	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
	"phalops/internal/view"
)

// phalaRead is Phala's state of a block.
type phalaRead struct {
	chainRead
	*phala.State
	rewards fleet.Amount                   // of all sessions that were read
	daily   map[phala.Account]fleet.Amount // nil: not asked for
	earned  fleet.Amount                   // all of daily
}

func (a *app) readPhala(ctx context.Context, f chainFlags, want phala.Want, show func(context.Context, phalaRead) error) error {
	return a.readChain(ctx, f, func(ctx context.Context, r chainRead) error {
		s, err := phala.Read(ctx, r.Snapshot, r.Metadata, want)
		if err != nil {
			return err
		}
		if err := show(ctx, phalaRead{chainRead: r, State: s, rewards: s.Totals().Reward}); err != nil {
			return err
		}
		for _, c := range s.Checks {
			if c.Count > 0 {
				fmt.Fprintln(a.Stderr, a.paint(yellow, a.say("cli.chain_odd", "what", c.What, "odd", c.Count, "agreed", c.Agreed, "names", joined(c.Odd))))
			}
		}
		return nil
	})
}

// readDaily reads the same once more as it was a day before, and knows what every session has earned since.
func (r phalaRead) readDaily(ctx context.Context, want phala.Want) (phalaRead, error) {
	hash, err := phala.BlockBefore(ctx, r.client, r.Metadata, r.height, r.Now.Add(-24*time.Hour))
	if err != nil {
		return r, err
	}
	rt, err := new(substrate.Runtimes).At(ctx, r.client, hash)
	if err != nil {
		return r, err
	}
	before, err := phala.Read(ctx, r.client.Snapshot(hash, substrate.SnapshotOptions{}), rt.Metadata, want)
	if err != nil {
		return r, err
	}
	r.daily = phala.Daily(before, r.State)
	r.earned = r.dailyOf(r.Sessions)
	return r, nil
}

// dailyOf is what some sessions have earned in a day.
func (r phalaRead) dailyOf(sessions []*phala.Session) (total fleet.Amount) {
	for _, s := range sessions {
		total = total.Plus(r.daily[s.Account])
	}
	return total
}

func (r phalaRead) view() view.PhalaState {
	return view.PhalaState{ChainState: r.state(), Era: r.Era.String(), Time: stamp(r.Now), RelayHeight: r.Relay}
}

func (r phalaRead) address(acc phala.Account) string {
	if acc == (phala.Account{}) {
		return ""
	}
	return scale.Address(r.Prefix, acc)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// findSession finds a worker's session by its key or by the session's account.
func findSession(s *phala.State, name string) (*phala.Session, error) {
	key, errKey := phala.ParseKey(name)
	acc, errAcc := phala.ParseAccount(name)
	if errKey != nil && errAcc != nil {
		return nil, usage("cli.bad_worker_key", "key", name)
	}
	var old *phala.Session
	for _, x := range s.Sessions {
		switch {
		case x.Worker == nil, x.Worker.Key != key && x.Account != acc:
		case x.Pool != nil:
			return x, nil
		default:
			old = x
		}
	}
	if old == nil {
		return nil, fleet.Fail(fleet.NotFound, fleet.Because("cli.no_session", "key", name))
	}
	return old, nil
}

// worker is a session for programs.
func (r phalaRead) worker(x *phala.Session) view.PhalaWorker {
	out := view.PhalaWorker{
		Account: r.address(x.Account), Bound: x.Bound, State: string(x.State), ChainState: x.ByChain, V: x.V.String(), Ve: x.Ve.String(),
		PInit: x.PInit, PInstant: x.PInstant, Iterations: x.Iterations, Stake: x.Stake.PHA(), Reward: x.Reward.PHA(),
		Added: stamp(x.Added), Challenged: stamp(x.ChallengedAt), VUpdated: stamp(x.VUpdated), Cooling: stamp(x.CoolingSince),
	}
	if x.Pool != nil {
		out.Pool = &x.Pool.ID
	}
	if r.daily != nil {
		earned := r.daily[x.Account].PHA()
		out.Daily = &earned
	}
	if w := x.Worker; w != nil {
		out.Worker, out.Cores, out.CPULevel, out.Confidence, out.Score = w.Key.String(), w.Cores, w.CPULevel, w.Confidence, w.Score
		out.Operator, out.Registered = r.address(w.Operator), stamp(w.Updated)
	}
	return out
}

// short cuts a decimal number to two places for people.
func (a *app) short(s string) string {
	whole, frac, found := strings.Cut(s, ".")
	if a.csv() || !found {
		return s
	}
	return whole + "." + (frac + "00")[:2]
}

// row is something with the cells that people see of it.
type row[T any] struct {
	data  T
	cells []string
}

// sortRows puts rows in the order of a column, numbers by their size, and keeps the first ones.
func sortRows[T any](rows []row[T], head []string, o listFlags) ([]row[T], error) {
	if o.sort != "" {
		col := slices.Index(head, "col."+o.sort)
		if col < 0 {
			var names []string
			for _, h := range head {
				names = append(names, strings.TrimPrefix(h, "col."))
			}
			return nil, usage("cli.no_column", "name", o.sort, "known", joined(names))
		}
		slices.SortStableFunc(rows, func(x, y row[T]) int {
			c := compareCells(x.cells[col], y.cells[col])
			if o.desc {
				return -c
			}
			return c
		})
	}
	if o.limit > 0 && len(rows) > o.limit {
		rows = rows[:o.limit]
	}
	return rows, nil
}

func compareCells(x, y string) int {
	n, ok := new(big.Rat).SetString(x)
	m, also := new(big.Rat).SetString(y)
	switch {
	case ok && also:
		return n.Cmp(m)
	case ok != also: // numbers before words
		if ok {
			return -1
		}
		return 1
	}
	return cmp.Compare(x, y)
}
