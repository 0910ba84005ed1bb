package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"phalops/internal/config"
	"phalops/internal/control"
	"phalops/internal/daemon"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/secret"
	"phalops/internal/sim/world"
	"phalops/internal/store"
	"phalops/internal/store/sqlite"
	"phalops/internal/view"
	"phalops/internal/wire"
)

// tale is a fleet whose daemon has done its work and was stopped, with everything that was said about it.
type tale struct {
	simFleet
	store   store.Store
	metrics string   // the page, when all was quiet
	robot   []string // what the chat robot was told, in Chinese
	words   *i18n.Catalog
}

// tell lets a daemon look after a fleet until done, and gives back what is on record then. The fleet's lease is taken in
// the daemon's place, so that commands show the record and ask nobody.
func tell(t *testing.T, scenario, more string, done func(incidents []fleet.Incident) bool) tale {
	t.Helper()
	f := newSimFleet(t, scenario, fast)
	text, err := os.ReadFile(f.config)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, more...)
	if err := os.WriteFile(f.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems, err := config.Load(f.config)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	d, err := daemon.New(t.Context(), daemon.Options{Config: cfg, Clock: f.Clock, Catalog: loaded(t), Lang: i18n.ZH, Version: "test",
		Allow: wire.LoopbackOnly, Log: slog.New(slog.DiscardHandler), Secrets: secret.FromEnvironment()})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	out := tale{simFleet: f, words: loaded(t).Naming(d.NameOf)}
	out.metrics = quiet(t, d, done)
	if err := d.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if out.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: f.data}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := out.store.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := out.store.Acquire(t.Context(), control.FleetLease, "daemon@elsewhere/1", 1000*time.Hour, f.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.Face.Do(func(w *world.World) {
		for _, m := range w.Robots()[0].Messages() {
			out.robot = append(out.robot, m.Text)
		}
	})
	return out
}

// quiet waits until what is wanted came, no plan runs and nothing is on its way to a channel, and reads the metrics of a
// moment at which the record did not change.
func quiet(t *testing.T, d *daemon.Daemon, done func([]fleet.Incident) bool) string {
	t.Helper()
	tick, end := time.NewTicker(50*time.Millisecond), time.NewTimer(2*time.Minute)
	defer tick.Stop()
	defer end.Stop()
	record := func() (string, bool) {
		incidents, err := d.Store.Incidents(t.Context(), store.IncidentFilter{})
		plans, err2 := d.Store.Plans(t.Context(), store.PlanFilter{})
		waiting, err3 := d.Store.Messages(t.Context(), "", time.Time{})
		if err != nil || err2 != nil || err3 != nil {
			t.Fatal(err, err2, err3)
		}
		waiting = slices.DeleteFunc(waiting, func(m fleet.Message) bool { return m.State == fleet.MessageSent || m.State == fleet.MessageDropped })
		busy := len(waiting) > 0 || slices.ContainsFunc(plans, func(p fleet.Plan) bool { return p.Ended.IsZero() })
		text := ""
		for _, i := range incidents {
			text += fmt.Sprint(i.ID, i.Severity, i.Open(), " ")
		}
		for _, p := range plans {
			text += fmt.Sprint(planMark, p.ID, p.State, " ")
		}
		return text, !busy && done(incidents)
	}
	for rests, last := 0, ""; ; { // what is counted follows what is written by a moment
		now, ok := record()
		if !ok || now != last {
			rests = 0
		}
		last = now
		if rests++; ok && rests > 10 {
			page := get(t, "http://"+d.Addr()+"/metrics")
			if after, ok := record(); ok && after == now && (rests > 100 || counted(page) == strings.Count(now, planMark)) {
				return page
			}
		}
		select {
		case <-tick.C:
		case <-end.C:
			all, _ := d.Store.Incidents(t.Context(), store.IncidentFilter{})
			for _, i := range all {
				t.Logf("%s %s open=%v %s %s %s told=%v", i.Target, i.Title, i.Open(), i.Decision.Rule, i.Decision.Verdict, i.Decision.Reason, !i.Told.IsZero())
			}
			t.Fatal("it did not come to rest")
		}
	}
}

