package decide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// anyChain is a chain in any state, also in those that only a liar or a broken clock brings about.
func anyChain(t *rapid.T, label string) *fleet.ChainStatus {
	c := chainFor(t, label)
	if c == nil {
		return nil
	}
	heights := []int64{0, 2_999_990, 3_000_000, 3_000_020, 3_000_100, 9_000_000, 1 << 60}
	one := func(of string) fleet.Height {
		return at(rapid.SampledFrom(heights).Draw(t, label+of), spanOf(t, label+of+" frozen"))
	}
	if rapid.IntRange(0, 3).Draw(t, label+" wild") == 0 {
		c.Best, c.Target = one(" best"), one(" target")
	}
	if rapid.Bool().Draw(t, label+" tells of peers") {
		c.PeersBest, c.PeersAsked = one(" peers"), ago(spanOf(t, label+" asked"))
	}
	c.Genesis = rapid.SampledFrom([]string{"", "0xa", "0xa", "0xa", "0xb"}).Draw(t, label+" genesis")
	c.Falls, c.FellAt = rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(t, label+" falls"), ago(spanOf(t, label+" fell"))
	c.FromHost = fleet.HostView{At: ago(spanOf(t, label+" host at")),
		Says: rapid.SampledFrom([]string{"", fleet.HostAnswers, fleet.HostHangs, fleet.HostRefused}).Draw(t, label+" host")}
	return c
}

func anyNode(t *rapid.T, name string) fleet.NodeStatus {
	n := nodeOf(t, name)
	n.Para, n.Relay = anyChain(t, name+" para"), anyChain(t, name+" relay")
	if rapid.Bool().Draw(t, name+" disk") {
		n.Disk = &fleet.DiskStatus{Probe: probeOf(t, name+" disk"), Path: "/opt", Total: 100 * gib,
			Free: rapid.SampledFrom([]uint64{0, gib / 2, 4 * gib, 90 * gib}).Draw(t, name+" free")}
	}
	if rapid.Bool().Draw(t, name+" log") {
		n.Log = &fleet.LogStatus{Probe: probeOf(t, name+" log")}
		for _, s := range []string{fleet.SignNoSpace, fleet.SignCorrupt, fleet.SignCrash, fleet.SignClock} {
			if rapid.IntRange(0, 4).Draw(t, s) == 0 {
				n.Log.Signs = append(n.Log.Signs, fleet.LogSign{Sign: s, Line: s})
			}
		}
	}
	if rapid.IntRange(0, 3).Draw(t, name+" cache") == 0 {
		n.Caches = []fleet.HeadersCacheStatus{{Probe: probeOf(t, name+" cache"), Name: "hc", Header: heightOf(t, name+" cache header")}}
	}
	return n
}

func anyInput(t *rapid.T) decide.NodeInput {
	in := decide.NodeInput{Status: anyNode(t, "a"), CanRestart: rapid.IntRange(0, 3).Draw(t, "can restart") > 0,
		HostSilent: rapid.IntRange(0, 5).Draw(t, "host") == 0, Blind: rapid.IntRange(0, 5).Draw(t, "blind") == 0, Policy: policyOf(t), Now: now}
	for _, name := range []string{"b", "c"}[:rapid.IntRange(0, 2).Draw(t, "others")] {
		in.Others = append(in.Others, anyNode(t, name))
	}
	for range rapid.IntRange(0, 3).Draw(t, "heads") {
		if c := anyChain(t, "head"); c != nil {
			in.Reference = append(in.Reference, *c)
		}
	}
	in.Attempts = attemptsOf(t, []fleet.Ref{nodeA, "node/b"}, decide.ActionNodeRestart)
	if rapid.Bool().Draw(t, "free to act") { // else something forbids nearly every restart
		in.CanRestart, in.HostSilent, in.Blind, in.Policy, in.Attempts = true, false, false, defaults, nil
		if c := in.Status.Para; c != nil && rapid.Bool().Draw(t, "stalled") {
			c.Probe, c.Best, c.Peers, c.Falls, c.Genesis = answered, at(3_000_000, rapid.SampledFrom([]time.Duration{7 * m, 12 * m, h}).Draw(t, "for")), 25, 0, ""
		}
	}
	in.Now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 0, -3600, 3600}).Draw(t, "clock")) * time.Second)
	return in
}

