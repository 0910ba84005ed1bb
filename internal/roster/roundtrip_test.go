package roster_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// maybe is nil or what g draws.
func maybe[T any](g *rapid.Generator[T]) *rapid.Generator[*T] { return rapid.Ptr(g, true) }

// words are texts that are awkward in CSV or YAML, besides any printable text.
func words() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"null", "~", "true", "1e3", "0x10", "- a", "a: b", "a #b", "#a", "{a", "*a", "&a", "!a", "'", `"`, `a"b`, "a,b", "a;b", "83", "机器 一", "%", "@a", "=1+1", "ip", "a:b", "---", "|", ">"}),
		rapid.StringMatching(`[\pL\pN!-~]([ -~\pL]{0,20}[\pL\pN!-~])?`),
	)
}

func entries() *rapid.Generator[[]roster.Entry] {
	return rapid.Custom(func(t *rapid.T) []roster.Entry {
		keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[\pL\p{Nd}]([\pL\p{Nd}._ -]{0,8}[\pL\p{Nd}])?`), 0, 3, rapid.ID).Draw(t, "labels")
		names := rapid.SliceOfNDistinct(words(), 1, 12, rapid.ID).Draw(t, "names")
		out := make([]roster.Entry, len(names))
		for i, name := range names {
			host := rapid.SampledFrom([]string{"10.0.0.%d", "[fd00::%d]", "gpu-%d.lan"}).Draw(t, "host")
			e := roster.Entry{
				Name:     name,
				Endpoint: fmt.Sprintf("http://"+host+":%d", i+1, rapid.IntRange(1, 65535).Draw(t, "port")),
				PID:      maybe(rapid.Uint64Range(1, roster.MaxPID)).Draw(t, "pid"),
				Enabled:  maybe(rapid.Bool()).Draw(t, "enabled"),
				SyncOnly: maybe(rapid.Bool()).Draw(t, "sync only"),
				Bridge:   rapid.SampledFrom([]string{"", "prb-a", "桥 b"}).Draw(t, "bridge"),
			}
			if stake := maybe(rapid.Uint64()).Draw(t, "stake"); stake != nil {
				a := fleet.NewAmount(*stake)
				e.Stake = &a
			}
			for _, k := range keys {
				if rapid.Bool().Draw(t, "labelled") {
					if e.Labels == nil {
						e.Labels = map[string]string{}
					}
					e.Labels[k] = words().Draw(t, "label")
				}
			}
			out[i] = e
		}
		return out
	})
}

// TestWhatIsWrittenIsReadAgain: an export is an import.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := entries().Draw(t, "entries")
		for _, form := range []roster.Form{roster.FormTable, roster.FormYAML} {
			var out bytes.Buffer
			if err := roster.Write(&out, form, want); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			list, err := roster.Parse(&out, roster.Options{})
			if err != nil || len(list.Problems) > 0 || list.Form != form {
				t.Fatalf("%v %v %s\n%s", err, list.Problems, list.Form, text)
			}
			if diff := cmp.Diff(want, list.Entries, cmp.AllowUnexported(fleet.Amount{}), cmpopts.IgnoreFields(roster.Entry{}, "Line")); diff != "" {
				t.Fatalf("%s\n%s", diff, text)
			}
			if err := foreign(form, text); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
		}
	})
}

// foreign reads an export as other programs do.
func foreign(form roster.Form, text string) error {
	if form == roster.FormYAML {
		return yaml.Unmarshal([]byte(text), new([]map[string]any))
	}
	_, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	return err
}

// TestInventoryIsAList: what a bridge tells of its workers can be added to another one, except what no bridge could live with.
func TestInventoryIsAList(t *testing.T) {
	workers := []fleet.WorkerStatus{
		{Ref: fleet.WorkerRef("prb-c", "id1"), Name: "w-1", PID: 83, Endpoint: "http://192.168.2.1:8000/", Stake: fleet.PHA(10), StakeOK: true, Enabled: true},
		{Ref: fleet.WorkerRef("prb-c", "id2"), Name: "w-2", PID: 83, Endpoint: "http://gpu/", Stake: fleet.PHA(10), SyncOnly: true},
		{Ref: fleet.WorkerRef("prb-c", "id3"), Name: "w-3", Endpoint: "192.168.2.3", Enabled: true},
		{Ref: fleet.WorkerRef("prb-c", "id4"), Name: "two\nlines", PID: 83, Endpoint: "http://192.168.2.4:8000", Enabled: true},
	}
	var list []roster.Entry
	for _, w := range workers {
		list = append(list, roster.FromWorker(w))
	}
	for form, lines := range map[roster.Form]string{roster.FormTable: "5 6", roster.FormYAML: "19"} {
		var out bytes.Buffer
		if err := roster.Write(&out, form, list); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		got, err := roster.Parse(&out, roster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var bad []string
		for _, p := range got.Problems {
			bad = append(bad, fmt.Sprint(p.Line))
		}
		want := []string{
			`"w-1" http://192.168.2.1:8000 pid=83 stake=10 enabled=true sync=false bridge=prb-c`,
			`"w-2" http://gpu:80 pid=83 enabled=false sync=true bridge=prb-c`,
			`"w-3" http://192.168.2.3:8000 enabled=true sync=false bridge=prb-c`,
		}
		var have []string
		for _, b := range briefs(got.Entries) {
			_, b, _ = strings.Cut(b, " ")
			have = append(have, b)
		}
		if diff := cmp.Diff(want, have); diff != "" || strings.Join(bad, " ") != lines {
			t.Errorf("%s: problems on %v\n%s\n%s", form, bad, diff, text)
		}
	}
}

func TestWriteFails(t *testing.T) {
	if err := roster.Write(&bytes.Buffer{}, roster.FormLines, nil); err == nil {
		t.Error("lines cannot hold everything")
	}
	for _, form := range []roster.Form{roster.FormTable, roster.FormYAML} {
		if err := roster.Write(full{}, form, []roster.Entry{{Name: "a"}}); err == nil {
			t.Errorf("%s: a full disk is no success", form)
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no space left") }
