package config_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/config"
	"phalops/internal/fleet"
)

func TestProblemJSON(t *testing.T) {
	p := config.Problem{Line: 3, Column: 7, Path: "sites[0].name", Reason: fleet.Because("config.bad_name", "value", "a b"), Excerpt: "  - name: a b"}
	b, err := json.Marshal(config.Problems{p})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"line":3,"column":7,"path":"sites[0].name","code":"config.bad_name","args":{"value":"a b"},"excerpt":"  - name: a b"}]`
	if string(b) != want {
		t.Errorf("%s\nwant %s", b, want)
	}
	var back config.Problems
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Problems{p}, back); diff != "" {
		t.Error(diff)
	}
	if b, err := json.Marshal(config.Problem{}); err != nil || string(b) != `{"line":0,"column":0,"path":"","code":"","args":{},"excerpt":""}` {
		t.Errorf("%s %v", b, err)
	}
}

func TestCaret(t *testing.T) {
	for _, c := range []struct {
		excerpt string
		column  int
		want    string
	}{
		{"abc", 1, "^"},
		{"abc", 3, "  ^"},
		{"名称: x", 5, "      ^"}, // two cells for each Chinese character
		{"\ta: b", 5, "\t   ^"},
		{"abc", 4, ""},
		{"abc", 0, ""},
		{"", 1, ""},
	} {
		if got := (config.Problem{Excerpt: c.excerpt, Column: c.column}).Caret(); got != c.want {
			t.Errorf("%q column %d: %q, want %q", c.excerpt, c.column, got, c.want)
		}
	}
}
