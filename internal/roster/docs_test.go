package roster_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/roster"
)

const page = "../../docs/lists.md"

// TestPageParses reads every example of docs/lists.md in the form that its fence says.
func TestPageParses(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, m := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		fence, text := m[1], m[2]
		seen[fence]++
		if fence == "pools" {
			list, err := roster.ParsePools(strings.NewReader(text), roster.PoolOptions{})
			if err != nil || len(list.Problems) > 0 || len(list.Entries) == 0 {
				t.Errorf("%v %v\n%s", err, list.Problems, text)
			}
			continue
		}
		forms := map[string]roster.Form{"text": roster.FormLines, "csv": roster.FormTable, "yml": roster.FormYAML}
		if list := parsed(t, text, roster.Options{}); list.Form != forms[fence] || len(list.Entries) == 0 {
			t.Errorf("%s, not %q:\n%s", list.Form, fence, text)
		}
	}
	if diff := cmp.Diff(map[string]int{"text": 1, "csv": 1, "yml": 1, "pools": 3}, seen); diff != "" {
		t.Error(diff)
	}
}

// TestPageKnowsEveryColumn: each name that the page gives for a column is one, and means the same as the column itself.
func TestPageKnowsEveryColumn(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"name": "w", "endpoint": "10.0.0.1", "pid": "83", "stake": "10", "enabled": "yes", "sync_only": "yes", "bridge": "prb-a"}
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]*) \\|").FindAllStringSubmatch(string(b), -1)
	if len(rows) != len(values) {
		t.Fatalf("%d columns", len(rows))
	}
	for _, row := range rows {
		want := briefs(parsed(t, table(row[1], values[row[1]]), roster.Options{}).Entries)
		also, opposite, _ := strings.Cut(row[2], ";")
		for _, name := range regexp.MustCompile(`[\p{L}_]+`).FindAllString(also, -1) {
			if diff := cmp.Diff(want, briefs(parsed(t, table(name, values[row[1]]), roster.Options{}).Entries)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		for _, name := range regexp.MustCompile("`\\w+`|停用|禁用").FindAllString(opposite, -1) {
			if diff := cmp.Diff(want, briefs(parsed(t, table(strings.Trim(name, "`"), "no"), roster.Options{}).Entries)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

// table is a list with one column besides the address.
func table(column, value string) string {
	if value == "10.0.0.1" {
		return column + ",pid\n" + value + ",83\n"
	}
	return column + ",endpoint\n" + value + ",10.0.0.1\n"
}
