package decide

import (
	"time"

	"phalops/internal/fleet"
)

// Spans of what a chain says of a worker. They count up to the moment at which the chain was read: what was read says nothing of the
// time since.
const (
	chainOld       = 20 * time.Minute // reading that is so old is no fact any more, unless the policy says longer
	chainBehind    = 20 * time.Minute // a block that was so far from the present when it was read tells of another time
	clockSlack     = time.Minute      // our own clock may be set back by so much
	coolingAfter   = 15 * time.Minute // cooling down, and nobody of ours asked for it
	misplacedAfter = 30 * time.Minute // computing nothing, in another pool, in none, not registered, of another operator
	unpaidAfter    = 12 * time.Hour   // computing, and its reward does not grow
	payingWithin   = time.Hour        // the network pays when somebody's reward grew so lately
	fewestBlocks   = 150              // between two challenges of one worker in a network of 3000 or fewer; N/20 in a larger one
)

// What a chain calls the state of a session.
const (
	sessionIdle         = "Idle"
	sessionUnresponsive = "Unresponsive"
	sessionCoolingDown  = "CoolingDown"
)

// chain is the view when it may be taken as true at now, else nil: it was read lately, since we see, and it tells of the
// present. That a newer reading failed makes it no less true. A node that syncs, a chain that stands and a fork with a clock of its own tell of another time.
func (p Policy) chain(v *fleet.ChainView, now time.Time) *fleet.ChainView {
	limit := p.ChainOld
	if limit <= 0 {
		limit = chainOld
	}
	switch {
	case v == nil, v.At.Before(p.NotBefore), now.Sub(v.At) > limit, v.At.Sub(now) > clockSlack, v.At.Sub(v.Time).Abs() > chainBehind:
		return nil
	}
	return v
}

// chainWitness is what one network's chain says of our workers, and how to weigh it.
//
// Every trouble must have lasted for a quarter of an hour at least, at the bridge as well: many more looks than Network needs to see
// what many share.
type chainWitness struct {
	view    *fleet.ChainView   // nil: nothing may be said
	leaving map[fleet.Ref]bool // workers that somebody of ours takes out of their pools
	last    Memory
}

// trouble is what a chain says against a worker that its bridge is content with.
type trouble struct {
	kind   string
	since  time.Time
	due    time.Time // from then on a person is told; it counts up to the moment of the reading
	reason fleet.Reason
}

// plain reports whether the chain has nothing to say against a worker: nearly every one, at all times.
func (l *chainWitness) plain(w *fleet.WorkerStatus, c *fleet.ChainWorker) bool {
	return c.State == sessionIdle && c.Pool && (c.PID == w.PID || w.PID == 0) && c.Registered && l.view.At.Sub(c.RewardMoved) < unpaidAfter
}

// against is what the chain says against a worker in a condition; rule begins the names of the rules about it. What the bridge tells
// is newer than what was read of the chain where the bridge's state is: then nothing has lasted.
func (l *chainWitness) against(w *fleet.WorkerStatus, condition fleet.Condition, c *fleet.ChainWorker, rule string) (trouble, bool) {
	if l.plain(w, c) || l.leaving[w.Ref] || !comparable(w) {
		return trouble{}, false
	}
	pool := poolOn(l.view, w, c)
	kind := l.worst(w, condition, c, pool)
	t := trouble{kind: kind, since: latest(c.StateSince, w.StateSince)}
	patience := misplacedAfter
	switch kind {
	case "":
		return t, false
	case differUnpaid:
		patience, t.since = unpaidAfter, l.earning(w, c)
	case differUnheard:
		patience = l.challenged()
	case differCooling:
		patience = coolingAfter
		if !c.CoolingSince.IsZero() {
			t.since = latest(c.CoolingSince, w.StateSince)
		}
	case differIdle:
	default:
		t.since = latest(w.StateSince, l.remembered(w.Ref, rule+kind))
	}
	t.due = t.since.Add(patience)
	t.reason = l.explain(t, w, c, pool)
	return t, true
}

// worst is the difference that is worth a person's attention, "" when there is none. A stake is not, nor is the operator of a worker
// that is in its pool already; that the reward of one that computes does not grow is, though no bridge says otherwise.
func (l *chainWitness) worst(w *fleet.WorkerStatus, condition fleet.Condition, c *fleet.ChainWorker, pool *fleet.ChainPool) string {
	if condition == fleet.CoolingDown && c.State == sessionCoolingDown {
		return differCooling // the bridge knows it as well; that nobody asked for it is the news
	}
	worst := ""
	for _, kind := range differences(w, condition, c, pool) {
		switch kind {
		case differStake, differDisabled:
			continue
		case differOperator:
			if c.Pool || condition != fleet.Working && condition != fleet.Starting {
				continue
			}
			return kind // it explains why the worker is in no pool
		}
		if worst == "" {
			worst = kind
		}
	}
	if worst == "" && condition == fleet.Working && c.State == sessionIdle && l.pays() && span(l.earning(w, c), l.view.At) >= unpaidAfter {
		return differUnpaid
	}
	return worst
}

// pays reports whether somebody of the network was paid lately: else nobody's reward grows, and no worker is at fault.
func (l *chainWitness) pays() bool {
	return span(l.view.Totals.RewardMoved, l.view.At) < payingWithin
}

// earning is since when a worker should have earned something: its reward did not grow since, it computes, in the same state at its
// bridge, and the network pays.
func (l *chainWitness) earning(w *fleet.WorkerStatus, c *fleet.ChainWorker) time.Time {
	return latest(c.RewardMoved, c.StateSince, w.StateSince, l.view.Totals.RewardResumed)
}

