package decide

import (
	"slices"
	"time"
)

const (
	blindLeast  = 3               // silent voices that it takes
	blindWindow = 2 * time.Minute // … that fell silent within this
)

// Voice is somebody who is asked regularly: a node, a bridge's monitor, a reference head.
type Voice struct {
	Missed  int       // questions in a row without an answer
	Failed  time.Time // the first of them
	Outside bool      // a reference head: nothing of ours, far away from our sites
}

// Blind reports whether phalops should doubt itself, and since when: everything of ours is silent, or most things fell
// silent at the same moment and the reference heads with them. What has been silent for longer says nothing of now.
func Blind(voices []Voice) (bool, time.Time) {
	var silent []time.Time
	ours, answering, heads, headsAnswering := 0, 0, 0, 0
	for _, v := range voices {
		said := 0
		if v.Missed == 0 {
			said = 1
		} else {
			silent = append(silent, v.Failed)
		}
		if v.Outside {
			heads, headsAnswering = heads+1, headsAnswering+said
		} else {
			ours, answering = ours+1, answering+said
		}
	}
	slices.SortFunc(silent, time.Time.Compare)
	if ours >= blindLeast && answering == 0 {
		return true, silent[0]
	}
	n, since := crowd(silent)
	most := 5*n >= 4*(n+answering) // nobody outside was asked: the network between us and them is as likely
	if heads > 0 {
		most = 3*n >= 2*(n+answering)
	}
	if n < blindLeast || headsAnswering > 0 || !most {
		return false, time.Time{}
	}
	return true, since
}

// crowd is the largest number of moments, in order, within blindWindow, and the first of them.
func crowd(ts []time.Time) (n int, first time.Time) {
	from := 0
	for to := range ts {
		for ts[to].Sub(ts[from]) > blindWindow {
			from++
		}
		if to+1-from > n {
			n, first = to+1-from, ts[from]
		}
	}
	return n, first
}
