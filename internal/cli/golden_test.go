package cli

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"go.yaml.in/yaml/v4"

	"phalops/internal/i18n"
	"phalops/internal/roster"
)

// shown are the commands that answer questions about a fleet.
var shown = map[string][]string{
	"status":           {"status"},
	"node_list":        {"node", "list"},
	"node_status":      {"node", "status", "--name", "node-2"},
	"bridge_list":      {"bridge", "list"},
	"bridge_status":    {"bridge", "status"},
	"worker_list":      {"worker", "list"},
	"worker_chain":     {"worker", "list", "--chain"},
	"worker_differs":   {"worker", "list", "--differs"},
	"pool_list":        {"pool", "list"},
	"pool_queue":       {"pool", "list", "--queue"},
	"worker_bad":       {"worker", "status", "--condition", "failed,Unresponsive"},
	"worker_why":       {"worker", "why", "--name", "w-0[12]"},
	"worker_suspect":   {"worker", "why", "--name", "w-04"},
	"incident_list":    {"incident", "list"},
	"incident_show":    {"incident", "show", stalledIncident},
	"plan_list":        {"plan", "list", "--all"},
	"plan_show":        {"plan", "show", stalledPlan},
	"plan_show_failed": {"plan", "show", workerPlan},
	"audit_list":       {"audit", "list", "--since", "100h"},
}

func TestTables(t *testing.T) {
	f := newFixture(t)
	for name, args := range shown {
		for _, lang := range i18n.Langs() {
			t.Run(name+"/"+string(lang), func(t *testing.T) {
				r := f.run(t, lang, args...)
				if r.code != exitDone {
					t.Errorf("exit %d", r.code)
				}
				golden(t, lang, name, r.out+"--- stderr\n"+r.err)
			})
		}
	}
}

// run types a command into a shell on the fixture's clock.
func (f fixture) run(t *testing.T, lang i18n.Lang, args ...string) result {
	t.Helper()
	return shell{lang: lang, clock: f.clock}.run(t, append(args, "-c", f.config, "--lang", string(lang))...)
}

// TestFormats reads every answer back in every machine format.
func TestFormats(t *testing.T) {
	f := newFixture(t)
	for name, args := range shown {
		for format, read := range map[string]func(string) error{
			"json": func(s string) error { return json.Unmarshal([]byte(s), new(any)) },
			"yaml": func(s string) error { return yaml.Unmarshal([]byte(s), new(any)) },
			"csv": func(s string) error {
				_, err := csv.NewReader(strings.NewReader(s)).ReadAll()
				return err
			},
		} {
			t.Run(name+"/"+format, func(t *testing.T) {
				t.Parallel()
				r := f.run(t, i18n.ZH, append(args, "-o", format)...)
				if r.code != exitDone || r.err != "" || r.out == "" {
					t.Fatalf("exit %d, stderr %q, stdout %q", r.code, r.err, r.out)
				}
				if err := read(r.out); err != nil {
					t.Fatalf("%v in:\n%s", err, r.out)
				}
				if head, _, _ := strings.Cut(r.out, "\n"); format == "csv" && strings.Trim(head, "abcdefghijklmnopqrstuvwxyz_,") != "" {
					t.Errorf("the columns' names depend on the language: %s", head)
				}
			})
		}
	}
}

func TestCSVIsForPrograms(t *testing.T) {
	f := newFixture(t)
	r := f.run(t, i18n.ZH, "worker", "list", "--name", "w-02", "-o", "csv")
	want := "worker,bridge,pool,condition,since,state,height,moved,session,message,endpoint,stake,enabled,sync_only\n" +
		"w-02,prb-a,83,Failed,840,S_ERROR,3512340,840,WorkerIdle,Error: connect ECONNREFUSED 127.1.1.2:8000,http://127.1.1.2:8000,10,true,false\n"
	if r.out != want {
		t.Errorf("got\n%s\nwant\n%s", r.out, want)
	}
}

// TestWorkerListCanBeAdded: every form that worker list prints for programs is a list for worker add.
func TestWorkerListCanBeAdded(t *testing.T) {
	f := newFixture(t)
	for _, format := range []string{"csv", "yaml", "json"} {
		r := f.run(t, i18n.ZH, "worker", "list", "-o", format)
		list, err := roster.Parse(strings.NewReader(r.out), roster.Options{NeedPID: true})
		if err != nil || len(list.Problems) > 0 || len(list.Entries) < 3 {
			t.Fatalf("%s: %v %v %d\n%s", format, err, list.Problems, len(list.Entries), r.out)
		}
		if e := list.Entries[1]; e.Name != "w-02" || e.Endpoint != "http://127.1.1.2:8000" || *e.PID != 83 || e.Bridge != "prb-a" || !*e.Enabled {
			t.Errorf("%s: %+v", format, e)
		}
	}
}

// TestColumnsLineUp looks for the beginning of the same column in every line, counted in terminal columns.
func TestColumnsLineUp(t *testing.T) {
	f := newFixture(t)
	for _, lang := range i18n.Langs() {
		out := f.run(t, lang, "worker", "list").out
		at := map[string]int{"S_ACTIVE": -1, "WorkerIdle": -1, "prb-a": -1}
		for word, first := range at {
			for line := range strings.Lines(out) {
				before, _, found := strings.Cut(line, word)
				if !found {
					continue
				}
				if w := text.StringWidth(before); first < 0 {
					first = w
				} else if w != first {
					t.Errorf("%s: %s is at column %d and at %d:\n%s", lang, word, first, w, out)
				}
			}
			if first < 0 {
				t.Errorf("%s: no %s in\n%s", lang, word, out)
			}
		}
	}
}

// TestNarrow wraps the last column to a terminal of 80 columns and nothing else; a pipe is never wrapped.
func TestNarrow(t *testing.T) {
	f := newFixture(t)
	for _, lang := range i18n.Langs() {
		s := shell{lang: lang, clock: f.clock, width: 80}
		for _, args := range [][]string{{"status"}, {"worker", "why", "--name", "w-0[12]"}, {"incident", "show", stalledIncident}, {"node", "list"}, {"bridge", "list"}, {"incident", "list"}, {"worker", "list", "--help"}, {"plan", "--help"}} {
			r := s.run(t, append(args, "-c", f.config, "--lang", string(lang))...)
			for line := range strings.Lines(r.out) {
				if w := text.StringWidth(strings.TrimRight(line, "\n")); w > 80 && !strings.Contains(line, "01a20409-") {
					t.Errorf("%s %v: %d columns: %s", lang, args, w, line)
				}
			}
		}
	}
}

// TestColour is only on a terminal, and never where somebody asked for none.
func TestColour(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]struct {
		s    shell
		args []string
		want bool
	}{
		"terminal":   {s: shell{tty: true}, want: true},
		"pipe":       {s: shell{}},
		"NO_COLOR":   {s: shell{tty: true, env: map[string]string{"NO_COLOR": "1"}}},
		"dumb":       {s: shell{tty: true, env: map[string]string{"TERM": "dumb"}}},
		"--no-color": {s: shell{tty: true}, args: []string{"--no-color"}},
		"csv":        {s: shell{tty: true}, args: []string{"-o", "csv"}},
		"json":       {s: shell{tty: true}, args: []string{"-o", "json"}},
	} {
		c.s.clock = f.clock
		r := c.s.run(t, append([]string{"worker", "list", "-c", f.config}, c.args...)...)
		if got := strings.Contains(r.out, "\x1b["); got != c.want {
			t.Errorf("%s: colour %v, want %v", name, got, c.want)
		}
	}
}
