package decide

import (
	"strings"
	"time"

	"phalops/internal/fleet"
)

// BridgeInput is everything that Bridge may know.
type BridgeInput struct {
	Status          fleet.BridgeStatus         // with the Conditions and Sinces of last time
	Node            *fleet.NodeStatus          // what it hangs on; nil: none configured
	NodeDecision    *fleet.Decision            // this beat's decision about Node; nil: Node.Condition counts
	DataProvider    fleet.Ref                  // what the configuration calls its data provider; "": the bridge is named instead
	Attempts        []fleet.Attempt            // what was done before, to any target
	Treating        map[fleet.Ref]bool         // workers with a running plan
	Locked          map[fleet.Ref]fleet.Reason // workers that somebody else holds, and who
	ParentTreated   *fleet.Reason              // a running plan holds the bridge or its node; nil: none
	Blind           bool                       // everything turned dark at once: phalops itself is the suspect
	Suspicions      []Suspicion                // what Fleet suspects; only those about this bridge or its workers count
	Chain           *fleet.ChainView           // what the chain of its network says; nil: nobody read it
	ChainSuspicions []ChainSuspicion           // what Network suspects; only those about this bridge or its workers count
	ChainOdd        map[fleet.Ref]bool         // workers against which the chain may have something to say (NetworkInput.Odd); nil: all
	Leaving         map[fleet.Ref]bool         // workers that somebody of ours takes out of their pools
	Containers      map[fleet.Ref]bool         // workers whose own container can be restarted
	CanRestart      bool                       // its own containers are ours to restart
	Site, Fleet     *Load                      // what may be done beyond this bridge; nil: no bound
	Labels          map[string]string          // of the configuration, for the operator's own rules
	Last            Memory                     `json:"-"` // since when such a rule holds; nil: nothing is remembered
	Policy          Policy
	Now             time.Time

	past  map[fleet.Ref][]fleet.Attempt // Attempts by target
	spent *spentBudget                  // of the bridge, once somebody asked
}

type spentBudget struct {
	n     int
	until time.Time
}

// Bridge decides about a bridge and each of its workers, in the order of Status.Workers. Parents come first: as long as
// the monitor, the lifecycle, the data source or the node is at fault, or many workers turned bad together, the workers'
// own actions wait.
func Bridge(in BridgeInput) (bridge fleet.Decision, workers []fleet.Decision) {
	in.past = byTarget(in.Attempts)
	j := &judge{BridgeInput: &in, src: in.findSource()}
	j.witness = chainWitness{view: in.Policy.chain(in.Chain, in.Now), leaving: in.Leaving, last: in.Last}
	parts := j.parts()
	if parts.condition == string(fleet.BridgeBlind) || parts.condition == string(fleet.BridgeNoLifecycle) || parts.condition == string(fleet.BridgeUnknown) {
		return j.treat(parts), j.unseen(parts)
	}
	found := make([]finding, len(in.Status.Workers))
	for i := range in.Status.Workers {
		f, lost := j.identity(&in.Status.Workers[i])
		if !lost {
			f = j.worker(&in.Status.Workers[i])
		}
		if found[i] = f; j.witness.view != nil && !lost {
			j.onChain(&in.Status.Workers[i], &found[i])
		}
	}
	holds := j.askOwn(found, parts)
	group := j.shared(found, j.settled(parts))
	workers = j.decide(found, group, parts)
	noteHolds(workers, holds)
	return j.frame(j.blame(parts, group, found)), workers
}

func (j *judge) frame(f finding) fleet.Decision {
	return f.frame(j.Status.Ref, string(j.Status.Condition), j.Status.Since, j.Now)
}

// parts reads the bridge's own parts: monitor, lifecycle, data source.
func (j *judge) parts() finding {
	b := &j.Status
	switch {
	case b.Monitor.At.IsZero() && b.Monitor.Failed.IsZero():
		return finding{condition: string(fleet.BridgeUnknown), rule: "bridge.unseen", want: wantTime, reason: fleet.Because("bridge.unseen")}
	case !j.Policy.current(b.Monitor, j.Now):
		f := j.gone(b.Monitor, fleet.BridgeBlind, "bridge.blind")
		f.loud = fleet.Warning // a dead monitor is only a blind window
		if j.Blind {
			f.want, f.suspect = wantTime, fleet.Fleet
			f.witnesses = append(f.witnesses, fleet.Because("guard.blind"))
		}
		return j.mend(f, fleet.BridgeBlind)
	case !j.Policy.current(b.Lifecycle, j.Now):
		f := j.gone(b.Lifecycle, fleet.BridgeNoLifecycle, "bridge.no_lifecycle")
		f.witnesses = append(f.witnesses, j.lowStakes()...)
		return j.mend(f, fleet.BridgeNoLifecycle)
	case !j.src.moving && !j.src.nobody:
		return j.sourceFault()
	case !j.src.nobody && j.sourceBehind():
		return finding{condition: string(fleet.BridgeStarved), rule: "bridge.starved.behind", want: wantTime, suspect: j.src.ref, quiet: fleet.Warning,
			reason: fleet.Because("bridge.source_behind", "height", j.src.height)}
	}
	return finding{condition: string(fleet.BridgeHealthy), rule: "bridge.healthy", until: j.src.since.Add(sourceFrozenAfter)}
}

