package decide

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Spans and numbers of a stake pool.
const (
	dueSoon      = 72 * time.Hour   // a forced stop that is so near is told: what covers a queue in time is stopped or staked before
	dueNow       = 24 * time.Hour   // … and woken for
	proxyGrace   = 10 * time.Minute // somebody may be setting the proxy right now
	spendingFrom = 6 * time.Hour    // least time over which spending means something
	gasFor       = 24 * time.Hour   // what is left should last so long
	gasDust      = 100_000_000_000  // 0.1 PHA: some fees above the 0.01 PHA that an account must keep
	gasDefault   = 2                // PHA that an account should have left; Phala's wiki says so
)

// pool decides about one of our pools: whether its workers are about to be stopped, whether who signs for it may and can, and what
// its workers share.
func (in *NetworkInput) pool(v *fleet.ChainView, p *fleet.ChainPool, suspicions []ChainSuspicion, gas map[string]lowGas) fleet.Decision {
	var found []finding
	if computes(p) > 0 { // a vault has no workers, and nothing has to be signed for none
		found = append(found, forced(v, p), in.noProxy(p))
	}
	for i := range suspicions {
		if suspicions[i].Parent == p.Ref {
			found = append(found, suspicions[i].finding(string(fleet.StakePoolSuspect), "stakepool.chain.", v.At))
		}
	}
	found = append(found, gasOf(p, gas))
	found = slices.DeleteFunc(found, func(f finding) bool { return f.want == wantNothing })
	clear := finding{condition: string(fleet.StakePoolClear), rule: "stakepool.clear"}
	if in.hidden(v, p.Ref) {
		clear = in.unclear(string(fleet.StakePoolUnknown), "stakepool.hidden")
	}
	return in.frame(p.Ref, loudest(found, clear))
}

// computes is how many workers of a pool have a session that computes, or should.
func computes(p *fleet.ChainPool) int { return p.Workers[sessionIdle] + p.Workers[sessionUnresponsive] }

// forced is a pool whose oldest uncovered withdrawal is about to have all of its workers stopped: for a week nobody earns, and the
// stake of all comes free. What is free or releasing by then is paid out first.
func forced(v *fleet.ChainView, p *fleet.ChainPool) finding {
	left := p.DueAt.Sub(v.Time)
	if p.DueAt.IsZero() || left > dueSoon {
		return finding{}
	}
	f := finding{condition: string(fleet.StakePoolForceStop), rule: "stakepool.due", want: wantPerson, loud: fleet.Warning,
		reason: fleet.Because("stakepool.due", "at", p.DueAt, "left", left, "missing", pha(missing(p)), "queued", pha(p.Queued), "n", computes(p), "pid", int64(p.PID))}
	if left <= dueNow {
		f.loud = fleet.Critical
	}
	if p.Due || left <= 0 {
		f.rule = "stakepool.overdue"
		f.reason = fleet.Because("stakepool.overdue", "at", p.DueAt, "missing", pha(missing(p)), "queued", pha(p.Queued), "n", computes(p), "pid", int64(p.PID))
	}
	return f
}

// missing is what a pool lacks to pay its queue up to the withdrawal that is due: what is free and what is releasing goes to the
// older ones first.
func missing(p *fleet.ChainPool) fleet.Amount {
	covered := p.Free.Plus(p.Releasing)
	for _, q := range p.Queue {
		if q.Amount.Cmp(covered) > 0 {
			return q.Amount.Minus(covered)
		}
		covered = covered.Minus(q.Amount)
	}
	return p.Queued.Minus(p.Free.Plus(p.Releasing)) // a queue that is longer than what is listed
}

// noProxy is a pool for which somebody signs whom the chain does not let sign.
func (in *NetworkInput) noProxy(p *fleet.ChainPool) finding {
	for _, o := range p.Operators {
		if o.Proxy == nil || *o.Proxy {
			continue
		}
		since := in.lasting(p.Ref, string(fleet.StakePoolNoProxy), in.Now)
		f := finding{condition: string(fleet.StakePoolNoProxy), rule: "stakepool.no_proxy", want: wantTime, since: since, until: since.Add(proxyGrace),
			quiet: fleet.Info, loud: fleet.Critical, reason: fleet.Because("stakepool.no_proxy", "operator", o.Address, "owner", p.Owner, "pid", int64(p.PID))}
		if !f.until.After(in.Now) {
			f.want, f.until = wantPerson, time.Time{}
		}
		return f
	}
	return finding{}
}

