package decide

import (
	"math"
	"strconv"
	"time"

	"phalops/internal/fleet"
)

// clearly is how many times the gain must be the price: the numbers are estimates.
const clearly = 2

// Container is what is known of a worker's own container.
type Container struct {
	Gone       bool      // its process is not there: nothing in memory is left to lose
	Checkpoint time.Time // age of its newest checkpoint file; zero: not known
}

// circumstance is what a candidate is weighed for.
type circumstance struct {
	rule   string
	since  time.Time    // of the trouble
	now    time.Time    //
	failed int          // times that this action was tried lately without lasting success
	height fleet.Height // executed block of a worker
	box    *Container   // its container; nil: not known
	held   int          // workers that the trouble of what they hang on holds down; 0: the target is a worker itself
	taken  int          // healthy workers that the action takes along
}

// weigh compares what an action gains with what it costs, in worker-hours.
//
// Left alone, a condition that heals by itself is expected to last as long as it typically does, or as long again as it
// has lasted already, whichever is longer; nothing lasts longer than until a person comes.
func weigh(rung string, c circumstance) fleet.Candidate {
	p := priorFor(c.rule, rung)
	out := fleet.Candidate{Action: rung, Cure: p.cure * math.Pow(0.5, float64(c.failed)), Left: personAfter, With: p.with, Source: []string{p.source}}
	if p.alone > 0 {
		out.Left = min(max(p.alone, c.now.Sub(c.since)), personAfter)
	}
	if c.failed > 0 {
		out.Source = append(out.Source, "prior.halved")
	}
	price := p.cost.Hours()
	if p.loses && (c.box == nil || !c.box.Gone) {
		lost, source := lostMemory(c)
		price += lost.Hours()
		out.Source = append(out.Source, source)
	}
	if c.taken > 0 {
		price += float64(c.taken) * p.cost.Hours()
		out.Source = append(out.Source, "prior.dependants")
	}
	out.Gain = hours(float64(max(1, c.held)) * out.Cure * (out.Left - out.With).Hours())
	out.Price = hours(price)
	return out
}

// lostMemory is how long a pRuntime takes to get back to where it was without what it held in memory: since its newest
// checkpoint where that is known, else from its first block.
func lostMemory(c circumstance) (time.Duration, string) {
	if c.box != nil && !c.box.Checkpoint.IsZero() {
		// Blocks come one in 12 s and are taken at syncRate: a hundredth of the age, and a minute to load.
		age := max(0, c.now.Sub(c.box.Checkpoint))
		return age/(12*syncRate) + time.Minute, "prior.checkpoint_known"
	}
	if c.height.Known && c.height.Value > 0 {
		return min(time.Duration(c.height.Value/syncRate)*time.Second, 7*24*time.Hour), "prior.checkpoint_unknown"
	}
	return firstSync, "prior.checkpoint_unknown"
}

// worth reports whether the gain is clearly above the price.
func worth(c fleet.Candidate) bool { return c.Gain > 0 && c.Gain >= clearly*c.Price }

// hopeless reports whether waiting longer can never make it worth it.
func hopeless(c fleet.Candidate) bool {
	return c.Cure*(personAfter-c.With).Hours() < clearly*c.Price
}

// tooDear is the guard of an action whose gain is not clearly above its price.
func tooDear(c fleet.Candidate) guard {
	return guard{why: fleet.Because("guard.price", "action", "rung."+c.Action, "gain", hourText(c.Gain), "price", hourText(c.Price)), person: hopeless(c)}
}

// hours keeps what a person can read: a hundredth of an hour.
func hours(h float64) float64 { return math.Round(h*100) / 100 }

func hourText(h float64) string { return strconv.FormatFloat(h, 'f', -1, 64) }

// closed marks a rung that is not taken.
func closed(c fleet.Candidate, why fleet.Reason) fleet.Candidate {
	c.Closed = &why
	return c
}