// gone is a part that does not answer.
func (j *judge) gone(p fleet.Probe, c fleet.BridgeCondition, code string) finding {
	since := p.Failed
	if since.IsZero() {
		since = p.At
	}
	f := finding{condition: string(c), rule: code, since: since, want: wantTime, until: since.Add(j.Policy.DownAfter),
		quiet: fleet.Info, loud: fleet.Critical, reason: fleet.Because(code, "for", j.Now.Sub(since), "bridge", j.Status.Ref)}
	if !p.Cause.IsZero() {
		f.witnesses = append(f.witnesses, p.Cause)
	}
	if !f.until.After(j.Now) && !p.Failed.IsZero() && j.ParentTreated == nil {
		f.want, f.until = wantPerson, time.Time{}
	}
	if g := j.nodeGuard(); g != nil && f.want == wantPerson && c == fleet.BridgeNoLifecycle {
		f.want, f.suspect, f.witnesses = wantTime, g.suspect, append(f.witnesses, g.why)
	}
	return f
}

// lowStakes names enabled workers whose stake makes v2's lifecycle process exit at its start, in a loop.
func (j *judge) lowStakes() []fleet.Reason {
	var low []string
	for i := range j.Status.Workers {
		if w := &j.Status.Workers[i]; w.Enabled && (!w.StakeOK || w.Stake.Cmp(fleet.PHA(1)) < 0) {
			low = append(low, w.Name)
		}
	}
	if len(low) == 0 || j.Status.Version != "v2" {
		return nil
	}
	return []fleet.Reason{fleet.Because("bridge.low_stake", "n", len(low), "names", few(low))}
}

// sourceFault is a data source that stands still or is gone: the node's fault while the node is not healthy.
func (j *judge) sourceFault() finding {
	since := j.src.since
	if since.IsZero() {
		since = j.Now
	}
	f := finding{condition: string(fleet.BridgeStarved), rule: "bridge.starved", since: since, want: wantTime, suspect: j.src.ref,
		until: since.Add(sourceToldAfter), quiet: fleet.Info, loud: fleet.Critical,
		reason: fleet.Because("bridge.starved", "for", j.Now.Sub(since), "bridge", j.Status.Ref), witnesses: []fleet.Reason{j.src.reason}}
	g := j.nodeGuard()
	switch {
	case g != nil:
		f.rule, f.suspect, f.reason = "bridge.starved.node", g.suspect, fleet.Because("bridge.starved_node", "for", j.Now.Sub(since), "node", j.Node.Ref)
		f.witnesses = append(f.witnesses, g.why)
	case j.Node != nil && j.src.ref == j.Node.Ref:
		// It reads the node itself, and the node's own watch says in a moment what becomes of it.
		f.rule, f.suspect, f.reason = "bridge.starved.node", j.Node.Ref, fleet.Because("bridge.starved_pause", "for", j.Now.Sub(since), "node", j.Node.Ref)
		f.until = since.Add(j.Policy.StalledAfter)
	case !f.until.After(j.Now) && j.ParentTreated == nil:
		f.want, f.until = wantPerson, time.Time{}
	}
	return f
}

// settled is since when everything that the workers hang on is healthy.
func (j *judge) settled(parts finding) time.Time {
	since := j.Status.Since
	if parts.condition != string(fleet.BridgeHealthy) || j.Status.Condition != fleet.BridgeHealthy {
		since = j.Now
	}
	switch {
	case j.nodeGuard() != nil:
		return j.Now
	case j.NodeDecision != nil:
		return latest(since, j.NodeDecision.Since)
	case j.Node != nil:
		return latest(since, j.Node.Since)
	}
	return since
}

