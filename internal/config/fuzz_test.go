package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"phalops/internal/config"
)

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(config.Starter("zh"))
	f.Add([]byte("a: &a [*a, *a]\nsites: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := config.Parse(data)
		if len(problems) > 201 {
			t.Fatalf("%d problems", len(problems))
		}
		for i, p := range problems {
			if p.Reason.IsZero() || p.Line < 0 || p.Column < 0 {
				t.Fatalf("%+v", p)
			}
			if i > 0 && p.Line > 0 && p.Line < problems[i-1].Line {
				t.Fatalf("problems are not in order: %+v", problems)
			}
		}
		if len(problems) > 0 {
			return
		}
		shown, err := config.Show(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, again := config.Parse(shown); len(again) > 0 {
			t.Fatalf("what is shown is refused: %+v\n%s", again, shown)
		}
	})
}

// Small files that stand for huge ones, and files that are nothing but mistakes. Without bounds each of these takes minutes.
func TestBounds(t *testing.T) {
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	var unknown strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&unknown, "k%d: 1\n", i)
	}
	for name, c := range map[string]struct{ text, code string }{
		"aliases of aliases": {
			"sites: [{name: a}]\nalerts:\n  channels: {d: {type: dingtalk, token: env:A}}\n  routes:\n    - &r {severity: critical, to: [" +
				many("d,", 2_000) + "]}\n" + many("    - *r\n", 2_000), "config.too_many_values",
		},
		"itself":       {"sites: &s [{name: a, nodes: *s}]\n", "config.unknown_key"},
		"unknown keys": {unknown.String(), "config.too_many"},
		"deep":         {many("[", 50_000), "config.syntax"},
		"ranges":       {"sites: [{name: a}]\nhosts:\n" + many("  ? [x]\n", 10) + "  w-[1-9999]: {address: 127.0.0.1}\n  w-[1-9998]: {address: 127.0.0.1}\n", "config.too_many_hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := config.Parse([]byte(c.text))
			for _, p := range problems {
				if p.Reason.Code == c.code {
					return
				}
			}
			t.Errorf("no %s among %d problems", c.code, len(problems))
		})
	}
}

const marker = "SECd41d8cd98f00b204e980"

// One slip of the finger anywhere in a file with secrets in plain: whatever becomes of them, the report does not repeat them.
func TestSecretsSurviveNoSlip(t *testing.T) {
	source := []rune(`lang: zh
sites:
  - name: dc1
    bridges: [ { name: b, version: v2, url: "http://127.0.0.1:3000", node: n } ]
    pools: [ { pid: 1, operator: MARK } ]
alerts:
  channels:
    flow: { type: dingtalk, token: MARK, secret: "MARK", at: ["13800000000"] }
    block:
      type: dingtalk
      token: MARK # MARK
      secret: 'MARK'
      url: https://oapi.dingtalk.com/robot/send?access_token=MARK
    list:
      - MARK
  routes: [ { severity: critical, to: flow } ]
`)
	noise := []rune(" :,#'\"\n\t-{}[]&*!|>%@?\\~x0\u2028中\r")
	rapid.Check(t, func(t *rapid.T) {
		text := append([]rune(nil), source...)
		for range rapid.IntRange(1, 3).Draw(t, "slips") {
			at := rapid.IntRange(0, len(text)-2).Draw(t, "at")
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0: // delete
				text = append(text[:at:at], text[at+1:]...)
			case 1: // insert
				text = append(text[:at:at], append([]rune{rapid.SampledFrom(noise).Draw(t, "rune")}, text[at:]...)...)
			case 2: // replace
				text[at] = rapid.SampledFrom(noise).Draw(t, "rune")
			case 3: // swap
				text[at], text[at+1] = text[at+1], text[at]
			}
		}
		_, problems := config.Parse([]byte(strings.ReplaceAll(string(text), "MARK", marker)))
		report, err := json.Marshal(problems)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(report), marker[3:]) {
			t.Fatalf("%s\n%s", string(text), report)
		}
	})
}
