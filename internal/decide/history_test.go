package decide

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	node1 = fleet.NodeRef("node-1")
)

// tryAt is a treatment by a rule that began some time ago and took a minute.
func tryAt(ago time.Duration, outcome fleet.PlanState) fleet.Attempt {
	return fleet.Attempt{Target: node1, Kind: ActionNodeRestart, At: noon.Add(-ago), Ended: noon.Add(time.Minute - ago), Outcome: outcome, Author: "rule:r"}
}

func idleAt(ago time.Duration) fleet.Attempt {
	a := tryAt(ago, fleet.PlanFailed)
	a.Untouched = true
	return a
}

// What a budget says after what was tried.
func TestSpent(t *testing.T) {
	const h, m = time.Hour, time.Minute
	done, failed, aborted := fleet.PlanDone, fleet.PlanFailed, fleet.PlanAborted
	asked := tryAt(m, failed)
	asked.Author = "user:li"
	stopped := idleAt(5 * m)
	stopped.Outcome = aborted
	for name, c := range map[string]struct {
		past  []fleet.Attempt
		code  string // of the guard, "": free
		until time.Duration
		ended bool // the target counts as treated
	}{
		"nothing":                      {nil, "", 0, false},
		"one, long ago":                {[]fleet.Attempt{tryAt(5*h, failed)}, "", 0, true},
		"one lately":                   {[]fleet.Attempt{tryAt(5*m, failed)}, "guard.backoff", 6 * m, true},
		"two":                          {[]fleet.Attempt{tryAt(h, failed), tryAt(5*m, failed)}, "guard.backoff", 16 * m, true},
		"three":                        {[]fleet.Attempt{tryAt(5*h, failed), tryAt(3*h, done), tryAt(h, failed)}, "guard.budget", h, true},
		"a person's costs nothing":     {[]fleet.Attempt{asked}, "", 0, true},
		"one that never came to it":    {[]fleet.Attempt{idleAt(5 * m)}, "guard.idle", 6 * m, false},
		"…, long ago":                  {[]fleet.Attempt{idleAt(h)}, "", 0, false},
		"two that did not":             {[]fleet.Attempt{idleAt(h), idleAt(5 * m)}, "guard.idle", 16 * m, false},
		"one that did, one not":        {[]fleet.Attempt{tryAt(h, failed), idleAt(5 * m)}, "guard.idle_backoff", 16 * m, true},
		"two that did, one not":        {[]fleet.Attempt{tryAt(5*h, failed), tryAt(3*h, failed), idleAt(h)}, "", 0, true},
		"a person stops one before it": {[]fleet.Attempt{stopped}, "guard.backoff", 6 * m, true},
		"three that did not":           {[]fleet.Attempt{idleAt(5 * h), idleAt(3 * h), idleAt(h)}, "guard.not_begun", h, false},
		"dated an hour ahead":          {[]fleet.Attempt{tryAt(-h, failed)}, "guard.backoff", 10 * m, true},
		"three, dated years ahead":     {[]fleet.Attempt{tryAt(-20000*h, failed), tryAt(-20001*h, failed), tryAt(-20002*h, failed)}, "guard.budget", 6 * h, true},
		"running, and dated ahead":     {[]fleet.Attempt{{Target: node1, Kind: ActionNodeRestart, At: noon.Add(h), Outcome: fleet.PlanRunning, Author: "rule:r"}}, "guard.backoff", 10 * m, false},
	} {
		t.Run(name, func(t *testing.T) {
			past := past(c.past, node1, ActionNodeRestart, 6*h, noon)
			if past.ended.IsZero() == c.ended {
				t.Errorf("it counts as treated at %s", past.ended)
			}
			g := past.spent(DefaultPolicy().NodeBudget, noon)
			switch {
			case g == nil && c.code == "":
			case g == nil || g.why.Code != c.code:
				t.Errorf("got %+v, want %q", g, c.code)
			case !g.until.Equal(noon.Add(c.until)):
				t.Errorf("until %s, want %s", g.until.Sub(noon), c.until)
			}
		})
	}
}

// However attempts are dated: no more than the budget's number are free in a row, what is dated ahead holds back at least as
// much as what is of now, and nothing holds back for longer than the span.
func TestSpentWhateverTheDates(t *testing.T) {
	b := DefaultPolicy().NodeBudget
	rapid.Check(t, func(t *rapid.T) {
		var all, clamped []fleet.Attempt
		for range rapid.IntRange(0, 8).Draw(t, "attempts") {
			a := tryAt(time.Duration(rapid.IntRange(-100_000, 100_000).Draw(t, "minutes"))*time.Minute/100, rapid.SampledFrom([]fleet.PlanState{fleet.PlanDone, fleet.PlanFailed}).Draw(t, "outcome"))
			a.Untouched = a.Outcome == fleet.PlanFailed && rapid.Bool().Draw(t, "untouched")
			all, clamped = append(all, a), append(clamped, notLater(a, noon))
		}
		h := past(all, node1, ActionNodeRestart, b.Per, noon)
		g, same := h.spent(b, noon), past(clamped, node1, ActionNodeRestart, b.Per, noon).spent(b, noon)
		if (g == nil) != (same == nil) || g != nil && (g.why.String() != same.why.String()) {
			t.Fatalf("dated ahead: %+v, of now: %+v", g, same)
		}
		if g == nil && (len(h.auto) >= b.AtMost || len(h.idle) >= idleTries) {
			t.Fatalf("free after %d, and %d that never came to it", len(h.auto), len(h.idle))
		}
		for _, a := range all {
			if a.At.After(noon) && g == nil {
				t.Fatalf("free right after a treatment at %s", a.At)
			}
		}
		if g == nil {
			return
		}
		if g.until.Before(noon) || g.until.After(noon.Add(b.Per)) {
			t.Fatalf("held until %s", g.until)
		}
		if h := past(all, node1, ActionNodeRestart, b.Per, noon.Add(2000*time.Hour)); h.spent(b, noon.Add(2000*time.Hour)) != nil {
			t.Fatal("held for ever")
		}
	})
}
