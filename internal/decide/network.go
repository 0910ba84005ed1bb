package decide

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"phalops/internal/fleet"
)

// Spans and numbers of a network.
const (
	standsAfter     = 15 * time.Minute // no new final block
	standsToldAfter = 30 * time.Minute // … after which a person is told
	nobodyPaidAfter = 3 * time.Hour    // nobody's reward grows where many compute: each block pays somebody
	manyCompute     = 20               // … this many
	unreadAfter     = 6 * time.Hour    // a chain that was read before cannot be read: nobody would tell of low gas
	crowdLeast      = 50               // sessions of others that it takes to say how everybody is
	crowdShare      = 3                // one in so many unresponsive is very many: one in seven is usual
	crowdHold       = 15 * time.Minute // … for so long
)

// NetworkInput is everything that Network may know.
type NetworkInput struct {
	Ref     fleet.Ref               // network/<name>
	View    *fleet.ChainView        // the newest; nil: it was never read
	Bridges []fleet.BridgeStatus    // ours on this network, with their Conditions
	MinGas  map[uint64]fleet.Amount // what each account that pays fees for a pool should have left, by PID; 2 PHA for others
	Leaving map[fleet.Ref]bool      // workers that somebody of ours takes out of their pools
	Last    Memory                  // the newest decisions; nil: nothing is remembered
	Policy  Policy
	Now     time.Time
}

// Network decides about a network and our pools on it by what its chain says, and finds what many of our workers share that are in
// the same trouble there: one pool, one bridge, or everything of ours. It never asks for an action. The network's own decision
// comes first. Of a view that is no fact any more nothing follows.
func Network(in NetworkInput) ([]ChainSuspicion, []fleet.Decision) {
	view := in.Policy.chain(in.View, in.Now)
	if view == nil {
		return nil, in.unread()
	}
	crowd, suspicions := in.suspect(view)
	found := []finding{}
	for _, f := range []finding{in.unpaid(view), crowd} {
		if f.want != wantNothing {
			found = append(found, f)
		}
	}
	for i := range suspicions {
		if s := &suspicions[i]; s.Parent == in.Ref && (s.Kind != differUnheard || crowd.want == wantNothing) {
			found = append(found, s.finding(string(fleet.NetworkSuspect), "network.chain.", view.At))
		}
	}
	if f := in.upgrade(view); f.want != wantNothing {
		found = append(found, f)
	}
	clear := finding{condition: string(fleet.NetworkClear), rule: "network.clear"}
	if in.hidden(view, in.Ref) {
		clear = in.unclear(string(fleet.NetworkUnknown), "network.hidden")
	}
	decisions := []fleet.Decision{in.frame(in.Ref, loudest(found, clear))}
	gas := in.lowGas(view)
	for i := range view.Pools {
		decisions = append(decisions, in.pool(view, &view.Pools[i], suspicions, gas))
	}
	return suspicions, decisions
}

// frame makes the decision that a finding is.
func (in *NetworkInput) frame(target fleet.Ref, f finding) fleet.Decision {
	was := in.lastOf(target)
	return f.frame(target, was.Condition, was.Since, in.Now)
}

func (in *NetworkInput) lastOf(target fleet.Ref) fleet.Decision {
	if in.Last == nil {
		return fleet.Decision{}
	}
	d, _ := in.Last(target)
	return d
}

// lasting is since when a target has been in a condition, as far as the newest decision remembers; at when it was in another.
func (in *NetworkInput) lasting(target fleet.Ref, condition string, at time.Time) time.Time {
	if d := in.lastOf(target); d.Condition == condition && !d.Since.IsZero() {
		return d.Since
	}
	return at
}

// loudest lets the worst finding speak; what else there is stands beside it.
func loudest(found []finding, clear finding) finding {
	if len(found) == 0 {
		return clear
	}
	slices.SortStableFunc(found, func(a, b finding) int { return cmp.Compare(weight(b), weight(a)) })
	f := found[0]
	for _, o := range found[1:] {
		f.witnesses = append(slices.Clip(f.witnesses), o.reason)
	}
	return f
}

func weight(f finding) int {
	if f.want != wantPerson {
		return 0
	}
	return 1 + slices.Index([]fleet.Severity{fleet.Info, fleet.Warning, fleet.Critical}, f.loud)
}

