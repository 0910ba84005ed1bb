package act

import (
	"math"
	"strconv"
	"time"

	"phalops/internal/fleet"
)

// How a step lives, as Advance drives it (one arrow a call):
//
//	         Check: already so, nothing sent
//	planned ─────────────────────────────────────────────────────────────▶ done
//	 │ ▲  └─ plan restoring, step not restoring, or nothing to restore ──▶ skipped
//	 │ │ a try failed and may be repeated: a growing pause
//	 │ └───────────────────┐  (restoring: for 24 h, then the plan parks)
//	 ▼ intent written      │
//	intent ──── Do ────────┴─▶ effected ── Verify: Proved ───────────────▶ done
//	 │                           ▲   └─ TooLate or deadline ─────────────▶ failed (restoring: planned)
//	 └─ found so after a crash ──┘
//	    blind: never sent again, Verify tells; visible: Check tells, not so → intent again
//
// How a plan lives:
//
//	running ─ all steps ended ──────────────────────▶ done | partly | failed
//	 │ ▲ │
//	 │ │ └ exact plan: a step failed; batch: max_failures; a person aborts; the disk is full half-way
//	 │ │       └──▶ restoring ─ restoring steps ended ──▶ failed | aborted | partly
//	 ▼ │             └─ one failed for 24 h ──▶ parked ── resume ──▶ running
//	paused (a person; steps that restore run on)
//
// An exact plan is one line of steps, each waiting for the one before. A batch is one line per target: a failure ends
// its own line only, and at most ArgAtOnce lines are under way at once. In every line a restoring step runs whatever
// happened before it, unless nothing in the line was ever begun: then there is nothing to restore.

type moveKind int

const (
	moveWait    moveKind = iota // nothing to do before until
	moveBegin                   // a planned step: Check, then intent and Do
	moveResolve                 // a step that was left in its intent
	moveVerify                  // an effected step
	moveSkip                    // steps that will not run any more
	moveTurn                    // the plan begins to restore
	movePark                    // the plan can only wait for a person
	moveEnd                     // nothing is left to do
)

type move struct {
	kind  moveKind
	step  int             // of moveBegin, moveResolve, moveVerify
	steps []int           // of moveSkip; of movePark: those given up
	until time.Time       // of moveWait
	state fleet.PlanState // of moveEnd
	note  fleet.Reason    // of moveTurn, movePark, moveEnd
}

// view is everything that the choice depends on.
type view struct {
	p     *fleet.Plan
	ops   map[string]Op
	looks map[int]look
	now   time.Time
	full  bool
}

// choose says what the plan's next move is at now. It has no effect.
func (v view) choose() move {
	if note, must := v.mustTurn(); must {
		return move{kind: moveTurn, note: note}
	}
	var best, begin move // begin: a line that was not begun yet
	var skips, lost []int
	var until time.Time
	open, underway := false, 0
	phase := v.phase()
	for _, l := range v.lines() {
		w := v.walk(l, phase)
		skips, lost = append(skips, w.skips...), append(lost, w.lost...)
		open = open || w.open
		if w.blocked && l.started {
			underway++
		}
		switch {
		case w.due.kind == moveWait:
		case !l.started && !v.p.Exact:
			if begin.kind == moveWait {
				begin = w.due
			}
		case best.kind == moveWait || v.rank(w.due) < v.rank(best):
			best = w.due
		}
		if !w.until.IsZero() && (until.IsZero() || w.until.Before(until)) {
			until = w.until
		}
	}
	switch {
	case best.kind != moveWait:
		return best
	case begin.kind != moveWait && underway < v.atOnce() && !v.tooSoon().After(v.now):
		return begin
	case len(skips) > 0:
		return move{kind: moveSkip, steps: skips}
	case !open:
		return v.end()
	case until.IsZero() && len(lost) > 0:
		s := v.p.Steps[lost[0]]
		return move{kind: movePark, steps: lost, note: labelled(because(fleet.Because("act.plan_parked", "step", s.Name, "label", s.Label.Code,
			"plan", v.p.ID, "why", s.Result.Code), s.Result), &s)}
	case until.IsZero():
		until = v.now.Add(DefaultPoll)
	}
	if soon := v.tooSoon(); begin.kind != moveWait && underway < v.atOnce() && soon.Before(until) {
		until = soon
	}
	return move{kind: moveWait, until: until}
}

// rank orders moves that are due together: restoring first, then proofs, then new effects.
func (v view) rank(m move) int {
	switch {
	case v.p.Steps[m.step].Restoring:
		return 0
	case m.kind != moveBegin:
		return 1
	default:
		return 2
	}
}

