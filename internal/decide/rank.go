package decide

import (
	"slices"
	"strconv"
	"strings"

	"phalops/internal/fleet"
)

// How dear an hour of outage is by what the chain thinks of the worker (chain-data.md: a session is challenged up to twice
// an hour and must answer within 20 blocks; until then a stopped worker still counts as idle, afterwards it earns nothing,
// and what it gathered since its last payout is dropped).
const (
	urgencyIdle    = 1.5 // not punished yet: minutes decide whether it will be
	urgencyMarked  = 1.0 // unresponsive: every block is lost
	urgencyNoShare = 0.5 // not computing: nothing is lost but time
)

// rank puts those first whose outage costs most: stake × score × urgency. Among equals the longest bad come first.
func (j *judge) rank(eager []int, found []finding) {
	if len(eager) < 2 {
		return
	}
	dear := make([]float64, len(found))
	score := j.scores()
	for _, i := range eager {
		dear[i] = worth1(&j.Status.Workers[i]) * score(&j.Status.Workers[i])
	}
	slices.SortStableFunc(eager, func(a, b int) int {
		switch {
		case dear[a] > dear[b]:
			return -1
		case dear[a] < dear[b]:
			return 1
		}
		return found[a].since.Compare(found[b].since)
	})
}

// worth1 is stake × urgency.
func worth1(w *fleet.WorkerStatus) float64 {
	urgency := urgencyMarked
	switch {
	case strings.HasSuffix(w.Session, "Idle"):
		urgency = urgencyIdle
	case w.Session == "Ready" || w.Session == "WorkerReady":
		urgency = urgencyNoShare
	}
	return w.Stake.InPHA() * urgency
}

// scores makes a function that gives a worker's score as a multiple of what is usual on its bridge: its P where that is
// known, else its V, else 1. A P of 0 or 1 is only the first heartbeat after a start.
func (j *judge) scores() func(*fleet.WorkerStatus) float64 {
	var p, v float64
	var np, nv int
	for i := range j.Status.Workers {
		w := &j.Status.Workers[i]
		if x := power(w); x > 0 {
			p, np = p+x, np+1
		}
		if x := value(w); x > 0 {
			v, nv = v+x, nv+1
		}
	}
	return func(w *fleet.WorkerStatus) float64 {
		if x := power(w); x > 0 {
			return x * float64(np) / p
		}
		if x := value(w); x > 0 {
			return x * float64(nv) / v
		}
		return 1
	}
}

func power(w *fleet.WorkerStatus) float64 {
	if w.PInstant > 1 {
		return float64(w.PInstant)
	}
	return float64(w.PInit)
}

func value(w *fleet.WorkerStatus) float64 {
	x, err := strconv.ParseFloat(w.V, 64)
	if err != nil || x < 0 || x > 1e12 {
		return 0
	}
	return x
}
