package decide

import (
	"strings"
	"time"
)

// book is how one generation of the bridge tells of its workers, and what that means. It is read, never written.
type book struct {
	gen     string      // begins the name of every rule about its workers
	active  string      // gen with ruleActive: the rule of nearly every worker in every cycle
	errors  []errorRule // read from the top; the first that matches speaks
	unknown errorRule   // … and this one where none does
	steps   []patience  // read from the top
	frozen  string      // code of the sentence for heights that stand still behind a working state
	cooling string      // … for a session that cools down
}

// errorRule says what the text of an error means. An error is terminal in v0 and v2, and mostly in v3: nothing leaves it
// without a restart, so the question is only whether a restart helps, how long the cause is given to pass first, and who
// must act otherwise.
type errorRule struct {
	name    string
	any     []string      // lower-case parts of the text; one is enough
	exact   bool          // the whole text, not a part
	want    want          // wantRestart, wantPerson, or wantTime: it passes by itself, and a person looks after the hold-down
	hold    time.Duration // hold-down before a restart or a person
	tries   int           // restarts that make sense; 0: as many as the budget allows
	parent  bool          // the bridge or what it hangs on is the suspect
	node    bool          // the node or the data source is
	network bool          // speaks of the way to the pRuntime: a restart helps only once that answers
	told    bool          // a person is told at once; the restart after the hold-down only probes
	feeder  bool          // also what two contexts do to one pRuntime
	cause   string        // which parent it points at
	code    string        // of the sentence that explains it
}

// patience is how long a step on the way to work may take before a person should look. None of these is mended by a
// restart: the step would only begin again.
type patience struct {
	any   []string // lower-case parts of the message; one is enough
	name  string
	wait  time.Duration
	cause string // which parent a step that takes too long points at
	code  string // of the sentence that explains it
}

// books by generation. What the configuration calls differently is read as v2.
func bookOf(version string) *book {
	switch version {
	case "v0":
		return &bookV0
	case "v3":
		return &bookV3
	case "solo":
		return &bookSolo
	default:
		return &bookV2
	}
}

// errorFor finds the rule for an error's text.
func (b *book) errorFor(message string) *errorRule {
	text := essence(message)
	for i := range b.errors {
		r := &b.errors[i]
		for _, part := range r.any {
			if text == part || (!r.exact && strings.Contains(text, part)) {
				return r
			}
		}
	}
	return &b.unknown
}

// otherStep is for every text that no step knows.
var otherStep = patience{nil, "other", time.Hour, "", "worker.step.other"}

func (b *book) stepFor(message string) *patience {
	text := essence(message)
	for i := range b.steps {
		for _, part := range b.steps[i].any {
			if strings.Contains(text, part) {
				return &b.steps[i]
			}
		}
	}
	return &otherStep
}

// mostText is how much of a foreign text is read: what it is about stands in front.
const mostText = 2048

// essence is what a rule looks at: lower case, without the quotes around it, and without the stack in which anything may
// stand. v0 writes an exception as a JSON object with its stack at the end, v2 as a quoted text, some with a stack in it.
func essence(message string) string {
	s := message[:min(len(message), mostText)]
	for _, stack := range [...]string{`"stack":`, `\n  at `, `\n    at `, "\n    at "} {
		if at := strings.Index(s, stack); at > 0 {
			s = s[:at]
		}
	}
	return strings.ToLower(strings.Trim(strings.TrimSpace(s), `"`))
}