// blame turns healthy parts with many bad children into a finding about the bridge that names them.
func (j *judge) blame(parts finding, group *cluster, found []finding) finding {
	bad := 0
	for i := range found {
		if found[i].bad {
			bad++
		}
	}
	if parts.want != wantNothing {
		if bad > 0 {
			parts.witnesses = append(parts.witnesses, fleet.Because("bridge.children", "n", bad, "names", few(j.badNames(found))))
		}
		return parts
	}
	if s := j.ownSuspicion(); s != nil {
		f := s.finding()
		f.condition, f.rule = parts.condition, "bridge.cause."+s.Kind
		return f
	}
	if n, until := j.exhausted(found); until.After(j.Now) {
		parts.rule, parts.want, parts.until, parts.quiet, parts.loud = "bridge.budget", wantPerson, until, fleet.Warning, fleet.Warning
		parts.since = j.Now
		parts.reason = fleet.Because("guard.bridge_budget", "n", n, "per", j.Policy.BridgeBudget.Per, "until", until)
		return parts
	}
	if group == nil {
		return j.chainBlame(parts)
	}
	parts.rule, parts.want, parts.since, parts.until = "bridge.shared_cause", wantTime, group.since, group.until
	parts.quiet, parts.loud = fleet.Warning, fleet.Warning
	parts.witnesses = []fleet.Reason{j.src.reason}
	args := []any{"n", len(group.members), "total", group.total, "names", few(group.names), "until", group.until}
	parts.reason = fleet.Because("bridge.shared_cause", args...)
	if g := j.nodeGuard(); g != nil {
		parts.suspect = g.suspect
		parts.witnesses = append(parts.witnesses, g.why)
	}
	if s := j.covers(group); s != nil { // what they share is wider than this bridge
		parts.suspect = s.Parent
		parts.witnesses = append(parts.witnesses, s.guard())
		return parts
	}
	if group.segment != "" {
		parts.rule, parts.want = "bridge.segment", wantPerson
		parts.reason = fleet.Because("bridge.segment", append(args, "prefix", group.segment)...)
	}
	return parts
}

// ownSuspicion is what Fleet suspects of this bridge itself.
func (j *judge) ownSuspicion() *Suspicion {
	for i := range j.Suspicions {
		if s := &j.Suspicions[i]; s.Parent == j.Status.Ref {
			return s
		}
	}
	return nil
}

// exhausted tells how many treatments of this bridge's workers did not help, when somebody who wants one waits for that.
func (j *judge) exhausted(found []finding) (n int, until time.Time) {
	for i := range found {
		if found[i].want == wantRestart {
			return j.ownBudget()
		}
	}
	return 0, time.Time{}
}

// covers is the suspicion that explains most of a group.
func (j *judge) covers(group *cluster) *Suspicion {
	suspected, n := j.suspected(), map[*Suspicion]int{}
	for i := range j.Status.Workers {
		if s := suspected[j.Status.Workers[i].Ref]; s != nil && group.members[i] {
			if n[s]++; 2*n[s] > len(group.members) {
				return s
			}
		}
	}
	return nil
}

func (j *judge) badNames(found []finding) []string {
	var out []string
	for i := range found {
		if found[i].bad {
			out = append(out, j.Status.Workers[i].Name)
		}
	}
	return out
}

// unseen is every worker of a bridge whose inventory or states cannot be read: nobody is judged.
func (j *judge) unseen(parts finding) []fleet.Decision {
	out := make([]fleet.Decision, len(j.Status.Workers))
	for i := range j.Status.Workers {
		w := &j.Status.Workers[i]
		f := finding{condition: string(fleet.Unknown), rule: j.book().gen + ".unseen", want: wantTime, since: parts.since, suspect: parts.suspect,
			reason: fleet.Because("worker.unseen", "bridge", j.Status.Ref)}
		if f.suspect == "" {
			f.suspect = j.Status.Ref
		}
		out[i] = f.frame(w.Ref, string(w.Condition), w.Since, j.Now)
	}
	return out
}

// nodeGuard speaks while the node is anything but healthy; its suspect is the node.
func (j *judge) nodeGuard() *guard {
	if j.Node == nil {
		return nil
	}
	condition := string(j.Node.Condition)
	if j.NodeDecision != nil {
		condition = j.NodeDecision.Condition
	}
	if condition == string(fleet.NodeHealthy) {
		return nil
	}
	if condition == "" {
		condition = string(fleet.NodeUnknown)
	}
	return &guard{why: fleet.Because("guard.node", "node", j.Node.Ref, "condition", "node_condition."+condition), suspect: j.Node.Ref}
}

// treated is when the newest treatment of a target ended, whoever asked for it; zero: never.
func (in *BridgeInput) treated(ref fleet.Ref) time.Time {
	if len(in.past) == 0 {
		return time.Time{}
	}
	return past(in.past[ref], ref, "", in.Policy.WorkerBudget.Per, in.Now).ended
}

// touched is when the worker, its bridge or its node was treated last.
func (j *judge) touched(w *fleet.WorkerStatus) time.Time {
	t := latest(j.treated(w.Ref), j.treated(j.Status.Ref))
	if j.Node != nil {
		t = latest(t, j.treated(j.Node.Ref))
	}
	return t
}

// few joins at most five names.
func few(all []string) string {
	if len(all) > 5 {
		return strings.Join(all[:5], ", ") + " …"
	}
	return strings.Join(all, ", ")
}
