package loss

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var zero = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// at is n minutes after the beginning; never is the zero time.
func at(n int) time.Time { return zero.Add(time.Duration(n) * time.Minute) }

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

func TestSplit(t *testing.T) {
	t.Parallel()
	var never time.Time
	for name, c := range map[string]struct {
		o    Outage
		want Split
	}{
		"seen, mended, caught up":          {Outage{From: at(0), Detected: at(2), Cured: at(5), To: at(9)}, Split{minutes(2), minutes(3), minutes(4), 0}},
		"nobody ever knew":                 {Outage{From: at(0), Detected: never, Cured: at(5), To: at(6)}, Split{minutes(5), 0, minutes(1), 0}},
		"healed before it was noticed":     {Outage{From: at(0), Detected: at(7), Cured: at(5), To: at(9)}, Split{minutes(5), 0, minutes(4), 0}},
		"not mended yet":                   {Outage{From: at(0), Detected: at(2), Cured: never, To: at(9)}, Split{minutes(2), minutes(7), 0, 0}},
		"not noticed yet":                  {Outage{From: at(0), To: at(9)}, Split{minutes(9), 0, 0, 0}},
		"known before it cost anything":    {Outage{From: at(3), Detected: at(1), Cured: at(5), To: at(6)}, Split{0, minutes(2), minutes(1), 0}},
		"mended before it cost anything":   {Outage{From: at(3), Detected: at(1), Cured: at(2), To: at(6)}, Split{0, 0, minutes(3), 0}},
		"needless":                         {Outage{From: at(0), Detected: at(1), Cured: at(2), To: at(6), SelfInflicted: true}, Split{0, 0, 0, minutes(6)}},
		"an end before its beginning":      {Outage{From: at(6), Detected: at(1), Cured: at(2), To: at(5)}, Split{}},
		"mended after it earned once more": {Outage{From: at(0), Detected: at(1), Cured: at(8), To: at(6)}, Split{minutes(1), minutes(5), 0, 0}},
	} {
		if got := c.o.Split(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestNothingIsLostTwice: whatever is known of an outage, its parts are never negative and come to its whole.
func TestNothingIsLostTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			if rapid.Bool().Draw(t, "never") {
				return time.Time{}
			}
			return at(rapid.IntRange(-5, 30).Draw(t, "minute"))
		})
		o := Outage{From: at(0), Detected: moment.Draw(t, "detected"), Cured: moment.Draw(t, "cured"),
			To: at(rapid.IntRange(0, 20).Draw(t, "to")), SelfInflicted: rapid.Bool().Draw(t, "self")}
		s := o.Split()
		if s.Total() != o.Lasted() || slices.Min([]time.Duration{s.Undetected, s.Uncured, s.Recovery, s.SelfInflicted}) < 0 {
			t.Fatalf("%+v: %+v of %v", o, s, o.Lasted())
		}
	})
}

func TestSum(t *testing.T) {
	t.Parallel()
	var all []Outage
	for n := range 100 { // 100, 99, … 1 minutes
		all = append(all, Outage{From: at(0), To: at(100 - n)})
	}
	s := Sum(all)
	if s.Outages != 100 || s.P50 != minutes(50) || s.P95 != minutes(95) || s.P99 != minutes(99) || s.Total() != minutes(5050) {
		t.Errorf("%+v", s)
	}
	if s := Sum(all[:1]); s.P50 != minutes(100) || s.P99 != minutes(100) {
		t.Errorf("of one: %+v", s)
	}
	if s := Sum(nil); s != (Summary{}) {
		t.Errorf("of none: %+v", s)
	}
}

func TestByCause(t *testing.T) {
	t.Parallel()
	got := ByCause([]Outage{
		{Cause: "worker.error", From: at(0), To: at(4)},
		{Cause: "node.stall", From: at(0), To: at(1)},
		{Cause: "worker.error", From: at(0), To: at(6)},
		{Cause: "worker.error", From: at(0), To: at(60), SelfInflicted: true},
	})
	if len(got) != 2 || got[0].Cause != "node.stall" || got[0].Total() != minutes(1) || got[1].Outages != 2 || got[1].Total() != minutes(10) {
		t.Errorf("%+v", got)
	}
}
