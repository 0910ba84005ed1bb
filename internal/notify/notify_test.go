package notify_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/notify"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

var update = flag.Bool("update", false, "write the golden files")

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

// routes are the shipped default: critical at once and hourly, warning at once, info as a digest.
var routes = []config.Route{
	{Severity: []string{"critical"}, To: []string{"ding"}, Repeat: time.Hour},
	{Severity: []string{"warning"}, To: []string{"ding"}},
	{Severity: []string{"info"}, To: []string{"ding"}, Digest: 10 * time.Minute},
}

// room is a chat room that takes 20 messages a minute, or fails as told.
type room struct {
	got   []notify.Alert
	at    []time.Time
	fail  error // instead of taking the alert
	retry bool
	limit int
	hook  func(*notify.Alert) // before anything; may panic: the process dies
	after func()              // the alert was taken
}

func (r *room) Limit() (int, time.Duration) {
	if r.limit > 0 {
		return r.limit, time.Minute
	}
	return 20, time.Minute
}

func (r *room) Send(_ context.Context, a notify.Alert, now time.Time) (bool, error) {
	if r.hook != nil {
		r.hook(&a)
	}
	if r.fail != nil {
		return r.retry, r.fail
	}
	r.got, r.at = append(r.got, a), append(r.at, now)
	if r.after != nil {
		r.after()
	}
	return false, nil
}

func (r *room) titles() []string {
	var t []string
	for _, a := range r.got {
		t = append(t, a.Title)
	}
	return t
}

var catalogue = sync.OnceValues(i18n.Load)

func must(c *i18n.Catalog, err error) *i18n.Catalog {
	if err != nil {
		panic(err)
	}
	return c
}

func pipeline(t testing.TB, s store.Outbox, r *room, lang i18n.Lang) *notify.Pipeline {
	t.Helper()
	return notify.New(notify.Options{
		Store: s, Senders: map[string]notify.Sender{"ding": r}, Routes: routes, Catalog: must(catalogue()).In(time.UTC), Lang: lang,
	})
}

// beat tells and sends until nothing is left to do at this moment.
func beat(t testing.TB, p *notify.Pipeline, now time.Time, incidents ...fleet.Incident) {
	t.Helper()
	if _, err := p.Tell(t.Context(), incidents, now); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Step(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

func nodeStalled(s fleet.Severity) fleet.Incident {
	return fleet.Incident{
		ID: "i1", Target: fleet.NodeRef("node-1"), Title: "node-1", Site: "dc1", Code: "Stalled", Severity: s,
		Reason: fleet.Because("error.other", "err", "高度 2761100 五分钟未增长"), Opened: start,
		Decision: fleet.Decision{Verdict: fleet.Wait},
	}
}

func workerFailed(n int) fleet.Incident {
	return fleet.Incident{
		ID: fmt.Sprintf("w%03d", n), Target: fleet.WorkerRef("prb-a", fmt.Sprint("uuid-", n)), Title: fmt.Sprintf("w-%03d", n), Site: "dc1",
		Code: "Failed", Severity: fleet.Warning, Reason: fleet.Because("error.other", "err", "ECONNREFUSED"), Opened: start,
	}
}

func TestTextsOfEveryKindOfAlert(t *testing.T) {
	for _, lang := range i18n.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			r := &room{}
			p := pipeline(t, memory.New(), r, lang)

			i := nodeStalled(fleet.Warning)
			i.Children = []fleet.Ref{fleet.BridgeRef("prb-a"), fleet.BridgeRef("prb-b")}
			beat(t, p, at(0), i)
			i.Severity, i.Decision = fleet.Critical, fleet.Decision{Verdict: fleet.Act, Action: "node.restart"}
			beat(t, p, at(time.Minute), i)
			i.Acted = at(2 * time.Minute)
			beat(t, p, at(2*time.Minute), i)
			i.Decision = fleet.Decision{Verdict: fleet.Person, Guards: []fleet.Reason{fleet.Because("error.other", "err", "budget")}}
			beat(t, p, at(62*time.Minute), i)
			i.Closed = at(80 * time.Minute)
			beat(t, p, at(80*time.Minute), i)

			beat(t, p, at(90*time.Minute), workerFailed(1), workerFailed(2), workerFailed(3), workerFailed(4))

			small := nodeStalled(fleet.Info)
			small.ID, small.Decision = "i2", fleet.Decision{Verdict: fleet.WouldAct, Action: "node.restart"}
			beat(t, p, at(100*time.Minute), small)
			beat(t, p, at(110*time.Minute), small)

			if _, err := p.Test(t.Context(), "ding", at(120*time.Minute)); err != nil {
				t.Fatal(err)
			}
			r.fail, r.retry = errors.New("the line broke after sending"), true
			beat(t, p, at(120*time.Minute))
			r.fail = nil
			beat(t, p, at(121*time.Minute))

			golden(t, "alerts."+string(lang)+".txt", dump(r))
		})
	}
}

