package rule

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEveryFieldIsDocumented holds docs/rules.md against what conditions can see and call.
func TestEveryFieldIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	_, table, _ := strings.Cut(text, "\n## Fields")
	rows := map[string][]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| ([^|]*) \\| ([^|]*) \\| ([^|]*) \\|$").FindAllStringSubmatch(table, -1) {
		if rows[m[1]] != nil {
			t.Errorf("%s is documented twice", m[1])
		}
		rows[m[1]] = m[2:]
	}
	han := regexp.MustCompile(`\p{Han}`)
	for _, f := range Fields() {
		want := f.Type
		if f.May {
			want += ", may be unknown"
		}
		row := rows[f.Name]
		switch delete(rows, f.Name); {
		case row == nil:
			t.Errorf("%s is not documented", f.Name)
		case row[0] != want:
			t.Errorf("%s is documented as %q, it is %q", f.Name, row[0], want)
		case row[1] == "" || han.MatchString(row[1]):
			t.Errorf("%s has no English text", f.Name)
		case !regexp.MustCompile(`\p{Han}|^V`).MatchString(row[2]):
			t.Errorf("%s has no Chinese text", f.Name)
		}
		for _, word := range vocabulary(f.Name) {
			if row != nil && !strings.Contains(row[1], "`"+word+"`") {
				t.Errorf("%s can be %s, which is not documented", f.Name, word)
			}
		}
	}
	for name := range rows {
		t.Errorf("%s is documented and does not exist", name)
	}
	for _, name := range Functions() {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("the function %s is not documented", name)
		}
	}
	for _, limit := range []int{MaxSource, MaxMessage} {
		if !strings.Contains(text, strconv.Itoa(limit)) {
			t.Errorf("the limit %d is not documented", limit)
		}
	}
}
