package i18n

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"phalops/internal/fleet"
)

func catalogOf(t *testing.T, files map[string]string) *Catalog {
	t.Helper()
	c, err := load(dirOf(files))
	if err != nil {
		t.Fatal(err)
	}
	return c.In(time.UTC)
}

func dirOf(files map[string]string) fstest.MapFS {
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}

func TestTextFormatsEveryKindOfPlaceholder(t *testing.T) {
	c := catalogOf(t, map[string]string{"a.json": `{
		"plain":   {"zh": "节点 {node}", "en": "node {node}"},
		"dur":     {"zh": "已 {for|dur}", "en": "for {for|dur}"},
		"time":    {"zh": "{at|time} 起", "en": "since {at|time}"},
		"ref":     {"zh": "{who|ref} 出错", "en": "{who|ref} failed"},
		"num":     {"zh": "高度 {h|num}", "en": "height {h|num}"},
		"outer":   {"zh": "原因：{why|code}", "en": "cause: {why|code}"},
		"inner":   {"zh": "{err} 被拒绝", "en": "{err} was refused"},
		"loop":    {"zh": "{why|code}", "en": "{why|code}"},
		"plural":  {"zh": "{n} 步", "en": "{n} {n|plural:step is:steps are} due"},
		"braces":  {"zh": "{{err}:{err}}", "en": "{{err}:{err}}"},
		"kind.fleet": {"zh": "整个机群", "en": "the whole fleet"}
	}`})
	for _, tc := range []struct {
		code, args, zh, en string
	}{
		{"plain", "node=node-1", "节点 node-1", "node node-1"},
		{"plain", "", "节点 «node»", "node «node»"},
		{"dur", "for=1h20m0s", "已 1 小时 20 分", "for 1 h 20 min"},
		{"dur", "for=soon", "已 soon", "for soon"},
		{"time", "at=2026-03-04T05:06:07Z", "03-04 05:06:07 起", "since 03-04 05:06:07"},
		{"time", "at=2026-03-04T05:06:07+08:00", "03-03 21:06:07 起", "since 03-03 21:06:07"},
		{"time", "at=yesterday", "yesterday 起", "since yesterday"},
		{"ref", "who=worker/prb-a/7a0c", "7a0c 出错", "7a0c failed"},
		{"ref", "who=fleet", "整个机群 出错", "the whole fleet failed"},
		{"num", "h=2761100", "高度 2,761,100", "height 2,761,100"},
		{"plural", "n=1", "1 步", "1 step is due"},
		{"plural", "n=2", "2 步", "2 steps are due"},
		{"plural", "n=0", "0 步", "0 steps are due"},
		{"plural", "n=some", "some 步", "some steps are due"},
		{"outer", "why=inner;err=x", "原因：x 被拒绝", "cause: x was refused"},
		{"outer", "why=Stalled", "原因：Stalled", "cause: Stalled"},
		{"loop", "why=loop", "loop why=loop", "loop why=loop"},
		{"braces", "err=e", "{err}:e}", "{err}:e}"},
		{"no.such.code", "b=2;a=1", "no.such.code a=1 b=2", "no.such.code a=1 b=2"},
	} {
		args := map[string]string{}
		for _, pair := range strings.FieldsFunc(tc.args, func(r rune) bool { return r == ';' }) {
			k, v, _ := strings.Cut(pair, "=")
			args[k] = v
		}
		if got := c.Text(ZH, tc.code, args); got != tc.zh {
			t.Errorf("%s %v in zh: %q, want %q", tc.code, args, got, tc.zh)
		}
		if got := c.Text(EN, tc.code, args); got != tc.en {
			t.Errorf("%s %v in en: %q, want %q", tc.code, args, got, tc.en)
		}
	}
	if got, want := c.Text("fr", "plain", nil), "node «node»"; got != want {
		t.Errorf("a foreign language reads %q, want English %q", got, want)
	}
}

func TestNamingAndZone(t *testing.T) {
	c := catalogOf(t, map[string]string{"a.json": `{"x": {"zh": "{who|ref} {at|time}", "en": "{who|ref} {at|time}"}}`})
	named := c.In(time.FixedZone("CST", 8*3600)).Naming(func(ref string) string {
		if ref == "worker/prb-a/7a0c" {
			return "w-017"
		}
		return ""
	})
	at := map[string]string{"who": "worker/prb-a/7a0c", "at": "2026-03-04T20:06:07Z"}
	if got, want := named.Text(ZH, "x", at), "w-017 03-05 04:06:07"; got != want {
		t.Errorf("named: %q, want %q", got, want)
	}
	at["who"] = "node/node-1"
	if got, want := named.Text(ZH, "x", at), "node-1 03-05 04:06:07"; got != want {
		t.Errorf("unknown to the resolver: %q, want %q", got, want)
	}
	if got, want := c.Text(ZH, "x", at), "node-1 03-04 20:06:07"; got != want {
		t.Errorf("the first catalogue was changed: %q, want %q", got, want)
	}
}