// challenged is how long a marked session gets: the chain asks each worker again after max(150, N/20) blocks on average, and the
// answer clears the mark. A quarter more, and never less than an hour.
func (l *chainWitness) challenged() time.Duration {
	blocks := max(fewestBlocks, l.view.Totals.Online/20)
	return max(unresponsiveAfter, time.Duration(blocks)*soloBlock*5/4)
}

// remembered is since when a rule has spoken of a target without a break, as far as the newest decision remembers.
func (l *chainWitness) remembered(target fleet.Ref, rule string) time.Time {
	if l.last != nil {
		if d, known := l.last(target); known && d.Rule == rule && !d.Since.IsZero() {
			return d.Since
		}
	}
	return l.view.At
}

func (l *chainWitness) explain(t trouble, w *fleet.WorkerStatus, c *fleet.ChainWorker, pool *fleet.ChainPool) fleet.Reason {
	lasts := span(t.since, l.view.At)
	switch t.kind {
	case differElsewhere:
		return fleet.Because("chain.elsewhere", "pid", int64(w.PID), "other", int64(c.PID), "state", c.State, "for", lasts)
	case differUnregistered:
		return fleet.Because("chain.unregistered", "key", short(c.Key), "word", wordOf(w), "for", lasts)
	case differOperator:
		return fleet.Because("chain.operator", "operator", c.Operator, "owner", pool.Owner, "pid", int64(pool.PID))
	case differUnbound:
		return fleet.Because("chain.unbound", "word", wordOf(w), "height", height(w.Para), "pid", pidOf(w), "for", lasts)
	case differCooling:
		return fleet.Because("chain.cooling", "at", t.since, "word", wordOf(w), "pid", int64(c.PID))
	case differUnheard:
		return fleet.Because("chain.unheard", "word", wordOf(w), "height", height(w.Para), "for", lasts, "patience", l.challenged(), "bridge", w.Ref.Parent())
	case differUnpaid:
		return fleet.Because("chain.unpaid", "word", wordOf(w), "for", lasts, "reward", pha(c.Reward), "p", int64(c.PInstant))
	}
	return fleet.Because("chain.not_computing", "word", wordOf(w), "state", c.State, "height", height(w.Para), "for", lasts)
}

// said is the chain's own word about a worker, beside what somebody else says.
func (l *chainWitness) said(c *fleet.ChainWorker) fleet.Reason {
	return fleet.Because("witness.chain", "height", int64(l.view.Height), "state", c.State, "for", span(c.StateSince, l.view.At), "reward", pha(c.Reward))
}

// onChain holds a finding against what the chain says. The chain speaks where the bridge is content, or has nothing but the chain's
// word itself; beside any other trouble it is a witness.
func (j *judge) onChain(w *fleet.WorkerStatus, f *finding) {
	if f.want == wantNothing && j.ChainOdd != nil && !j.ChainOdd[w.Ref] {
		return // nearly every worker, at all times
	}
	c := j.witness.view.Worker(w.PublicKey)
	if c == nil || f.want == wantNothing && j.witness.plain(w, c) {
		return
	}
	if f.want != wantNothing && !f.relayed {
		if f.bad || f.want > wantPeace {
			f.witnesses = append(f.witnesses, j.witness.said(c))
		}
		return
	}
	gen := j.book().gen + ".chain."
	t, found := j.witness.against(w, fleet.Condition(f.condition), c, gen)
	if !found {
		j.milder(c, f)
		return
	}
	was := f.reason
	*f = finding{condition: f.condition, rule: gen + t.kind, want: wantTime, since: t.since, until: t.due, loud: fleet.Warning, reason: t.reason, own: true,
		witnesses: []fleet.Reason{j.witness.said(c)}}
	if !was.IsZero() && f.condition == string(fleet.Working) {
		f.witnesses = append(f.witnesses, was)
	}
	if f.condition == string(fleet.CoolingDown) {
		f.want = wantPeace // for now: whatever its own rules are, nobody touches it
	}
	switch s := j.chainSuspicion(w.Ref, t.kind); {
	case s != nil:
		f.suspect, f.quiet, f.until = s.Parent, fleet.Info, time.Time{}
		f.witnesses = append(f.witnesses, s.reason())
	case !t.due.After(j.witness.view.At):
		f.want, f.until = wantPerson, time.Time{}
	}
}

// milder softens what a bridge relays of the chain by the chain's own newer word: who computes needs nobody.
func (j *judge) milder(c *fleet.ChainWorker, f *finding) {
	if f.want == wantPerson && c.State == sessionIdle && f.condition == string(fleet.Working) {
		f.want, f.suspect, f.cause = wantTime, "", ""
		f.witnesses = append(f.witnesses, j.witness.said(c))
	}
}

// chainSuspicion is what covers a worker's trouble on the chain; nil: it stands for itself.
func (j *judge) chainSuspicion(w fleet.Ref, kind string) *ChainSuspicion {
	if j.covered == nil {
		j.covered = map[coverKey]*ChainSuspicion{}
		for i := range j.ChainSuspicions {
			s := &j.ChainSuspicions[i]
			for _, m := range s.Members {
				if m.Parent() == j.Status.Ref {
					j.covered[coverKey{m, s.Kind}] = s
				}
			}
		}
	}
	return j.covered[coverKey{w, kind}]
}

// coverKey names one worker's one trouble.
type coverKey struct {
	worker fleet.Ref
	kind   string
}

// chainBlame is for a bridge whose parts are healthy and many of whose workers are in the same trouble on the chain.
func (j *judge) chainBlame(parts finding) finding {
	for i := range j.ChainSuspicions {
		if s := &j.ChainSuspicions[i]; s.Parent == j.Status.Ref && j.witness.view != nil {
			return s.finding(parts.condition, "bridge.chain.", j.witness.view.At)
		}
	}
	return parts
}
