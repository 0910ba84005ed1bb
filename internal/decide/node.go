package decide

import (
	"strings"
	"time"

	"phalops/internal/fleet"
)

// NodeInput is everything that Node may know.
type NodeInput struct {
	Status     fleet.NodeStatus    // with the Condition and Since of last time
	Last       fleet.Decision      // of last time; zero: none
	Earlier    *fleet.NodeStatus   // the same node at least 5 minutes ago, to tell a growing lag; nil: not known
	Others     []fleet.NodeStatus  // our other nodes of the same network
	Reference  []fleet.ChainStatus // outside heads of the parachain
	Attempts   []fleet.Attempt     // what was done before, to any target
	CanRestart bool                // a container is configured
	Dependants []fleet.Ref         // what an ordered restart takes along
	Workers    int                 // workers that hang on it
	Working    int                 // … that work now, and stand still for an ordered restart
	HostSilent bool                // the node's host (its container engine) does not answer
	Locked     *fleet.Reason       // who holds the node; nil: nobody
	Blind      bool                // everything turned dark at once: phalops itself is the suspect
	Policy     Policy
	BlockTimes BlockTimes
	Now        time.Time
}

// Node decides about a node: each of its chains is judged, the worst finding speaks, what its host shows may speak louder,
// and the guards have the last word.
func Node(in NodeInput) fleet.Decision {
	h := past(in.Attempts, in.Status.Ref, ActionNodeRestart, in.Policy.NodeBudget.Per, in.Now)
	v := in.around(in.worst(h))
	d := v.frame(in.Status.Ref, string(in.Status.Condition), in.Status.Since, in.Now)
	if v.remark {
		d.Since = in.Now // the condition is older than what is remarked
		if in.Last.Rule == d.Rule && !in.Last.Since.After(in.Now) {
			d.Since = in.Last.Since
		}
	}
	if v.want != wantRestart {
		return d
	}
	if len(in.Dependants) > 0 {
		d.Witnesses = append(d.Witnesses, fleet.Because("node.dependants", "n", len(in.Dependants), "names", names(in.Dependants)))
	}
	restart := weigh(RungRestart, circumstance{rule: v.rule, since: v.since, now: in.Now, failed: len(h.auto), held: in.Workers, taken: in.Working})
	d.Candidates = []fleet.Candidate{restart, {Action: RungAlert}}
	g := in.guards(v, h)
	if dear := tooDear(restart); g == nil && !worth(restart) {
		g = &dear
	}
	if g != nil {
		shut(d.Candidates, g.why)
		return hold(d, v.finding, *g)
	}
	return allow(d, in.Policy, ActionNodeRestart)
}

// guards returns the first that forbids a restart now.
func (in *NodeInput) guards(v chainFinding, h history) *guard {
	return first(
		func() *guard {
			if in.Locked != nil {
				return &guard{why: *in.Locked}
			}
			if h.running {
				return &guard{why: fleet.Because("guard.treating")}
			}
			return nil
		},
		func() *guard {
			if in.Blind {
				return &guard{why: fleet.Because("guard.blind"), suspect: fleet.Fleet}
			}
			if v.silent {
				return &guard{why: fleet.Because("guard.chain_silent")}
			}
			if in.HostSilent {
				return &guard{why: fleet.Because("guard.host_silent"), person: true}
			}
			return nil
		},
		func() *guard {
			if until := h.ended.Add(restartGrace); !h.ended.IsZero() && until.After(in.Now) {
				return &guard{why: fleet.Because("guard.just_restarted", "at", h.ended, "until", until), until: until}
			}
			if v.until.After(in.Now) {
				return &guard{why: fleet.Because("guard.holddown", "until", v.until), until: v.until}
			}
			return nil
		},
		func() *guard {
			if !in.CanRestart {
				return &guard{why: fleet.Because("guard.no_container"), person: true}
			}
			return h.spent(in.Policy.NodeBudget, in.Now)
		},
		func() *guard {
			if in.Policy.Maintenance {
				return &guard{why: fleet.Because("guard.maintenance")}
			}
			return nil
		},
	)
}

func names(refs []fleet.Ref) string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.Name()
	}
	return strings.Join(out, ", ")
}
