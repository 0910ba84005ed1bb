package decide

import (
	"strings"
	"time"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// Spans of a worker's life (reference: the state machines of the generations).
const (
	workerFrozenAfter = 5 * time.Minute  // a block height that stands still behind a working state
	syncFrozenAfter   = 10 * time.Minute // … while synching: -1 for a minute or two after a start is normal
	lostCallAfter     = 3 * time.Minute  // … when v3 has lost a call: blocks come in groups, one in less than a minute
	startingAfter     = 10 * time.Minute // starting without any change
	startingAtMost    = 30 * time.Minute // starting, whatever it says meanwhile
	kickedAfter       = 2 * time.Minute  // S_KICKED: the pRuntime needs a moment to come back
	egressAfter       = 3 * time.Minute  // message queue failing again and again
	egressRecent      = time.Minute      // the queue is tried every 6 s: a text older than this is only a leftover
	unresponsiveAfter = time.Hour        // marked unresponsive although the heights grow
	notComputingAfter = 30 * time.Minute // working, it says, while the chain has it computing nothing
	aloneAfter        = 15 * time.Minute // a height that stands still without anybody to compare with
	workerGrace       = 3 * time.Minute  // what a restarted worker gets before anything else is done to it
	catchingUp        = 50               // blocks behind its data source from which a mining worker counts as syncing
)

// ruleActive is what most workers are at all times.
const ruleActive = "active"

// judge looks at the workers of one bridge.
type judge struct {
	*BridgeInput
	src     source
	witness chainWitness
	covered map[coverKey]*ChainSuspicion // whose trouble on the chain is their parent's, once somebody asked
}

// book is what the bridge's generation means by its words.
func (j *judge) book() *book { return bookOf(j.Status.Version) }

// worker says how one worker is, before guards. Its rule is named after the generation.
func (j *judge) worker(w *fleet.WorkerStatus) finding {
	f := j.look(w)
	if b := j.book(); f.rule == ruleActive {
		f.rule = b.active
	} else {
		f.rule = b.gen + "." + f.rule
	}
	return f
}

func (j *judge) look(w *fleet.WorkerStatus) finding {
	switch {
	case j.Status.Version == "solo":
		return j.solo(w)
	case !j.Policy.current(w.Probe, j.Now):
		return finding{condition: string(fleet.Unknown), rule: "silent", want: wantTime, since: latest(w.At, w.Failed),
			reason: fleet.Because("worker.silent", "at", w.At)}
	case !w.Enabled:
		return j.disabled(w)
	case isCooling(w):
		return finding{condition: string(fleet.CoolingDown), rule: "cooling", want: wantPeace, reason: fleet.Because(j.book().cooling), relayed: true}
	case !w.Running:
		return j.noContext(w)
	case j.Status.Version == "v3":
		return j.v3(w)
	default:
		return j.prb(w)
	}
}

// disabled is never revived. v0 and v2 take the record in only when their lifecycle starts: until then the worker may still
// run, and a worker of v0 that was deleted comes back as such a one.
func (j *judge) disabled(w *fleet.WorkerStatus) finding {
	f := finding{condition: string(fleet.Disabled), rule: "disabled", want: wantPeace, reason: fleet.Because("worker.disabled")}
	if w.Running && j.Status.Version != "v3" {
		f.rule, f.reason = "disabled.running", fleet.Because("worker.disabled_running", "bridge", j.Status.Ref)
	}
	return f
}

// isCooling reports whether the chain has the worker cooling down. v3.2 goes on saying Working meanwhile, and v0 waits until
// it is ready; only a bridge that does not tell the session is taken at its word.
func isCooling(w *fleet.WorkerStatus) bool {
	if strings.HasSuffix(w.Session, "CoolingDown") {
		return true
	}
	switch w.State {
	case "S_SYNCHED":
		return strings.Contains(w.Message, "is cooling down")
	case "Working", "Synchronizing", "Preparing":
		return w.Session == "" && strings.HasPrefix(w.Message, "Worker is cooling down")
	}
	return false
}

func isUnresponsive(w *fleet.WorkerStatus) bool { return strings.HasSuffix(w.Session, "Unresponsive") }

// stateSince is since when the worker is in its state, as far as we saw.
func (j *judge) stateSince(w *fleet.WorkerStatus) time.Time {
	switch {
	case !w.StateSince.IsZero():
		return w.StateSince
	case !w.Since.IsZero():
		return w.Since
	}
	return w.At
}

func (j *judge) inState(w *fleet.WorkerStatus) time.Duration { return span(j.stateSince(w), w.At) }

// pool finds a worker's pool; nil when the bridge has none.
func (j *judge) pool(w *fleet.WorkerStatus) *fleet.Pool {
	for i := range j.Status.Pools {
		if j.Status.Pools[i].PID == w.PID {
			return &j.Status.Pools[i]
		}
	}
	return nil
}

// starting is for a context that was made and is not fed yet. quiet is how long it may say nothing new, most how long it
// may take whatever it says.
func (j *judge) starting(w *fleet.WorkerStatus, quiet, most time.Duration) finding {
	since := j.stateSince(w)
	due := latest(since, w.MessageSeen, j.touched(w)).Add(quiet)
	if last := since.Add(most); due.After(last) {
		due = last
	}
	f := finding{condition: string(fleet.Starting), rule: "starting", want: wantTime, since: since, until: due}
	if due.After(j.Now) {
		f.reason = fleet.Because("worker.starting", "for", j.inState(w), "message", clip(w.Message))
		return f
	}
	f.rule, f.want, f.bad, f.network, f.quiet, f.loud = "starting.stuck", wantRestart, true, true, fleet.Info, fleet.Warning
	f.reason = fleet.Because("worker.starting_stuck", "state", w.State, "for", j.inState(w), "message", clip(w.Message))
	return j.ask(w, f)
}

// unknownState is for a word that no version of the bridge is known to say: nothing follows from it.
func (j *judge) unknownState(w *fleet.WorkerStatus) finding {
	return finding{condition: string(fleet.Unknown), rule: "unknown_state", want: wantTime, since: j.stateSince(w),
		reason: fleet.Because("worker.unknown_state", "state", clip(w.State))}
}

// step is for the steps between sync and work, begun at since: they take their time, and a restart only begins them again.
func (j *judge) step(w *fleet.WorkerStatus, condition fleet.Condition, since time.Time) finding {
	r := j.book().stepFor(words(w))
	due := latest(since, j.touched(w)).Add(r.wait)
	f := finding{condition: string(condition), rule: "step." + r.name, want: wantTime, since: since, until: due, loud: fleet.Warning, cause: r.cause,
		reason: fleet.Because(r.code, "state", w.State, "for", span(since, w.At), "message", clip(words(w)))}
	if !due.After(j.Now) {
		f.want, f.bad, f.suspect, f.until = wantPerson, true, j.Status.Ref, time.Time{}
	}
	return f
}

// words are what the bridge says of the worker, also when a notice of being unresponsive stands in their place by now.
func words(w *fleet.WorkerStatus) string {
	if w.Hidden != "" && isNotice(w.Message) {
		return w.Hidden
	}
	return w.Message
}

// failed reads an error by its text.
func (j *judge) failed(w *fleet.WorkerStatus) finding {
	text := words(w)
	r := j.book().errorFor(text)
	since := j.stateSince(w)
	f := finding{
		condition: string(fleet.Failing), rule: "error." + r.name, want: r.want, since: since, until: since.Add(r.hold), tries: r.tries,
		quiet: fleet.Info, loud: fleet.Warning, bad: true, network: r.network, told: r.told, cause: r.cause,
		reason: fleet.Because(r.code, "endpoint", w.Endpoint, "pid", int64(w.PID), "for", j.inState(w), "message", clip(text), "bridge", j.Status.Ref),
	}
	switch {
	case r.node:
		f.suspect = j.upstream()
	case r.parent:
		f.suspect = j.Status.Ref
	}
	if r.feeder {
		if twin := j.twin(w); twin != nil {
			f.rule, f.want, f.cause = "error.twin", wantPerson, ""
			f.reason = fleet.Because("worker.error.twin", "endpoint", w.Endpoint, "other", twin.Name, "bridge", j.Status.Ref, "message", clip(text))
		}
	}
	switch {
	case r.network:
		f = j.ask(w, f)
	case f.want == wantTime && !f.until.After(j.Now):
		f.want = wantPerson
	}
	if f.want == wantPerson {
		f.until = time.Time{}
	}
	return f
}

// upstream is who is to blame for missing or bad blocks: the node where the bridge reads it itself, else its data source.
func (j *judge) upstream() fleet.Ref {
	if g := j.nodeGuard(); g != nil {
		return g.suspect
	}
	return j.src.ref
}

// twin is another context of the same bridge that feeds the same pRuntime: two records with one endpoint, or in v0 one that
// was deleted and came back. Each throws off the other's counters, and a restart of one is the next blow to the other.
func (j *judge) twin(w *fleet.WorkerStatus) *fleet.WorkerStatus {
	own := strings.TrimRight(w.Endpoint, "/")
	if own == "" {
		return nil
	}
	for i := range j.Status.Workers {
		o := &j.Status.Workers[i]
		if o.ID != w.ID && o.Running && strings.TrimRight(o.Endpoint, "/") == own {
			return o
		}
	}
	return nil
}

// span is from one moment to a later one, 0 where the order is odd.
func span(from, to time.Time) time.Duration { return max(0, to.Sub(from)) }

// height is a height for people: "?" where it is unknown.
func height(h fleet.Height) any {
	if !h.Known {
		return "?"
	}
	return h.Value
}

// spoken takes the sentence out of an error that is a JSON object; what is none stays as it is.
func spoken(s string) string {
	_, rest, ok := strings.Cut(s, `"message":"`)
	if !ok || s[0] != '{' {
		return s
	}
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[:i]
		}
	}
	return rest
}

// clip keeps a foreign text short enough for a sentence.
func clip(s string) string {
	const most = 160
	s = strings.Join(strings.Fields(spoken(s[:min(len(s), mostText)])), " ")
	if s == "" {
		return "–"
	}
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
