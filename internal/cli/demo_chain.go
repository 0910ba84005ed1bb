package cli

import (
	"fmt"
	"strconv"

	"phalops/internal/fleet"
	"phalops/internal/phala"
)

// chainSummary is what the chains said last: a line for each network, and our pools on it.
func (a *app) chainSummary(views []fleet.ChainView) {
	for _, v := range views {
		if v.At.IsZero() {
			continue
		}
		t := v.Totals
		fmt.Fprintln(a.Stdout, "\n"+a.paint(bold, a.say("cli.demo_chain", "network", v.Ref, "height", v.Height)))
		fmt.Fprintln(a.Stdout, a.say("cli.demo_totals", "sessions", a.sessions(t.Sessions), "pools", t.Pools, "value", a.short(t.Value.PHA()), "stake", a.short(t.Stake.PHA()),
			"reward", a.short(t.Reward.PHA()), "daily", a.daily(t.Daily, t.DailyFor)))
		a.printTable(a.poolSummary(v))
	}
}

// poolSummary has what an owner looks at first.
func (a *app) poolSummary(v fleet.ChainView) grid {
	g := grid{
		head:  []string{"col.pool", "col.workers", "col.idle", "col.unresponsive", "col.gas", "col.commission", "col.value_total", "col.free", "col.daily", "col.queued", "col.force_stop"},
		spare: []string{"col.commission", "col.value_total", "col.daily"},
	}
	for i := range v.Pools {
		p := &v.Pools[i]
		x := a.words().StakePool(v.Ref.Name(), p.PID, p, nil, fleet.Decision{})
		workers := 0
		for _, n := range p.Workers {
			workers += n
		}
		g.add(strconv.FormatUint(p.PID, 10), strconv.Itoa(workers), strconv.Itoa(p.Workers[string(phala.Idle)]), strconv.Itoa(p.Workers[string(phala.Unresponsive)]),
			a.short(x.OwnerGas), a.short(x.Commission), a.short(x.Value), a.short(x.Free), a.daily(p.Daily, p.DailyFor), a.short(x.Queued), a.when(p.DueAt))
	}
	return g
}