// unread is for a network of which nothing is known now: it was never read, or lately not, or it stands, or what was read tells of
// another time. Its pools are unknown.
func (in *NetworkInput) unread() []fleet.Decision {
	v := in.View
	f := finding{condition: string(fleet.NetworkUnknown), rule: "network.unseen", want: wantTime, reason: fleet.Because("network.unseen")}
	if v == nil || v.At.IsZero() {
		return []fleet.Decision{in.frame(in.Ref, f)}
	}
	switch {
	case in.Policy.chain(at(v, v.At), in.Now) == nil: // not even if its block were of that moment
		f = in.silent(v)
	case !v.Moved.IsZero() && span(v.Moved, v.At) >= standsAfter:
		f = in.stands(v)
	default:
		f.rule, f.reason = "network.other_time", fleet.Because("network.other_time", "height", int64(v.Height), "at", v.Time)
	}
	decisions := []fleet.Decision{in.frame(in.Ref, f)}
	for i := range v.Pools {
		decisions = append(decisions, in.frame(v.Pools[i].Ref, finding{condition: string(fleet.StakePoolUnknown), rule: "stakepool.unknown", want: wantTime,
			suspect: in.Ref, reason: f.reason}))
	}
	return decisions
}

// at is a view whose block was made at that moment.
func at(v *fleet.ChainView, t time.Time) *fleet.ChainView {
	return &fleet.ChainView{Probe: v.Probe, Time: t}
}

// silent is a chain that was read before and is not now. Its nodes tell of themselves; when it lasts, a person must know that nobody
// watches the chain.
func (in *NetworkInput) silent(v *fleet.ChainView) finding {
	f := finding{condition: string(fleet.NetworkUnknown), rule: "network.unread", want: wantTime, since: v.At, loud: fleet.Warning,
		reason: fleet.Because("network.unread", "for", span(v.At, in.Now), "source", v.Source)}
	if !v.Cause.IsZero() {
		f.witnesses = []fleet.Reason{v.Cause}
	}
	if f.until = v.At.Add(unreadAfter); !v.Failed.IsZero() && !f.until.After(in.Now) {
		f.want, f.until = wantPerson, time.Time{}
	}
	return f
}

// stands is a chain that makes no final block any more.
func (in *NetworkInput) stands(v *fleet.ChainView) finding {
	f := finding{condition: string(fleet.NetworkStands), rule: "network.stands", want: wantTime, since: v.Moved, until: v.Moved.Add(standsToldAfter),
		quiet: fleet.Info, loud: fleet.Warning, reason: fleet.Because("network.stands", "height", int64(v.Height), "for", span(v.Moved, v.At), "source", v.Source)}
	if span(v.Moved, v.At) >= standsToldAfter {
		f.want, f.until = wantPerson, time.Time{}
	}
	return f
}

// unpaid is a network that computes and pays nobody: the emission pauses, heartbeats are paused, the gatekeeper stands. Nobody here
// can mend that, and no worker is at fault.
func (in *NetworkInput) unpaid(v *fleet.ChainView) finding {
	moved, computing, patience := v.Totals.RewardMoved, v.Totals.Sessions[sessionIdle], unpaidAfter
	if computing >= manyCompute {
		patience = nobodyPaidAfter
	}
	if moved.IsZero() || computing == 0 || span(moved, v.At) < patience {
		return finding{}
	}
	f := finding{condition: string(fleet.NetworkUnpaid), rule: "network.unpaid", want: wantPerson, since: moved, loud: fleet.Warning,
		reason: fleet.Because("network.unpaid", "n", computing, "for", span(moved, v.At))}
	if !v.Whole {
		f.rule, f.reason = "network.unpaid.ours", fleet.Because("network.unpaid_ours", "n", computing, "for", span(moved, v.At))
	}
	return f
}

// upgrade is a runtime that the chain has been told to take: what cannot read it must be replaced before.
func (in *NetworkInput) upgrade(v *fleet.ChainView) finding {
	u := v.Upgrade
	if u == nil {
		return finding{}
	}
	f := finding{condition: string(fleet.NetworkUpgrade), rule: "network.upgrade.authorized", want: wantPerson, loud: fleet.Info,
		since: in.lasting(in.Ref, string(fleet.NetworkUpgrade), in.Now), reason: fleet.Because("network.upgrade_authorized", "spec", int64(v.Spec), "hash", short(u.Hash))}
	if u.At == "pending" {
		f.rule, f.loud = "network.upgrade.pending", fleet.Warning
		f.reason = fleet.Because("network.upgrade_pending", "spec", int64(v.Spec), "hash", short(u.Hash), "from", relayHeight(u.From))
	}
	return f
}

func relayHeight(n uint64) string {
	if n == 0 {
		return "?"
	}
	return strconv.FormatUint(n, 10)
}
