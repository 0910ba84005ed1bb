package decide

import (
	"math"
	"strconv"
	"time"

	"phalops/internal/fleet"
)

// clearly is how many times the gain must be the price: the numbers are estimates.
const clearly = 2

// circumstance is what a candidate is weighed for.
type circumstance struct {
	rule   string
	since  time.Time    // of the trouble
	now    time.Time    //
	failed int          // times that this action was tried lately without lasting success
	height fleet.Height // executed block of a worker
	asked  bool         // its pRuntime answers: a checkpoint is taken first
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
	if p.loses {
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

// lostMemory is how long a pRuntime takes to get back to where it was. One that answers takes a checkpoint first; for one that
// does not nobody can say how old its newest is, and then it is the whole way from the first block.
func lostMemory(c circumstance) (time.Duration, string) {
	switch {
	case c.asked:
		return time.Minute, "prior.checkpoint_first"
	case c.height.Known && c.height.Value > 0:
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