// TestNodeNever holds what no combination of facts may bring about.
func TestNodeNever(t *testing.T) {
	texts := catalog(t)
	acted := 0
	rapid.Check(t, func(r *rapid.T) {
		in := anyInput(r)
		d := decide.Node(in)
		if in.Now.Equal(now) {
			sound(r, d)
		}
		said(r, texts, d)
		if d.Verdict != fleet.Healthy && d.Reason.IsZero() {
			r.Errorf("no reason: %+v", d)
		}
		if d.Action == "" {
			return
		}
		acted++
		n := in.Status
		switch {
		case !in.CanRestart, in.HostSilent, in.Blind, in.Policy.Maintenance:
			r.Errorf("acts against a guard: %+v", d)
		case n.Disk != nil && n.Disk.Fresh() && n.Disk.Free < gib && !n.Disk.At.Before(ago(10*m)):
			r.Errorf("restarts a node on a full disk: %+v", d)
		case n.Log.Line(fleet.SignNoSpace) != "" && n.Log.Fresh() && n.Log.At.After(ago(m)) && n.Disk == nil:
			r.Errorf("restarts a node that says its disk is full: %+v", d)
		case slices.ContainsFunc(d.Witnesses, func(w fleet.Reason) bool { return w.Code == "node.network_stalled" }):
			r.Errorf("restarts a node of a network that stands still: %+v", d)
		}
		for _, c := range []*fleet.ChainStatus{n.Para, n.Relay} {
			if c != nil && c.Best.Known && c.Fresh() && in.Now.Equal(now) && c.Best.Value == 1<<60 && d.Reason.Args["height"] == "1152921504606846976" {
				r.Errorf("restarts because of a height that cannot be: %+v", d)
			}
		}
		if strings.HasPrefix(d.Rule, "node.down") {
			for name, c := range map[string]*fleet.ChainStatus{"node.chain.para": n.Para, "node.chain.relay": n.Relay} {
				if d.Reason.Args["chain"] == name && c.FromHost.Says == fleet.HostAnswers && in.Now.Sub(c.FromHost.At) < m && d.Rule != "node.down.exited" {
					r.Errorf("restarts a node that answers on its host: %+v", d)
				}
			}
		}
	})
	if acted == 0 {
		t.Error("never acted at all: the property says nothing")
	}
}

// TestOneStillWitnessIsEnough: when any witness proves that the chain stands still and none that it lives, nothing is
// restarted, whatever else is true of the node.
func TestOneStillWitnessIsEnough(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := healthyNode()
		span := time.Duration(rapid.Int64Range(330, 200_000).Draw(r, "halted")) * time.Second
		in.Status.Relay = nil
		frozenPara(span)(&in)
		switch rapid.SampledFrom([]string{"second", "head", "peers"}).Draw(r, "witness") {
		case "second":
			second(3_000_000+rapid.Int64Range(-2, 2).Draw(r, "blocks"), span)(&in)
		case "head":
			head(3_000_000+rapid.Int64Range(-2, 2).Draw(r, "blocks"), span)(&in)
		case "peers":
			peersAt(3_000_000+rapid.Int64Range(-2, 2).Draw(r, "blocks"), span)(&in)
			startedAgo(max(6*m, min(span-30*time.Second, time.Duration(rapid.Int64Range(360, 200_000).Draw(r, "started"))*time.Second)))(&in)
			if in.Status.Container.Started.Before(ago(span)) {
				r.Skip("the process is older than the standstill")
			}
		}
		if rapid.Bool().Draw(r, "a liar far ahead") {
			head(9_000_000, 0)(&in)
		}
		in.Attempts = attemptsOf(r, []fleet.Ref{nodeA}, decide.ActionNodeRestart)
		if rapid.Bool().Draw(r, "log") {
			signed(fleet.SignCrash)(&in)
		}
		if d := decide.Node(in); d.Action != "" {
			r.Errorf("%+v", d)
		}
	})
}
