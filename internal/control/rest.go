package control

import (
	"slices"
	"sync"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// refusals lets a target rest whose treatment could not even be planned (its host does not answer, somebody holds its
// lock), so that one broken host does not fill the journal: 30 s, doubling to 10 minutes.
type refusals struct {
	mu sync.Mutex
	at map[fleet.Ref]refusal
}

type refusal struct {
	times  int
	until  time.Time
	action string
	why    fleet.Reason
	safety bool // a safety rule said no: time will not change that
}

const (
	// lasting is the number of refusals after which a person is told, when nothing but circumstances forbid a treatment.
	lasting = 3
	// longestRest is the longest pause after a refusal.
	longestRest = 10 * time.Minute
	// forgiven is how long after its rest a refusal is forgotten: whoever was not treated since was well meanwhile.
	forgiven = time.Hour
)

func (r *refusals) add(d fleet.Decision, err error, now time.Time) {
	target := d.Target
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[fleet.Ref]refusal{}
	}
	times := r.at[target].times
	if r.at[target].old(now) {
		times = 0
	}
	r.at[target] = refusal{
		times: times + 1, until: now.Add(min(30*time.Second<<min(times, 10), longestRest)), action: d.Action, why: fleet.ReasonOf(err),
		safety: fleet.KindOf(err) == fleet.Refused,
	}
}

// tell makes decisions to act that were refused before say so.
func (r *refusals) tell(decisions []fleet.Decision) []fleet.Decision {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := decisions
	for i, d := range decisions {
		was, refused := r.at[d.Target]
		if d.Verdict != fleet.Act || !refused || was.action != d.Action || was.old(d.At) {
			continue
		}
		if &told[0] == &decisions[0] {
			told = slices.Clone(decisions)
		}
		d.Candidates = slices.Clone(d.Candidates)
		told[i] = decide.Refused(d, was.why, was.safety || was.times >= lasting, was.until)
	}
	return told
}

func (r *refusals) until(target fleet.Ref, now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.at[target].until
	return at, now.Before(at) && at.Sub(now) <= longestRest // else the clock was set back since
}

// old reports whether a refusal says nothing any more of what is the matter now.
func (r refusal) old(now time.Time) bool { return now.Sub(r.until) > forgiven }

func (r *refusals) clear(target fleet.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.at, target)
}