// line is steps that wait for one another.
type line struct {
	steps   []int
	started bool // something of it was tried or is over
	begun   bool // an effect of it may have been sent
	broken  bool // a step of it that does not restore has failed
}

func (v view) lines() []line {
	var lines []line
	at := map[fleet.Ref]int{}
	for i := range v.p.Steps {
		s := &v.p.Steps[i]
		key := s.Target
		if v.p.Exact {
			key = fleet.Fleet
		}
		n, ok := at[key]
		if !ok {
			n = len(lines)
			at[key], lines = n, append(lines, line{})
		}
		l := &lines[n]
		l.steps = append(l.steps, i)
		l.started = l.started || s.State != fleet.StepPlanned && s.State != fleet.StepSkipped || tries(s) > 0
		l.begun = l.begun || s.Attempt > 0 && v.ops[s.Op].Do != nil
		l.broken = l.broken || s.State == fleet.StepFailed
	}
	return lines
}

// walked is what one line wants.
type walked struct {
	due     move      // the first move that may be made now; moveWait: none
	until   time.Time // else when the first one may be; zero: never by itself
	skips   []int     // steps that will not run any more
	lost    []int     // restoring steps that were given up
	open    bool      // a step has not ended
	blocked bool      // a step is under way that the rest of the line waits for
}

func (v view) walk(l line, phase int) walked {
	var w walked
	stop := l.broken || v.p.State == fleet.PlanRestoring
	for _, i := range l.steps {
		s := &v.p.Steps[i]
		if s.State.Ended() {
			continue
		}
		planned := s.State == fleet.StepPlanned
		w.open = true
		switch {
		case planned && stop && (!s.Restoring || !l.begun), stop && !s.Restoring && v.ops[s.Op].Do == nil:
			w.skips = append(w.skips, i) // a step that only waits has sent nothing that must be proved
			continue
		case givenUp(s, v.now):
			w.lost = append(w.lost, i)
			continue
		case planned && s.Phase > phase:
			return w // the others are not that far
		case planned && !s.Restoring && v.held():
			w.wait(v.now.Add(DefaultPoll))
		default:
			w.want(v.due(s), v.now, move{kind: moveOf(s), step: i})
		}
		if !failing(s) && !v.looks[i].settling {
			w.blocked = true
			break
		}
	}
	return w
}

func (w *walked) want(due, now time.Time, m move) {
	if due.After(now) {
		w.wait(due)
	} else if w.due.kind == moveWait {
		w.due = m
	}
}

func (w *walked) wait(t time.Time) {
	if w.until.IsZero() || t.Before(w.until) {
		w.until = t
	}
}

func moveOf(s *fleet.Step) moveKind {
	switch s.State {
	case fleet.StepIntent:
		return moveResolve
	case fleet.StepEffected:
		return moveVerify
	default:
		return moveBegin
	}
}

// due is when the step is worth a move: after the pause that follows a failed try, and when its proof is asked again.
func (v view) due(s *fleet.Step) time.Time {
	due := v.looks[s.Seq].at
	if tried := noteTime(s, noteTried); !tried.IsZero() && s.State != fleet.StepEffected {
		if again := tried.Add(pause(tries(s))); again.After(due) {
			due = again
		}
	}
	return due
}

// held reports that no step but a restoring one may begin.
func (v view) held() bool { return v.full || v.p.State == fleet.PlanPaused }

func (v view) atOnce() int { return max(1, v.number(ArgAtOnce)) }

// phase is the lowest one with a step that has not ended.
func (v view) phase() int {
	lowest := math.MaxInt
	for i := range v.p.Steps {
		if s := &v.p.Steps[i]; !s.State.Ended() {
			lowest = min(lowest, s.Phase)
		}
	}
	return lowest
}

// tooSoon is when the next line of a batch may begin at the earliest, by ArgRate; zero: at once.
func (v view) tooSoon() time.Time {
	rate := v.number(ArgRate)
	if rate < 1 {
		return time.Time{}
	}
	var last time.Time
	seen := map[fleet.Ref]bool{}
	for i := range v.p.Steps {
		s := &v.p.Steps[i]
		if seen[s.Target] {
			continue
		}
		seen[s.Target] = true
		if s.Began.After(last) {
			last = s.Began
		}
	}
	if last.IsZero() {
		return last
	}
	return last.Add(time.Minute / time.Duration(rate))
}

func (v view) number(arg string) int {
	n, _ := strconv.Atoi(v.p.Args[arg])
	return n
}
