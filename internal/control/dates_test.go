package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

func attemptOf(plan string, began, ended time.Duration) fleet.Attempt {
	a := fleet.Attempt{Target: w7, Plan: plan, At: day.Add(began), Outcome: fleet.PlanRunning}
	if ended > began {
		a.Ended, a.Outcome = day.Add(ended), fleet.PlanFailed
	}
	return a
}

func sorted(list string) string {
	parts := strings.Split(list, ", ")
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// A clock that is set back by three hours: what was done an hour before that counts as done at the moment it was set back,
// and grows old; what was done long before is as old as it says.
func TestDatesAfterAClockWasSetBack(t *testing.T) {
	const h, m = time.Hour, time.Minute
	all := []fleet.Attempt{attemptOf("old", -5*h, -5*h+m), attemptOf("late", -h, -h+5*m), attemptOf("on", -10*m, -10*m)}
	var d dates
	for _, c := range []struct {
		now  time.Duration // by the clock
		want string        // when each ended (of one that runs: began), before now
	}{
		{0, "old 4h59m0s, late 55m0s, on 10m0s"},
		{-3 * h, "old 1h59m0s, late 0s, on 0s"}, // set back
		{-2 * h, "old 2h59m0s, late 1h0m0s, on 1h0m0s"},
		{-150 * m, "old 2h29m0s, late 30m0s, on 30m0s"}, // set back again, not so far
		{-4 * h, "old 59m0s, late 0s, on 0s"},           // and further than ever
		{-30 * m, "old 4h29m0s, late 25m0s, on 3h30m0s"},
		{0, "old 4h59m0s, late 55m0s, on 10m0s"}, // the old time has come again
	} {
		got := ""
		for i, a := range d.mend(all, day.Add(c.now)) {
			if i > 0 {
				got += ", "
			}
			last := a.At
			if !a.Ended.IsZero() {
				last = a.Ended
			}
			got += fmt.Sprint(a.Plan, " ", day.Add(c.now).Sub(last))
		}
		if sorted(got) != sorted(c.want) {
			t.Errorf("at %s: %s, want %s", c.now, got, c.want)
		}
	}
	if !all[1].At.Equal(day.Add(-h)) {
		t.Error("the journal's own list was changed")
	}
}

// A clock that had run years ahead holds nobody back for longer than if it had been right.
func TestDatesFromAClockThatRanAhead(t *testing.T) {
	var d dates
	all := []fleet.Attempt{attemptOf("ahead", 90_000*time.Hour, 90_000*time.Hour+time.Minute)}
	d.mend(all, day)
	if a := d.mend(all, day.Add(6*time.Hour))[0]; !a.Ended.Equal(day) || a.Ended.Sub(a.At) != time.Minute {
		t.Errorf("it counts from %s to %s", a.At, a.Ended)
	}
}

// However the clock jumps: nothing is of the future, nothing lasts longer or shorter than it did, nothing grows younger while
// the clock goes on and its own date has not come, and what needs no mending is left alone.
func TestDatesWhateverTheClockDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []fleet.Attempt
		for i := range rapid.IntRange(1, 5).Draw(t, "attempts") {
			began := time.Duration(rapid.IntRange(-600, 600).Draw(t, "began")) * time.Minute
			all = append(all, attemptOf(fmt.Sprint(i), began, began+time.Duration(rapid.IntRange(0, 30).Draw(t, "took"))*time.Minute))
		}
		var d dates
		now, before := day, map[string]time.Time{}
		for range rapid.IntRange(1, 10).Draw(t, "looks") {
			step := time.Duration(rapid.IntRange(-500, 500).Draw(t, "step")) * time.Minute
			now = now.Add(step)
			byPlan := map[string]fleet.Attempt{}
			for _, a := range d.mend(all, now) {
				byPlan[a.Plan] = a
			}
			for _, was := range all {
				a := byPlan[was.Plan]
				switch {
				case a.At.After(now), a.Ended.After(now):
					t.Fatalf("at %s: of the future: %+v", now, a)
				case !was.Ended.IsZero() && a.Ended.Sub(a.At) != was.Ended.Sub(was.At):
					t.Fatalf("at %s: it took %s, not %s", now, a.Ended.Sub(a.At), was.Ended.Sub(was.At))
				case !was.At.After(now) && !was.Ended.After(now) && a != was:
					t.Fatalf("at %s: %+v was made of %+v", now, a, was)
				case step >= 0 && (was.At.After(now) || was.Ended.After(now)) && !before[was.Plan].IsZero() && a.At.After(before[was.Plan]):
					t.Fatalf("at %s: it has grown younger: %s, before %s", now, a.At, before[was.Plan])
				}
				before[was.Plan] = a.At
			}
		}
	})
}
