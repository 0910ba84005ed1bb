package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

// No alert without a reason, none from old or foreign facts, never an action, the input unchanged, and never more people woken than
// there are parents while all are in the same trouble.
func TestNetworkProperties(t *testing.T) {
	texts := catalog(t)
	rapid.Check(t, func(r *rapid.T) {
		bridges, workers := rapid.IntRange(1, 4).Draw(r, "bridges"), rapid.IntRange(1, 12).Draw(r, "workers")
		in := networkOf(bridges, workers)
		if rapid.Bool().Draw(r, "one pool") {
			onePool(&in)
		}
		states := []string{"Idle", "Unresponsive", "CoolingDown", "Ready", "Unknown"}
		for i := range in.View.Workers {
			c := &in.View.Workers[i]
			is(rapid.SampledFrom(states).Draw(r, "state"), spanOf(r, "since"))(c)
			unpaidFor(spanOf(r, "unpaid"))(c)
			c.Registered = rapid.IntRange(0, 9).Draw(r, "registered") > 0
			if rapid.IntRange(0, 9).Draw(r, "pool") == 0 {
				c.PID = 7
			}
		}
		for i := range in.View.Pools {
			p := &in.View.Pools[i]
			p.OwnerGas = fleet.PHA(uint64(rapid.IntRange(0, 3).Draw(r, "gas")))
			if rapid.Bool().Draw(r, "queue") {
				p.DueAt, p.Queued = read.Add(spanOf(r, "due")-h), fleet.PHA(30)
			}
			p.Workers["Idle"] = rapid.IntRange(0, 5).Draw(r, "computing")
		}
		in.View.Totals.RewardMoved = read.Add(-spanOf(r, "paid"))
		old := rapid.SampledFrom([]string{"", "", "", "age", "clock", "keys", "never"}).Draw(r, "old")
		switch old {
		case "age":
			in.View.At, in.View.Time = ago(h), ago(h)
		case "clock":
			in.View.Time = read.Add(rapid.SampledFrom([]time.Duration{-h, h}).Draw(r, "off"))
		case "keys":
			strangers(&in)
		case "never":
			in.View.Probe = fleet.Probe{}
		}
		was := frozenIn(r, in.View) + frozenIn(r, in.Bridges)
		ds := everybody(in)
		if frozenIn(r, in.View)+frozenIn(r, in.Bridges) != was {
			r.Fatal("the input was changed")
		}
		for _, d := range ds {
			sound(r, d)
			said(r, texts, d)
			if d.Action != "" {
				r.Errorf("asks for an action: %+v", d)
			}
			chain := strings.Contains(d.Rule, ".chain.") || strings.HasPrefix(d.Rule, "stakepool.") && d.Verdict == fleet.Person
			if old != "" && chain && (old != "keys" || d.Target.Kind() == fleet.KindWorker || d.Target.Kind() == fleet.KindBridge) {
				r.Errorf("of facts that are none (%s): %+v", old, d)
			}
		}
	})
}

// However many are in the same trouble at once, one person's attention is asked for.
func TestThousandsWakeNobodyTwice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		bridges, workers := rapid.IntRange(1, 5).Draw(r, "bridges"), rapid.IntRange(5, 60).Draw(r, "workers")
		in := networkOf(bridges, workers)
		if rapid.Bool().Draw(r, "one pool") {
			onePool(&in)
		}
		sick := rapid.SampledFrom([]chainChange{is("Unresponsive", 2*h), is("CoolingDown", 2*h), is("Ready", 2*h), unpaidFor(13 * h)}).Draw(r, "trouble")
		for i := range bridges * workers {
			jitter := time.Duration(rapid.IntRange(0, 50).Draw(r, "jitter")) * m
			chained(in.View, i, sick, func(c *fleet.ChainWorker) {
				c.StateSince, c.RewardMoved = c.StateSince.Add(-jitter), c.RewardMoved.Add(-jitter)
				if !c.CoolingSince.IsZero() {
					c.CoolingSince = c.StateSince
				}
			})
		}
		if got := wakes(everybody(in)); len(got) != 1 {
			r.Errorf("%d workers of %d bridges: %s", bridges*workers, bridges, fmt.Sprint(got))
		}
	})
}