func TestLoadRefusesMalformedFiles(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"not an object":     {map[string]string{"a.json": `[]`}, "a.json: not a JSON object"},
		"torn":              {map[string]string{"a.json": `{"x": {"zh": "a"`}, "a.json: x:"},
		"empty":             {map[string]string{"a.json": ``}, "a.json: EOF"},
		"tail":              {map[string]string{"a.json": `{} {}`}, "something follows"},
		"one language":      {map[string]string{"a.json": `{"x": {"zh": "a"}}`}, "x has no en text"},
		"third language":    {map[string]string{"a.json": `{"x": {"zh": "a", "en": "b", "fr": "c"}}`}, `unknown field "fr"`},
		"twice in a file":   {map[string]string{"a.json": `{"x": {"zh": "a", "en": "b"}, "x": {"zh": "a", "en": "b"}}`}, "x is already in a.json"},
		"twice in two":      {map[string]string{"a.json": `{"x": {"zh": "a", "en": "b"}}`, "b.json": `{"x": {"zh": "a", "en": "b"}}`}, "b.json: x is already in a.json"},
		"unknown format":    {map[string]string{"a.json": `{"x": {"zh": "{a|hex}", "en": "b"}}`}, "{a|hex} has an unknown format"},
		"empty format":      {map[string]string{"a.json": `{"x": {"zh": "{a|}", "en": "b"}}`}, "{a|} has an unknown format"},
		"half a plural":     {map[string]string{"a.json": `{"x": {"zh": "a", "en": "{a|plural:step}"}}`}, "{a|plural:step} has an unknown format"},
		"three plurals":     {map[string]string{"a.json": `{"x": {"zh": "a", "en": "{a|plural:a:b:c}"}}`}, "{a|plural:a:b:c} has an unknown format"},
		"no name":           {map[string]string{"a.json": `{"x": {"zh": "a", "en": "{}"}}`}, "{} has no proper name"},
		"never closed":      {map[string]string{"a.json": `{"x": {"zh": "a", "en": "b {c"}}`}, "{c is never closed"},
		"every bad file":    {map[string]string{"a.json": `[]`, "b.json": `[]`}, "b.json: not a JSON object"},
		"name with a blank": {map[string]string{"a.json": `{"x": {"zh": "{a b}", "en": "b"}}`}, "{a b} has no proper name"},
	} {
		_, err := load(dirOf(tc.files))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
	}
}

func TestBothLanguagesHaveTheSamePlaceholders(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range slices.Sorted(maps.Keys(c.entries)) {
		e := c.entries[code]
		zh, en := e.text[ZH].names(), e.text[EN].names()
		if !maps.Equal(zh, en) {
			t.Errorf("%s: %s: placeholders differ: zh %v, en %v", e.file, code, slices.Sorted(maps.Keys(zh)), slices.Sorted(maps.Keys(en)))
		}
		if strings.Trim(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") != "" || !strings.Contains(code, ".") {
			t.Errorf("%s: %q is not a dotted code", e.file, code)
		}
	}
}

// TestNobodyReadsAnOptionalPlural: a number's word follows the number, "1 step" and "2 steps" ({n|plural:step:steps}).
func TestNobodyReadsAnOptionalPlural(t *testing.T) {
	c := loaded(t)
	for code, e := range c.entries {
		for lang, s := range e.text {
			for _, p := range s {
				if strings.Contains(p.literal, "(s)") {
					t.Errorf("%s: %s (%s) says %q", e.file, code, lang, p.literal)
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a {b} c", "{{", "{a|dur}", "{", "}", "{a|", "{|dur}", "节点 {node|ref}：{{x}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text)
		if err != nil {
			return
		}
		// Writing the parts back gives a text that means the same.
		var b strings.Builder
		for _, p := range s {
			switch {
			case p.name == "":
				b.WriteString(strings.ReplaceAll(p.literal, "{", "{{"))
			case p.format == asIs:
				b.WriteString("{" + p.name + "}")
			default:
				b.WriteString("{" + p.name + "|" + string(p.format) + "}")
			}
		}
		again, err := parse(b.String())
		if err != nil || !slices.Equal(s, again) {
			t.Errorf("%q → %v → %q → %v, %v", text, s, b.String(), again, err)
		}
	})
}

// An error that carries a sentence is said inside another one, not as its code; foreign text that only looks so is shown.
func TestAnArgumentMayBeASentence(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	inner := fleet.Fail(fleet.Unavailable, fleet.Because("host.engine_unreachable", "engine", "unix:///x.sock", "host", "h", "err", "refused"))
	r := fleet.Because("error.other", "err", fmt.Errorf("inspect: %w", inner))
	want := c.Text(EN, inner.Reason.Code, inner.Reason.Args)
	if got := c.Text(EN, r.Code, r.Args); got != want || strings.Contains(got, "host.engine") {
		t.Errorf("said %q, want %q", got, want)
	}
	for _, foreign := range []string{"reason:", "reason:{", `reason:{"code":"no.such"}`, `reason:[1]`} {
		if got := c.Text(EN, "error.other", map[string]string{"err": foreign}); got != foreign {
			t.Errorf("%q became %q", foreign, got)
		}
	}
}
