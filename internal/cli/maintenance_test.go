package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/store"
	"phalops/internal/view"
)

// withWindow is the fixture of the night with a window in its configuration that opens every minute.
func withWindow(t *testing.T) fixture {
	t.Helper()
	f := newFixture(t)
	text, err := os.ReadFile(f.config)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "  - name: dc2\nmaintenance:\n  - { name: backups, at: \"* * * * *\", for: 5m, sites: [dc2] }\n"...)
	if err := os.WriteFile(f.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestMaintenance opens, shows and closes windows, as a person reads it.
func TestMaintenance(t *testing.T) {
	for _, lang := range i18n.Langs() {
		f := withWindow(t)
		var page strings.Builder
		for _, args := range [][]string{
			{"maintenance", "list"},
			{"maintenance", "on", "--site", "dc1", "--for", "2h", "--dry-run", "replace", "the", "switch"},
			{"maintenance", "on", "--site", "dc1", "--for", "2h", "replace", "the", "switch"},
			{"maintenance", "on", "--all", "--for", "30m"},
			{"status"},
			{"maintenance", "off", "--site", "dc1"},
			{"maintenance", "off", "--site", "dc1"},
			{"maintenance", "off", "--all"},
			{"audit", "list", "--since", "1m"},
		} {
			r := f.run(t, lang, args...)
			if r.code != exitDone {
				t.Errorf("%v: exit %d", args, r.code)
			}
			windows, err := f.store.Maintenance(t.Context(), time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range windows {
				r.out = strings.ReplaceAll(r.out, w.ID, fmt.Sprintf("0a1b2c3%d", i+1))
			}
			page.WriteString("$ phalops " + strings.Join(args, " ") + "\n" + r.out + "--- stderr\n" + r.err + "\n")
			f.clock.Advance(time.Second)
		}
		golden(t, lang, "maintenance", page.String())
	}
}

// What a window does not make sense for is refused, with the contract's exit codes, and nothing is written.
func TestMaintenanceRefuses(t *testing.T) {
	f := withWindow(t)
	for _, args := range [][]string{
		{"on", "--site", "dc1"},
		{"on", "--for", "1h"},
		{"on", "--site", "dc1", "--all", "--for", "1h"},
		{"on", "--site", "dc1", "--for", "59s"},
		{"on", "--site", "dc1", "--for", "169h"},
		{"on", "--site", "dc1", "--for", "-1h"},
		{"on", "--site", "dc9", "--for", "1h"},
		{"on", "--all", "--for", "1h", "two\nlines"},
		{"on", "--all", "--for", "1h", strings.Repeat("长", 201)},
		{"off"},
		{"off", "--site", "dc9"},
		{"off", "0a1b2c3d"},
		{"off", "--all", "0a1b2c3d"},
	} {
		if r := f.run(t, i18n.EN, append([]string{"maintenance"}, args...)...); r.code != exitUsage || r.out != "" || r.err == "" {
			t.Errorf("%v: exit %d, %q %q", args, r.code, r.out, r.err)
		}
	}
	if left, err := f.store.Maintenance(t.Context(), time.Time{}); err != nil || len(left) > 0 {
		t.Errorf("written: %v %v", left, err)
	}
}

// What a person opens and closes is what the store has, for programs and for the audit.
func TestMaintenanceIsWritten(t *testing.T) {
	f := withWindow(t)
	read := func(args ...string) (out []view.Maintenance) {
		t.Helper()
		r := f.run(t, i18n.EN, append([]string{"maintenance"}, append(args, "-o", "json")...)...)
		if err := json.Unmarshal([]byte(r.out), &out); err != nil || r.code != exitDone {
			t.Fatalf("%v: exit %d, %v", args, r.code, err)
		}
		return out
	}
	covered := func() (out []string) {
		t.Helper()
		windows, err := f.store.Maintenance(t.Context(), f.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, site := range []string{"dc1", "dc2"} {
			if slices.ContainsFunc(windows, func(w fleet.Maintenance) bool { return w.Covers(site, f.clock.Now()) }) {
				out = append(out, site)
			}
		}
		return out
	}
	all := read("on", "--all", "--for", "1h", "电源检修")
	if len(all) != 2 || all[0].Author != "user:ada" || all[0].Why != "电源检修" || !all[0].Open || len(all[0].Sites) != 0 || all[1].ID != "backups" || all[1].Source != view.FromConfiguration {
		t.Errorf("after on: %+v", all)
	}
	if got := covered(); !slices.Equal(got, []string{"dc1", "dc2"}) {
		t.Errorf("covered: %v", got)
	}
	if got := read("off", "--site", "dc2"); !slices.Equal(got[0].Sites, []string{"dc1"}) || !slices.Equal(covered(), []string{"dc1"}) {
		t.Errorf("after off of one: %+v, covered %v", got, covered())
	}
	read("off", all[0].ID)
	if got := covered(); len(got) > 0 {
		t.Errorf("after its end: %v", got)
	}
	read("on", "--site", "dc2", "--for", "1h")
	f.clock.Advance(time.Hour)
	if got := covered(); len(got) > 0 {
		t.Errorf("an hour later: %v", got)
	}
	events, err := f.store.Events(t.Context(), store.EventFilter{Kinds: []fleet.EventKind{fleet.EventMaintenance}})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, e := range events {
		said = append(said, string(e.Target)+" "+e.Reason.Code+" "+e.Author)
	}
	if want := []string{"fleet maintenance.opened_why user:ada", "site/dc2 maintenance.left user:ada", "site/dc1 maintenance.closed user:ada", "site/dc2 maintenance.opened user:ada"}; !slices.Equal(said, want) {
		t.Errorf("the audit says %q", said)
	}
}