const planMark = "plan:"

// counted is how many actions a page of metrics tells of.
func counted(page string) (n int) {
	for line := range strings.Lines(page) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(name, "phalops_actions_total{") {
			one, _ := strconv.Atoi(value)
			n += one
		}
	}
	return n
}

func get(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// about finds the newest incident of a target by its name.
func about(all []fleet.Incident, title string) (fleet.Incident, bool) {
	at := slices.IndexFunc(all, func(i fleet.Incident) bool { return i.Title == title })
	if at < 0 {
		return fleet.Incident{}, false
	}
	return all[at], true
}

func healed(title string) func([]fleet.Incident) bool {
	return func(all []fleet.Incident) bool {
		i, ok := about(all, title)
		return ok && !i.Open() && !i.Acted.IsZero()
	}
}

// stands is an open incident of which a person was told, with a verdict and, unless it is "", a guard.
func stands(title string, v fleet.Verdict, guard string) func([]fleet.Incident) bool {
	return func(all []fleet.Incident) bool {
		i, ok := about(all, title)
		return ok && i.Open() && i.Decision.Verdict == v && (guard == "" || slices.ContainsFunc(i.Decision.Guards, func(r fleet.Reason) bool { return r.Code == guard }))
	}
}

func wasTold(title string) func([]fleet.Incident) bool {
	return func(all []fleet.Incident) bool { i, ok := about(all, title); return ok && !i.Told.IsZero() }
}

func every(checks ...func([]fleet.Incident) bool) func([]fleet.Incident) bool {
	return func(all []fleet.Incident) bool {
		return !slices.ContainsFunc(checks, func(f func([]fleet.Incident) bool) bool { return !f(all) })
	}
}

// TestOneStory: what was decided, why, what was done about it and what came of it is the same in worker why, the status
// pages, the incident's page, the message to the robot, the audit and the metrics.
func TestOneStory(t *testing.T) {
	t.Parallel()
	const gas = `"1010: Invalid Transaction: Inability to pay some fees (e.g. account balance too low)"`
	for name, c := range map[string]struct {
		scenario, more string
		done           func([]fleet.Incident) bool
	}{
		"healed worker": {"- { at: 30s, fault: worker.error, target: w-02, text: timeout, cured_by: restart }\n", "", healed("w-02")}, // before anybody had to be told
		"healed node":   {"- { at: 30s, fault: node.stall_import, target: node-1, cured_by: restart }\n", "", every(healed("node-1"), wasTold("node-1"))},
		"gas":           {"- { at: 30s, fault: worker.error, target: w-03, text: " + gas + " }\n", "", every(stands("w-03", fleet.Person, ""), wasTold("w-03"), wasTold("khala/83"))}, // whose withdrawals the chain tells of
		"lost identity": {"- { at: 8m, fault: identity.lost, target: w-05 }\n", "", every(stands("w-05", fleet.Person, ""), wasTold("w-05"))},
		"observe mode": {"- { at: 30s, fault: worker.error, target: w-02, text: timeout }\n", "healing: { mode: observe }\n",
			every(stands("w-02", fleet.WouldAct, "guard.observe"), wasTold("w-02"))},
		"maintenance": {"- { at: 30s, fault: worker.error, target: w-02, text: timeout }\n", "maintenance: [ { name: all day, at: \"0 0 * * *\", for: 24h } ]\n",
			stands("w-02", fleet.Wait, "guard.maintenance")},
		"parent": {"- { at: 30s, fault: worker.error, target: w-02, text: timeout }\n- { at: 30s, fault: node.stall_import, target: node-1, cured_by: nothing }\n",
			"healing: { mode: observe }\n", every(stands("node-1", fleet.WouldAct, ""), wasTold("node-1"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t, c.scenario, c.more, c.done)
			all, err := s.store.Incidents(t.Context(), store.IncidentFilter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range all {
				s.onePage(t, i)
				s.oneRecord(t, i)
			}
			s.oneCount(t, all)
		})
	}
}

// read runs a command and reads its JSON.
func (s tale) read(t *testing.T, into any, args ...string) {
	t.Helper()
	r := s.shell.run(t, append(args, "-c", s.config, "--lang", "zh", "-o", "json")...)
	if err := json.Unmarshal([]byte(r.out), into); err != nil {
		t.Fatalf("%v: exit %d: %v\n%s", args, r.code, err, r.err)
	}
}

// pageOf is the command that explains a target, and the decision that it shows.
func (s tale) pageOf(t *testing.T, i fleet.Incident) (args []string, d *view.Decision) {
	t.Helper()
	switch i.Target.Kind() {
	case fleet.KindWorker:
		var out []why
		args = []string{"worker", "why", "--name", i.Title}
		s.read(t, &out, args...)
		return args, out[0].Decision
	case fleet.KindNode:
		var out []view.Node
		args = []string{"node", "status", "--name", i.Title}
		s.read(t, &out, args...)
		return args, out[0].Decision
	case fleet.KindBridge:
		var out []view.Bridge
		args = []string{"bridge", "status", "--bridge", i.Title}
		s.read(t, &out, args...)
		return args, out[0].Decision
	}
	return nil, nil
}

func codes(rs []view.Reason) (out []string) {
	for _, r := range rs {
		out = append(out, r.Code)
	}
	return out
}

// gist is what must be the same wherever a decision is shown.
func gist(d *view.Decision) string {
	reason, outlook := "", ""
	if d.Reason != nil {
		reason = d.Reason.Code
	}
	if d.Outlook != nil {
		outlook = d.Outlook.Code
	}
	return fmt.Sprintln(d.Rule, d.Condition, d.Verdict, d.Action, reason, outlook, codes(d.Guards))
}

// onePage holds the target's page against the incident's: the same decision for programs, the same sentences for people.
func (s tale) onePage(t *testing.T, i fleet.Incident) {
	t.Helper()
	var page view.Incident
	s.read(t, &page, "incident", "show", i.ID)
	args, d := s.pageOf(t, i)
	if args == nil || !i.Open() {
		return
	}
	if gist(d) != gist(page.Decision) {
		t.Errorf("%v: %s, the incident: %s", args, gist(d), gist(page.Decision))
	}
	for _, command := range [][]string{args, {"incident", "show", i.ID}, {"incident", "list"}, {"status"}} {
		text := s.shell.run(t, append(command, "-c", s.config, "--lang", "zh")...).out
		sentences := []string{page.Decision.Reason.Text}
		if command[0] != "status" && command[1] != "list" {
			sentences = append(sentences, page.Decision.Outlook.Text)
			for _, g := range page.Decision.Guards {
				sentences = append(sentences, g.Text)
			}
		}
		for _, want := range sentences {
			if !strings.Contains(text, want) {
				t.Errorf("%v does not say %q:\n%s", command, want, text)
			}
		}
	}
}

// oneRecord holds plans, events and messages of an incident against the decisions that it came from.
func (s tale) oneRecord(t *testing.T, i fleet.Incident) {
	t.Helper()
	events, err := s.store.Events(t.Context(), store.EventFilter{Incident: i.ID})
	if err != nil {
		t.Fatal(err)
	}
	var decisions []fleet.Decision
	for _, e := range events {
		if e.Kind != fleet.EventDecision {
			continue
		}
		decisions = append(decisions, *e.Decision)
		if e.Author != "rule:"+e.Decision.Rule || e.Reason.String() != e.Decision.Reason.String() {
			t.Errorf("an event of %s says %s %s, its decision %s %s", i.Title, e.Author, e.Reason, e.Decision.Rule, e.Decision.Reason)
		}
	}
	own := slices.DeleteFunc(slices.Clone(decisions), func(d fleet.Decision) bool { return d.Target != i.Target })
	if len(own) == 0 {
		t.Fatalf("no decision about %s is on record", i.Title)
	}
	if last := own[len(own)-1]; i.Open() && !last.Same(i.Decision) {
		t.Errorf("the newest event of %s says %+v, its incident %+v", i.Title, last, i.Decision)
	}
	var audit []view.Event
	s.read(t, &audit, "audit", "list", "--since", "1000h")
	plans, err := s.store.Plans(t.Context(), store.PlanFilter{Incident: i.ID})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plans {
		if !slices.ContainsFunc(decisions, func(d fleet.Decision) bool {
			return d.Verdict == fleet.Act && d.Action == p.Kind && p.Author == "rule:"+d.Rule && p.Reason.Code == d.Reason.Code
		}) {
			t.Errorf("plan %s of %s (%s) comes from no decision of its incident", p.Kind, p.Author, p.Reason)
		}
		if !slices.ContainsFunc(audit, func(e view.Event) bool { return e.Plan == p.ID && e.Incident == i.ID && e.Author == p.Author }) {
			t.Errorf("the audit does not know plan %s of %s", p.Kind, i.Title)
		}
	}
	s.oneMessage(t, i, own, audit)
}

// oneMessage holds what was sent about an incident against its decisions, code by code and word by word.
func (s tale) oneMessage(t *testing.T, i fleet.Incident, decisions []fleet.Decision, audit []view.Event) {
	t.Helper()
	messages, err := s.store.Messages(t.Context(), "", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	fired := 0
	for _, m := range messages {
		if m.Incident != i.ID || m.Kind == fleet.MessageResolved || m.State != fleet.MessageSent {
			continue
		}
		fired++
		if !slices.ContainsFunc(decisions, func(d fleet.Decision) bool {
			return m.Lines[0].Code == d.Reason.Code && slices.ContainsFunc(m.Lines, func(l fleet.Reason) bool { return outlookOf(l) == outlookOf(d.Outlook()) })
		}) {
			t.Errorf("the message about %s says what nobody decided: %s", i.Title, m.Lines)
			for _, d := range decisions {
				t.Logf("decided at %s: %s, %s", d.At, d.Reason, d.Outlook())
			}
		}
		sentence := s.words.Text(i18n.ZH, m.Lines[0].Code, m.Lines[0].Args)
		if !slices.ContainsFunc(s.robot, func(said string) bool { return strings.Contains(plainText(said), plainText(sentence)) }) {
			t.Errorf("the robot was not told %q but %q", sentence, s.robot)
		}
	}
	if !i.Told.IsZero() && fired == 0 {
		t.Errorf("%s counts as told, and no message is on record", i.Title)
	}
	if fired > 0 && !slices.ContainsFunc(audit, func(e view.Event) bool { return e.Kind == string(fleet.EventMessage) && e.Incident == i.ID }) {
		t.Errorf("the audit does not know that somebody was told of %s", i.Title)
	}
}

// outlookOf is what follows, without when: what is told is told with the newest numbers, of which there is no event, and a
// date that has come near is none any more.
func outlookOf(r fleet.Reason) string { return strings.TrimSuffix(r.Code, "_until") }

// plainText is a text without what marks it up for a chat.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("\\*_`#>~ \n", r) {
			return -1
		}
		return r
	}, s)
}

