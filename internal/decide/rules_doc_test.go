package decide

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var rulesDoc = filepath.Join("..", "..", "docs", "worker-rules.md")

// TestRulesAreDocumented holds docs/worker-rules.md against the tables; -update writes them into it.
func TestRulesAreDocumented(t *testing.T) {
	raw, err := os.ReadFile(rulesDoc)
	if err != nil {
		t.Fatal(err)
	}
	old := string(raw)
	text := putIn(t, old, "errors", errorTables())
	text = putIn(t, text, "steps", stepTable())
	if text == old {
		return
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(rulesDoc, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is out of date: go test ./internal/decide -run TestRulesAreDocumented -update", rulesDoc)
}

func putIn(t *testing.T, text, mark, put string) string {
	t.Helper()
	begin := "<!-- " + mark + " -->\n"
	head, rest, ok := strings.Cut(text, begin)
	_, tail, end := strings.Cut(rest, "<!-- end -->")
	if !ok || !end {
		t.Fatalf("no mark %s", mark)
	}
	return head + begin + put + "<!-- end -->" + tail
}

func errorTables() string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		rules []errorRule
	}{
		{"Chain (v0, v2, v3) · 链上", txErrors},
		{"Bridge (v0, v2) · 桥", prbErrors},
		{"pRuntime (v0, v2, v3)", pruntimeErrors},
		{"prb-wm (v3), first rows · v3 开头", v3Outer},
		{"prb-wm (v3), last rows · v3 其余", v3Errors},
	} {
		fmt.Fprintf(&b, "### %s\n\n| error.NAME | text | what follows · 处理 | points at · 指向 |\n|---|---|---|---|\n", part.title)
		for _, r := range part.rules {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.name, quoted(r.any), follows(r), r.cause)
		}
		b.WriteString("\n")
	}
	b.WriteString("Every other text is `error.unknown`: one restart, then a person. v0 also knows `error.no_pool`. · 其他文本：重启一次，再通知人。\n")
	return b.String()
}

func stepTable() string {
	var b strings.Builder
	b.WriteString("| step.NAME | text | patience · 期限 | points at · 指向 |\n|---|---|---|---|\n")
	for _, s := range slices.Concat(prbSteps, v3Steps) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.name, quoted(s.any), minutes(s.wait), s.cause)
	}
	fmt.Fprintf(&b, "| `other` | every other text · 其他文本 | %s | |\n", minutes(otherStep.wait))
	return b.String()
}

func quoted(parts []string) string {
	var out []string
	for _, p := range parts {
		out = append(out, "`"+strings.TrimSpace(p)+"`")
	}
	return strings.Join(out, ", ")
}

func follows(r errorRule) string {
	switch r.want {
	case wantPerson:
		return "a person · 通知人"
	case wantTime:
		return "passes by itself; a person after " + minutes(r.hold) + " · 等待自愈"
	}
	s := "restart after " + minutes(r.hold)
	if r.tries > 0 {
		s += fmt.Sprintf(", at most %d×", r.tries)
	}
	if r.told {
		s += ", a person at once"
	}
	return s + " · 重启"
}

func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
