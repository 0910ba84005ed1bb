package decide_test

import (
	"strings"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// now is the moment at which every test decides.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// at is a height that has stood still for so long.
func at(value int64, frozen time.Duration) fleet.Height {
	return fleet.Height{Value: value, Known: true, MovedAt: ago(frozen)}
}

var answered = fleet.Probe{At: ago(5 * time.Second)}

// silentFor is a source that answered once and has been silent since.
func silentFor(d time.Duration) fleet.Probe {
	return fleet.Probe{At: ago(d + 15*time.Second), Failed: ago(d), Missed: int(d/(15*time.Second)) + 1,
		Cause: fleet.Because("wire.timeout", "url", "http://127.0.0.1:9944")}
}

// said fails unless every sentence of a decision exists in both languages with a value for each placeholder.
func said(t reporter, c *i18n.Catalog, d fleet.Decision) {
	t.Helper()
	for _, r := range append(append([]fleet.Reason{d.Reason}, d.Guards...), d.Witnesses...) {
		if r.IsZero() {
			continue
		}
		for _, lang := range []i18n.Lang{i18n.ZH, i18n.EN} {
			text := c.Text(lang, r.Code, r.Args)
			if !c.Has(r.Code) || strings.ContainsAny(text, "«»") {
				t.Errorf("%s reads %q", r, text)
			}
		}
	}
}

func catalog(t testing.TB) *i18n.Catalog {
	t.Helper()
	c, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sound holds what is true of every decision.
func sound(t reporter, d fleet.Decision) {
	t.Helper()
	switch {
	case d.Verdict == "" || d.Condition == "" || d.Rule == "" || d.Suspect == "" || d.Target == "":
		t.Errorf("half a decision: %+v", d)
	case d.Verdict != fleet.Healthy && d.Reason.IsZero():
		t.Errorf("no reason: %+v", d)
	case d.Verdict == fleet.Wait && !d.NextLook.After(now):
		t.Errorf("waits for nothing: %+v", d)
	case !d.NextLook.IsZero() && !d.NextLook.After(now):
		t.Errorf("looks into the past: %+v", d)
	case d.Since.IsZero() || d.Since.After(now):
		t.Errorf("since %v: %+v", d.Since, d)
	case (d.Action != "") != (d.Verdict == fleet.Act || d.Verdict == fleet.WouldAct):
		t.Errorf("action %q with verdict %s: %+v", d.Action, d.Verdict, d)
	case d.Verdict == fleet.Person && d.Severity == "":
		t.Errorf("a person without a severity: %+v", d)
	case (d.Verdict == fleet.Act || d.Verdict == fleet.WouldAct) && d.Severity == "":
		t.Errorf("an action without a severity: %+v", d)
	}
}

// weighed holds what is true of every ladder: each rung names its sources, gains follow from what they are made of, whoever
// acts takes an open rung that is worth it, and the last rung is a person.
func weighed(t reporter, c *i18n.Catalog, d fleet.Decision) {
	t.Helper()
	open := ""
	for i, x := range d.Candidates {
		if x.Action == decide.RungAlert {
			if i != len(d.Candidates)-1 {
				t.Errorf("a person is not the last: %+v", d.Candidates)
			}
			continue
		}
		if x.Closed == nil {
			open = x.Action
			if x.Gain < 2*x.Price {
				t.Errorf("not worth it: %+v", x)
			}
		}
		if len(x.Source) == 0 || x.Cure <= 0 || x.Cure > 1 || x.With <= 0 || x.Left > 8*h {
			t.Errorf("weighed by nothing: %+v", x)
		}
		for _, code := range x.Source {
			if !c.Has(code) {
				t.Errorf("%s has no name", code)
			}
		}
	}
	acts := d.Verdict == fleet.Act || d.Verdict == fleet.WouldAct
	if len(d.Candidates) > 0 && (acts != (open != "") || acts && d.Action != "worker."+open && d.Action != "node."+open && d.Action != "bridge."+open) {
		t.Errorf("%s %q with the rung %q open: %+v", d.Verdict, d.Action, open, d.Candidates)
	}
}

// guarded lists the codes of a decision's guards.
func guarded(d fleet.Decision) string {
	var codes []string
	for _, g := range d.Guards {
		codes = append(codes, g.Code)
	}
	return strings.Join(codes, " ")
}

// tried is an attempt that ended well so long ago and took two minutes.
func tried(target fleet.Ref, kind string, ended time.Duration) fleet.Attempt {
	return fleet.Attempt{Target: target, Kind: kind, Plan: "p", At: ago(ended + 2*time.Minute), Ended: ago(ended), Outcome: fleet.PlanDone, Author: "rule:test"}
}

var defaults = decide.DefaultPolicy()

// reporter is what a test and a property have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}
