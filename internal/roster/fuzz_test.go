package roster_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// seeds are the lists of testdata, and short ones.
func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/bad/*[!n]")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{
		"", "\ufeff83:[::1]:w\r\n", "a-[1-12]\nb-[1-9]", "\xff\xfe8\x003\x00", "\xbb\xfa", "- &a {x: *a}", "[{", "name,ip\n\"a\"\"b\",[::1]\n", "ip\t\n::1\t", "- |\n  83:::\n- ? [a]\n  : b",
		"name;ip;label.a;label.b\nw;::1;;\"x;y\"", "83:http://[::1]:8000/:w", "fd00::[1-2]", "{\"workers\":[]}", "%YAML 1.1\n---\n- a",
	} {
		f.Add([]byte(s))
	}
}

// sound checks what holds for every report.
func sound(t *testing.T, problems roster.Problems, data []byte) {
	t.Helper()
	if len(problems) > roster.MaxProblems+1 || problems.Count() < len(problems)-1 {
		t.Fatalf("%d problems of %d", len(problems), problems.Count())
	}
	lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 3*len(data)
	for _, p := range problems {
		if p.Reason.IsZero() || p.Line < 0 || p.Line > lines || p.Column < 0 || p.Line == 0 && (p.Column != 0 || p.Excerpt != "") || !utf8.ValidString(p.Excerpt) {
			t.Fatalf("%+v", p)
		}
	}
}

func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := roster.Parse(bytes.NewReader(data), roster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, list.Problems, data)
		if len(list.Problems) == 0 && len(list.Entries) == 0 {
			t.Fatal("a list without a problem and without a worker")
		}
		names, endpoints := map[string]bool{}, map[string]bool{}
		for _, e := range list.Entries {
			if names[e.Name] || endpoints[e.Endpoint] || e.Line < 1 {
				t.Fatalf("twice: %+v", e)
			}
			names[e.Name], endpoints[e.Endpoint] = true, true
			if again, why := roster.Endpoint(e.Endpoint); again != e.Endpoint || roster.Key(e.Endpoint) != e.Endpoint {
				t.Fatalf("%q becomes %q %s", e.Endpoint, again, why)
			}
			if _, why := roster.Name(e.Name); !why.IsZero() {
				t.Fatalf("%q: %s", e.Name, why)
			}
		}
		if len(list.Entries) > 2000 {
			return
		}
		for _, form := range []roster.Form{roster.FormTable, roster.FormYAML} {
			var out bytes.Buffer
			if err := roster.Write(&out, form, list.Entries); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			back, err := roster.Parse(&out, roster.Options{})
			if len(list.Entries) == 0 {
				continue
			}
			if diff := cmp.Diff(list.Entries, back.Entries, cmp.AllowUnexported(fleet.Amount{}), cmpopts.IgnoreFields(roster.Entry{}, "Line")); err != nil || diff != "" {
				t.Fatalf("%v %v\n%s\n%s", err, back.Problems, diff, text)
			}
		}
	})
}

func FuzzParsePools(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := roster.ParsePools(bytes.NewReader(data), roster.PoolOptions{})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, list.Problems, data)
		pids := map[uint64]bool{}
		for _, e := range list.Entries {
			if pids[e.PID] || e.PID < 1 || e.PID > roster.MaxPID || e.Name == "" || e.Line < 1 {
				t.Fatalf("%+v", e)
			}
			pids[e.PID] = true
		}
	})
}

func FuzzParsePatch(f *testing.F) {
	for _, s := range []string{"stake=10.5\npool=84", "label.a=b", "endpoint=[::1]:8000\nname=w", "enabled=是", "=", "stake"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := roster.ParsePatch(strings.Split(s, "\n"))
		if (err == nil) == p.Empty() {
			t.Fatalf("%v %+v", err, p)
		}
		if err != nil && fleet.KindOf(err) != fleet.Invalid {
			t.Fatal(err)
		}
	})
}

func FuzzEndpoint(f *testing.F) {
	for _, s := range []string{"192.168.2.1", "[::1]:8000", "http://a:80/b//", "https://[::1%25eth0]:1", "a.:1", "::ffff:1.2.3.4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, why := roster.Endpoint(s)
		if (got == "") == why.IsZero() {
			t.Fatalf("%q: %q %s", s, got, why)
		}
		if why.IsZero() {
			if again, _ := roster.Endpoint(got); again != got || roster.Key(got) != got {
				t.Fatalf("%q becomes %q, then %q and %q", s, got, again, roster.Key(got))
			}
		}
		if roster.Key(roster.Key(s)) != roster.Key(s) {
			t.Fatalf("the key of %q is not its own", s)
		}
	})
}

// marker is a secret that has none of the shapes by which one is recognised.
const marker = "correcthorse7"

// TestSecretsSurviveNoSlip: one slip of the finger anywhere in a list of pools, and a secret where its reference should be:
// the report repeats none of it.
func TestSecretsSurviveNoSlip(t *testing.T) {
	phrase := "abandon ability able about above absent absorb abstract absurd abuse access accident"
	for _, text := range []string{
		"83, a, MARK, 4abc\n84,,MARK\nMARK\n", "pid,name,operator,proxied\n83,a,MARK,\n84,b,fyle:MARK MARK,x\n", "pools:\n- pid: 83\n  operator: MARK\n- {pid: 84, operator: \"MARK\"}\n- MARK\n",
		"pid;operator;mnemonic\n83;MARK;MARK\n",
	} {
		for _, secret := range []string{marker, phrase} {
			source := []rune(strings.ReplaceAll(text, "MARK", secret))
			for i := 0; i < len(source); i += max(1, len(source)/100) {
				for _, slip := range []string{"", ",", ":", "\"", "#", "\n", " ", string(source[i]) + string(source[i])} {
					slipped := string(slices.Concat(source[:i], []rune(slip), source[i+1:]))
					list, err := roster.ParsePools(strings.NewReader(slipped), roster.PoolOptions{})
					if err != nil {
						t.Fatal(err)
					}
					for _, p := range list.Problems {
						if said := p.Reason.String() + " " + p.Excerpt; leaks(said) {
							t.Fatalf("%s\nof\n%s", said, slipped)
						}
					}
				}
			}
		}
	}
	for _, text := range []string{"83:192.168.2.1:" + phrase, "w," + phrase + ",10,83", "name,ip,customer\nw,::1," + phrase + "\n", "name,ip\n" + phrase + ",::1\n", "- {name: " + phrase + ", ip: x}\n- {" + phrase + ": 1}"} {
		list, err := roster.Parse(strings.NewReader(text), roster.Options{})
		if err != nil || len(list.Problems) == 0 {
			t.Fatalf("%s is accepted: %v %+v", text, err, list.Entries)
		}
		for _, p := range list.Problems {
			if said := p.Reason.String() + " " + p.Excerpt; leaks(said) {
				t.Errorf("%s", said)
			}
		}
	}
}

// leaks reports whether what is said has a good part of a secret in it.
func leaks(said string) bool {
	return strings.Contains(said, marker[:8]) || strings.Contains(said, "recthorse7") || strings.Contains(said, "abandon ability able")
}