func dump(r *room) string {
	var b strings.Builder
	for n, a := range r.got {
		fmt.Fprintf(&b, "=== %s %s resolved=%v repeat=%v\n%s\n", r.at[n].Format("15:04"), a.Severity, a.Resolved, a.Repeat, a.Title)
		for _, it := range a.Items {
			if len(a.Items) > 1 {
				fmt.Fprintf(&b, "  %s\n", it.Title)
			}
			for _, l := range it.Lines {
				fmt.Fprintf(&b, "    %s\n", l)
			}
		}
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it):\n%s", path, got)
	}
}

func TestADigestWaitsAndForgetsWhatRecovered(t *testing.T) {
	r, s := &room{}, memory.New()
	p := pipeline(t, s, r, i18n.EN)
	a, b := nodeStalled(fleet.Info), nodeStalled(fleet.Info)
	a.ID, b.ID = "a", "b"
	b.Title, b.Opened = "node-2", at(3*time.Minute)
	beat(t, p, at(0), a)
	beat(t, p, at(3*time.Minute), a, b)
	a.Closed = at(3*time.Minute + 30*time.Second)
	beat(t, p, at(3*time.Minute+40*time.Second), a, b) // the digest ends at 05:10:00
	if len(r.got) != 0 {
		t.Fatalf("told before the digest: %q", r.titles())
	}
	beat(t, p, at(4*time.Minute), a, b)
	if got := r.titles(); len(got) != 1 || !strings.Contains(got[0], "node-2") {
		t.Fatalf("digest: %q, want node-2 alone", got)
	}
	b.Closed = at(14 * time.Minute)
	beat(t, p, at(14*time.Minute), a, b)
	beat(t, p, at(24*time.Minute), a, b)
	if got := r.titles(); len(got) != 2 || !strings.Contains(got[1], "[recovered by itself] node node-2") {
		t.Fatalf("after the recovery: %q", got)
	}
	beat(t, p, at(48*time.Hour), a, b)
	if len(r.got) != 2 {
		t.Errorf("a closed incident was told again: %q", r.titles())
	}
}

// What phalops did is always told, also when it was over before the digest, and one digest is one message.
func TestADigestTellsWhatWasHealed(t *testing.T) {
	r := &room{}
	p := pipeline(t, memory.New(), r, i18n.EN)
	a, b := nodeStalled(fleet.Info), nodeStalled(fleet.Info)
	a.ID, b.ID = "a", "b"
	b.Title = "node-2"
	beat(t, p, at(0), a, b)
	a.Acted, b.Acted = at(time.Minute), at(time.Minute)
	a.Closed, b.Closed = at(2*time.Minute), at(3*time.Minute)
	beat(t, p, at(3*time.Minute), a, b)
	beat(t, p, at(4*time.Minute), a, b)
	if len(r.got) != 1 || len(r.got[0].Items) != 2 || !r.got[0].Resolved {
		t.Fatalf("told %q, want one digest of two recoveries", r.titles())
	}
}

func TestTroubleThatEndsBeforeItWasToldIsOneLine(t *testing.T) {
	r := &room{fail: &notify.Refused{Err: errors.New("too fast"), After: time.Minute}, retry: true}
	p := pipeline(t, memory.New(), r, i18n.EN)
	i := nodeStalled(fleet.Critical)
	beat(t, p, at(0), i)
	i.Closed = at(30 * time.Second)
	beat(t, p, at(30*time.Second), i)
	r.fail = nil
	beat(t, p, at(61*time.Second), i)
	beat(t, p, at(5*time.Minute), i)
	if got := r.titles(); !slices.Equal(got, []string{"[recovered by itself] node node-1: was stalled for 30 s"}) {
		t.Errorf("told %q", got)
	}
	if r.got[0].Repeat {
		t.Error("a refused try is no repeat: the service surely did not take it")
	}
}