// oneCount holds the metrics against the record: open incidents and ended plans, no more and no fewer.
func (s tale) oneCount(t *testing.T, all []fleet.Incident) {
	t.Helper()
	open := map[fleet.Severity]int{}
	for _, i := range all {
		if i.Open() {
			open[i.Severity]++
		}
	}
	for _, severity := range []fleet.Severity{fleet.Info, fleet.Warning, fleet.Critical} {
		s.counts(t, fmt.Sprintf("phalops_incidents_open{severity=%q}", severity), open[severity])
	}
	plans, err := s.store.Plans(t.Context(), store.PlanFilter{})
	if err != nil {
		t.Fatal(err)
	}
	ended := map[string]int{}
	for _, p := range plans {
		ended[fmt.Sprintf("phalops_actions_total{kind=%q,outcome=%q}", p.Kind, p.State)]++
	}
	for name, n := range ended {
		s.counts(t, name, n)
	}
	if n := counted(s.metrics); n != len(plans) {
		t.Errorf("the metrics count %d actions, %d are on record", n, len(plans))
	}
}

func (s tale) counts(t *testing.T, name string, want int) {
	t.Helper()
	if !strings.Contains(s.metrics, fmt.Sprintf("%s %d\n", name, want)) && (want > 0 || strings.Contains(s.metrics, name+" ")) {
		t.Errorf("the metrics do not count %d of %s", want, name)
	}
}
