package act

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// The engine keeps its own book about a step in the step's Note, under keys that begin with "act."; handlers may read
// them and need not carry them on.
const (
	noteErrors  = "act.errors"        // tries that failed before an intent was written (Check, Prepare)
	noteTried   = "act.tried"         // when the newest try failed
	noteFailing = "act.failing_since" // restoring steps: since when every try of a whole round failed
)

const (
	firstPause = 5 * time.Second
	maxPause   = 5 * time.Minute
	// restoreFor is how long a restoring step is tried before the plan is parked for a person.
	restoreFor = 24 * time.Hour
	// tellEvery spaces the events of a restoring step that keeps failing: with maxPause between, about one an hour.
	tellEvery = 12
)

// pause is how long to wait after the nth failed try.
func pause(n int) time.Duration {
	if n < 1 {
		return 0
	}
	if n > 6 {
		return maxPause
	}
	return min(firstPause<<(n-1), maxPause)
}

// tries is how often the step was tried, with or without an intent.
func tries(s *fleet.Step) int {
	n, _ := strconv.Atoi(s.Note[noteErrors])
	return s.Attempt + n
}

// countError counts a try that failed before its intent was written.
func countError(s *fleet.Step) {
	n, _ := strconv.Atoi(s.Note[noteErrors])
	note(s, noteErrors, strconv.Itoa(n+1))
}

func noteTime(s *fleet.Step, key string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s.Note[key])
	return t
}

// failing reports whether a restoring step has used up a whole round of tries: then it no longer holds up the others,
// and is tried again in the background.
func failing(s *fleet.Step) bool {
	return s.Restoring && !s.State.Ended() && s.Note[noteFailing] != ""
}

// givenUp reports whether a restoring step has been failing for so long that a person must look.
func givenUp(s *fleet.Step, now time.Time) bool {
	return failing(s) && s.State == fleet.StepPlanned && now.Sub(noteTime(s, noteFailing)) >= restoreFor
}

// note sets one key of the step's Note without touching the map that others may hold.
func note(s *fleet.Step, key, value string) {
	n := maps.Clone(s.Note)
	if n == nil {
		n = map[string]string{}
	}
	n[key] = value
	s.Note = n
}

// newNote is the Note of a new intent: what Prepare says, and the engine's own book.
func newNote(prepared, old map[string]string) map[string]string {
	n := map[string]string{}
	maps.Copy(n, prepared)
	for k, v := range old {
		if strings.HasPrefix(k, "act.") {
			n[k] = v
		}
	}
	if len(n) == 0 {
		return nil
	}
	return n
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