func TestRepeatsUntilItEnds(t *testing.T) {
	r := &room{}
	s := memory.New()
	p := pipeline(t, s, r, i18n.EN)
	i := nodeStalled(fleet.Critical)
	for m := 0; m <= 150; m += 10 {
		if m == 90 {
			p = pipeline(t, s, r, i18n.EN) // a restart neither forgets nor repeats
		}
		beat(t, p, at(time.Duration(m)*time.Minute), i)
	}
	var minutes []int
	for _, t := range r.at {
		minutes = append(minutes, int(t.Sub(start)/time.Minute))
	}
	if !slices.Equal(minutes, []int{0, 60, 120}) {
		t.Errorf("told at minutes %v", minutes)
	}
	if told, ok := p.Told("i1"); !ok || !told.Equal(start) {
		t.Errorf("first told at %v, %v", told, ok)
	}
}

func TestABurstStaysWithinTheLimitAndKeepsRoomForCritical(t *testing.T) {
	r := &room{}
	p := pipeline(t, memory.New(), r, i18n.EN)
	var all []fleet.Incident
	seen := map[string]int{}
	for second := range 150 {
		if second < 60 { // three more workers every second
			for n := range 3 {
				all = append(all, workerFailed(second*3+n))
			}
		}
		now := at(time.Duration(second) * time.Second)
		if second == 50 { // the worst moment for something critical
			all = append(all, nodeStalled(fleet.Critical))
		}
		before := len(r.got)
		beat(t, p, now, all...)
		if second == 50 && !slices.ContainsFunc(r.got[before:], func(a notify.Alert) bool { return strings.Contains(a.Title, "[critical] node node-1") }) {
			t.Error("the critical alert had to wait")
		}
	}
	for n := range r.at {
		if n >= 20 && r.at[n].Sub(r.at[n-20]) <= time.Minute {
			t.Fatalf("21 messages within %v", r.at[n].Sub(r.at[n-20]))
		}
	}
	for _, a := range r.got {
		for _, it := range a.Items {
			seen[it.Title]++
		}
		if len(a.Items) > 20 {
			t.Errorf("an alert of %d items", len(a.Items))
		}
	}
	if len(seen) != 181 {
		t.Errorf("%d of 181 incidents were told", len(seen))
	}
	for title, n := range seen {
		if n != 1 {
			t.Errorf("%s was told %d times", title, n)
		}
	}
}

func TestPausesGrowAndAUselessTryEndsIt(t *testing.T) {
	r := &room{fail: errors.New("no route"), retry: true}
	s := memory.New()
	counted := map[fleet.MessageState]int{}
	p := notify.New(notify.Options{
		Store: s, Senders: map[string]notify.Sender{"ding": r}, Routes: routes, Catalog: must(catalogue()), Lang: i18n.EN,
		Count: func(_ string, state fleet.MessageState) { counted[state]++ },
	})
	var tries []time.Duration
	now := start
	r.hook = func(*notify.Alert) { tries = append(tries, now.Sub(start)) }
	i := nodeStalled(fleet.Critical)
	for now.Before(at(20 * time.Minute)) {
		beat(t, p, now, i)
		now = now.Add(time.Second)
	}
	var want []time.Duration
	for _, s := range []int{0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111} {
		want = append(want, time.Duration(s)*time.Second)
	}
	if !slices.Equal(tries, want) {
		t.Errorf("tried at %v, want %v", tries, want)
	}
	r.fail, r.retry = fleet.Fail(fleet.Failed, fleet.Because("notify.dingtalk.token", "code", 300001)), false
	beat(t, p, at(30*time.Minute), i)
	tries = nil
	beat(t, p, at(45*time.Minute), i)
	if len(tries) != 0 {
		t.Errorf("a useless message was tried again")
	}
	events, err := s.Events(t.Context(), store.EventFilter{Kinds: []fleet.EventKind{fleet.EventMessage}})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, e := range events {
		codes = append(codes, e.Reason.Code)
	}
	if !slices.Equal(codes, []string{"error.other", "notify.dingtalk.token"}) {
		t.Errorf("events %v: want the first failure and the end", codes)
	}
	if len(counted) != 1 || counted[fleet.MessageFailed] != 1 {
		t.Errorf("counted %v, want one failed", counted)
	}
}
