package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// TestChainTexts shows every alert of what the chain says as people read it.
func TestChainTexts(t *testing.T) {
	c := catalog(t).In(time.UTC)
	var out strings.Builder
	tell := func(d fleet.Decision) {
		i := fleet.Incident{Target: d.Target, Code: d.Condition}
		fmt.Fprintf(&out, "%s · %s · %s %s\n", d.Rule, d.Target, d.Verdict, d.Severity)
		for _, lang := range []i18n.Lang{i18n.ZH, i18n.EN} {
			fmt.Fprintf(&out, "  %s: %s\n", c.Text(lang, i.ConditionCode(), nil), c.Text(lang, d.Reason.Code, d.Reason.Args))
			for _, w := range d.Witnesses {
				fmt.Fprintf(&out, "     + %s\n", c.Text(lang, w.Code, w.Args))
			}
		}
		out.WriteString("\n")
	}
	blockTime := read.Add(-20 * time.Second)
	for _, given := range [][]func(*decide.NetworkInput){
		{view(func(v *fleet.ChainView) {
			v.At, v.Time, v.Moved, v.Failed, v.Cause = ago(7*h), ago(7*h), ago(7*h), ago(7*h), fleet.Because("wire.timeout", "url", v.Source)
		})},
		{view(func(v *fleet.ChainView) { v.Time, v.Moved = read.Add(-40*m), read.Add(-40*m) })},
		{view(func(v *fleet.ChainView) { v.Time = ago(72 * h) })},
		{view(func(v *fleet.ChainView) { v.Totals.RewardMoved = read.Add(-5 * h) })},
		{view(func(v *fleet.ChainView) { v.Whole, v.Totals.RewardMoved = false, read.Add(-13*h) })},
		{sessions(2000, 1005), before(khala, "Unheard", 15*m), part(0, 5, is("Unresponsive", 20*m))},
		{view(func(v *fleet.ChainView) {
			v.Upgrade = &fleet.RuntimeUpgrade{At: "authorized", Hash: "0x" + strings.Repeat("ab", 32)}
		})},
		{view(func(v *fleet.ChainView) {
			v.Upgrade = &fleet.RuntimeUpgrade{At: "pending", From: 19_000_000, Hash: "0x" + strings.Repeat("ab", 32)}
		})},
		{state(is("Unresponsive", 2*h))},
	} {
		in := networkOf(2, 10)
		for _, f := range given {
			f(&in)
		}
		_, ds := decide.Network(in)
		tell(ds[0])
	}
	for _, given := range [][]func(*decide.NetworkInput){
		{pool(func(p *fleet.ChainPool) { p.OwnerGas = amount("1.234567890123") })},
		{pool(func(p *fleet.ChainPool) {
			p.OwnerGas, p.OwnerSpent, p.OwnerSpentFor = amount("0.4"), amount("0.75"), 12*h
		})},
		{pool(func(p *fleet.ChainPool) { p.OwnerGas = amount("0.000000000001") })},
		{operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(5), Proxy: new(false)}), before(pool83, "NoProxy", h)},
		{queued(blockTime.Add(50*h), 5, 50)},
		{queued(blockTime.Add(-h), 50)},
	} {
		in := networkOf(1, 10)
		for _, f := range given {
			f(&in)
		}
		_, ds := decide.Network(in)
		tell(ds[1])
	}
	in := networkOf(2, 20)
	halves(&in)
	inView(&in, 0, 10, is("CoolingDown", h))
	inView(&in, 20, 30, is("CoolingDown", h))
	_, ds := decide.Network(in)
	tell(ds[1])
	for _, given := range [][]func(*decide.BridgeInput){
		{chainSays(is("Unresponsive", 2*h))},
		{chainSays(is("CoolingDown", h)), bridgeSays(session("WorkerCoolingDown"))},
		{chainSays(unpaidFor(13 * h))},
		{chainSays(is("Ready", h))},
		{chainSays(inPool(91)), saidBefore("v2.chain.elsewhere", h)},
		{chainSays(inNoPool), saidBefore("v2.chain.unbound", h)},
		{chainSays(inNoPool, operatedBy("45other")), saidBefore("v2.chain.operator", h)},
		{chainSays(unregistered), saidBefore("v2.chain.unregistered", h)},
	} {
		in := watchedBridge(20)
		for _, f := range given {
			f(&in)
		}
		_, ds := decide.Bridge(in)
		tell(ds[3])
	}
	out.WriteString("what many share, and differences\n")
	for _, lang := range []i18n.Lang{i18n.ZH, i18n.EN} {
		for _, kind := range []string{"cooling", "unheard", "unpaid", "not_computing", "unbound", "elsewhere", "operator", "unregistered"} {
			r := fleet.Because("chain.shared", "n", 12, "total", 20, "names", "w-001, w-002 …", "what", "chain.what."+kind, "advice", "chain.advice."+kind, "kind", "kind.stakepool", "parent", pool83)
			fmt.Fprintf(&out, "  %s\n", c.Text(lang, r.Code, r.Args))
		}
		w, k := worker(0), computing(0)
		inPool(91)(&k)
		operatedBy("45other")(&k)
		is("Unresponsive", m)(&k)
		k.Stake = fleet.PHA(9)
		all := decide.Differences(&w, &k, &fleet.ChainPool{PID: 83, Owner: "45owner"})
		w.Enabled = false
		all = append(all, decide.Differences(&w, &k, nil)...)
		w.Enabled = true
		inNoPool(&k)
		all = append(all, decide.Differences(&w, &k, nil)...)
		unregistered(&k)
		for _, r := range append(all, decide.Differences(&w, &k, nil)...) {
			fmt.Fprintf(&out, "  %s\n", c.Text(lang, r.Code, r.Args))
		}
	}
	golden(t, "chain_alerts.golden", out.String())
}