// lowGas is an account that pays fees and has little left, and the pools that it pays for. The first of them tells of it.
type lowGas struct {
	account fleet.GasAccount
	least   fleet.Amount
	pools   []*fleet.ChainPool
}

// lowGas finds the accounts that have little left.
func (in *NetworkInput) lowGas(v *fleet.ChainView) map[string]lowGas {
	var out map[string]lowGas
	for i := range v.Pools {
		p := &v.Pools[i]
		if computes(p)+p.Workers[sessionCoolingDown]+p.Workers["Ready"] == 0 {
			continue // nothing is to be signed for it
		}
		least, told := in.MinGas[p.PID]
		if !told {
			least = fleet.PHA(gasDefault)
		}
		for _, a := range signers(p) {
			if a.Free.Cmp(least) >= 0 && a.Free.Cmp(lasts(a)) >= 0 {
				continue
			}
			if out == nil {
				out = map[string]lowGas{}
			}
			g := out[a.Address]
			g.account, g.pools = a, append(g.pools, p)
			if least.Cmp(g.least) > 0 {
				g.least = least
			}
			out[a.Address] = g
		}
	}
	return out
}

// signers are the accounts that pay a pool's fees: its operators, or without any its owner.
func signers(p *fleet.ChainPool) []fleet.GasAccount {
	if len(p.Operators) > 0 {
		return p.Operators
	}
	return []fleet.GasAccount{{Address: p.Owner, Free: p.OwnerGas, Spent: p.OwnerSpent, SpentFor: p.OwnerSpentFor}}
}

// lasts is what an account needs for a day: what it spent in one, as far as that is known, and never less than dust.
func lasts(a fleet.GasAccount) fleet.Amount {
	dust := fleet.NewAmount(gasDust)
	if a.SpentFor < spendingFrom || a.Spent.Cmp(dust) < 0 {
		return dust
	}
	return a.Spent
}

// gasOf is the account of a pool that has least left, when it is little. One that pays for several pools is told of once.
func gasOf(p *fleet.ChainPool, low map[string]lowGas) finding {
	worst := lowGas{}
	for _, a := range signers(p) {
		if g, ok := low[a.Address]; ok && slices.Contains(g.pools, p) && (worst.pools == nil || g.account.Free.Cmp(worst.account.Free) < 0) {
			worst = g
		}
	}
	if worst.pools == nil {
		return finding{}
	}
	a := worst.account
	args := []any{"account", a.Address, "gas", pha(a.Free), "least", pha(worst.least), "pids", pids(worst.pools)}
	f := finding{condition: string(fleet.StakePoolLowGas), rule: "stakepool.gas", want: wantPerson, loud: fleet.Warning, reason: fleet.Because("stakepool.gas", args...)}
	if a.Free.Cmp(lasts(a)) < 0 {
		f.rule, f.loud, f.reason = "stakepool.gas.empty", fleet.Critical, fleet.Because("stakepool.gas_dust", args...)
		if lasts(a) == a.Spent {
			f.reason = fleet.Because("stakepool.gas_empty", append(args, "day", pha(a.Spent))...)
		}
	}
	if first := worst.pools[0]; first != p {
		f.want, f.quiet, f.suspect = wantTime, fleet.Info, first.Ref
	}
	return f
}

func pids(pools []*fleet.ChainPool) string {
	all := make([]string, len(pools))
	for i, p := range pools {
		all[i] = strconv.FormatUint(p.PID, 10)
	}
	return few(all)
}

// pha is an amount for a sentence: accounts need Amount.PHA.
func pha(a fleet.Amount) string {
	switch x := a.InPHA(); {
	case x >= 1000:
		return fmt.Sprintf("%.0f", x)
	case x >= 0.01:
		return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", x), "0"), ".")
	}
	return a.PHA()
}
