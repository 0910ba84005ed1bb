package roster_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/roster"
)

// brief is an entry on one line: what is not said is not there.
func brief(e roster.Entry) string {
	s := fmt.Sprintf("%d %q %s", e.Line, e.Name, e.Endpoint)
	if e.PID != nil {
		s += fmt.Sprintf(" pid=%d", *e.PID)
	}
	if e.Stake != nil {
		s += " stake=" + e.Stake.PHA()
	}
	if e.Enabled != nil {
		s += fmt.Sprintf(" enabled=%t", *e.Enabled)
	}
	if e.SyncOnly != nil {
		s += fmt.Sprintf(" sync=%t", *e.SyncOnly)
	}
	if e.Bridge != "" {
		s += " bridge=" + e.Bridge
	}
	for _, k := range slices.Sorted(maps.Keys(e.Labels)) {
		s += fmt.Sprintf(" %s=%q", k, e.Labels[k])
	}
	return s
}

func briefs(entries []roster.Entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, brief(e))
	}
	return out
}

// parsed is what Parse makes of a list that has no problem.
func parsed(t *testing.T, text string, o roster.Options) roster.List {
	t.Helper()
	list, err := roster.Parse(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list.Problems {
		t.Errorf("%s %s", p.At(), p.Reason)
	}
	return list
}

func TestForms(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		form roster.Form
		want []string
	}{
		"an address a line": {
			"192.168.2.1\n192.168.2.2:8001\nGPU-1.lan.\nhttps://gpu-2:443/\n", roster.FormLines, []string{
				`1 "192.168.2.1" http://192.168.2.1:8000`, `2 "192.168.2.2-8001" http://192.168.2.2:8001`,
				`3 "gpu-1.lan" http://gpu-1.lan:8000`, `4 "gpu-2-443" https://gpu-2:443`,
			},
		},
		"the lists of v0 and v2": {
			"83:192.168.2.1\n83:192.168.2.2:w-2\n84:192.168.2.3:8001:w-3\n85:http://192.168.2.4:8000\n85:http://192.168.2.5:8000/:w-5", roster.FormLines, []string{
				`1 "192.168.2.1" http://192.168.2.1:8000 pid=83`, `2 "w-2" http://192.168.2.2:8000 pid=83`,
				`3 "w-3" http://192.168.2.3:8001 pid=84`, `4 "192.168.2.4" http://192.168.2.4:8000 pid=85`, `5 "w-5" http://192.168.2.5:8000 pid=85`,
			},
		},
		"v3's list, with and without blanks, stakes in PHA and in the smallest unit": {
			"w1, http://192.168.2.1:8000, 10.5, 83\nw2,http://192.168.2.2:8000,5000000000000000,83\n, 192.168.2.3,, 84 # no name, no stake\n",
			roster.FormLines, []string{
				`1 "w1" http://192.168.2.1:8000 pid=83 stake=10.5`, `2 "w2" http://192.168.2.2:8000 pid=83 stake=5000`,
				`3 "192.168.2.3" http://192.168.2.3:8000 pid=84`,
			},
		},
		"v3's own header": {
			"name, url, stake, pid\nw1, http://192.168.2.1:8000, 10 PHA, 83\n", roster.FormTable,
			[]string{`2 "w1" http://192.168.2.1:8000 pid=83 stake=10`},
		},
		"IPv6": {
			"::1\n[fd00::1]\n83:[fd00:0:0::2]:w-2\n[FD00::3]:8001\n83:http://[fd00::4]:8000:w-4\nfd00::5\n::ffff:10.0.0.6\n83:[fd00::[7-8]]\n2001::9\n", roster.FormLines, []string{
				`1 "::1" http://[::1]:8000`, `2 "fd00::1" http://[fd00::1]:8000`, `3 "w-2" http://[fd00::2]:8000 pid=83`,
				`4 "fd00::3-8001" http://[fd00::3]:8001`, `5 "w-4" http://[fd00::4]:8000 pid=83`, `6 "fd00::5" http://[fd00::5]:8000`,
				`7 "10.0.0.6" http://10.0.0.6:8000`, `8 "fd00::7" http://[fd00::7]:8000 pid=83`, `8 "fd00::8" http://[fd00::8]:8000 pid=83`,
				`9 "2001::9" http://[2001::9]:8000`,
			},
		},
		"ranges run in step": {
			"83:192.168.2.[1-3]:w-[001-003]\n84:192.168.3.[9-10]\nr[7-8], http://10.0.[7-8].1:8000, 10, 85\n", roster.FormLines, []string{
				`1 "w-001" http://192.168.2.1:8000 pid=83`, `1 "w-002" http://192.168.2.2:8000 pid=83`, `1 "w-003" http://192.168.2.3:8000 pid=83`,
				`2 "192.168.3.9" http://192.168.3.9:8000 pid=84`, `2 "192.168.3.10" http://192.168.3.10:8000 pid=84`,
				`3 "r7" http://10.0.7.1:8000 pid=85 stake=10`, `3 "r8" http://10.0.8.1:8000 pid=85 stake=10`,
			},
		},
		"comments, blank lines, BOM, CRLF, and lines that only end in CR": {
			"\ufeff# 第一排\r\n\r\n  83:192.168.2.1:w#1 # the first\r83:192.168.2.2\t# the second\r\n   \n", roster.FormLines, []string{
				`3 "w#1" http://192.168.2.1:8000 pid=83`, `4 "192.168.2.2" http://192.168.2.2:8000 pid=83`,
			},
		},
		"a table in any order keeps labels": {
			"# exported\ncustomer,PID,Endpoint,Name,label.rack,stake,sync-only,Enabled\n\"Alpha, Inc.\",83,192.168.2.1,w 1,\"a \"\"b\"\"\",10,yes,\n#\n,,,,,,,\n,84,http://192.168.2.2:8001/,w2,#7,,,no\n", roster.FormTable, []string{
				`3 "w 1" http://192.168.2.1:8000 pid=83 stake=10 sync=true customer="Alpha, Inc." rack="a \"b\""`,
				`6 "w2" http://192.168.2.2:8001 pid=84 enabled=false rack="#7"`,
			},
		},
		"a Chinese table": {
			"名称,IP地址,质押,池号,客户,停用,桥\n机器一,192.168.2.1,10,83,甲,否,prb-a\n", roster.FormTable,
			[]string{`2 "机器一" http://192.168.2.1:8000 pid=83 stake=10 enabled=true bridge=prb-a 客户="甲"`},
		},
		"tabs and semicolons": {
			"name\tip\tpid\nw, 1\t192.168.2.1\t83\n", roster.FormTable, []string{`2 "w, 1" http://192.168.2.1:8000 pid=83`},
		},
		"semicolons": {"ip;pid\n192.168.2.[1-2];83\n", roster.FormTable, []string{
			`2 "192.168.2.1" http://192.168.2.1:8000 pid=83`, `2 "192.168.2.2" http://192.168.2.2:8000 pid=83`,
		}},
		"one column": {"ip\n192.168.2.1\n", roster.FormTable, []string{`2 "192.168.2.1" http://192.168.2.1:8000`}},
		"what worker list shows and nobody sets": {
			"worker,bridge,pool,condition,since,state,height,endpoint,,\nw1,prb-a,83,Working,5m,S_ACTIVE,12,192.168.2.1,,\n", roster.FormTable,
			[]string{`2 "w1" http://192.168.2.1:8000 pid=83 bridge=prb-a`},
		},
		"YAML": {
			"# mine\n- 83:192.168.2.1:w-1\n- { name: w-2, ip: 192.168.2.2, pool: 83, stake: 10.5, labels: { customer: alpha, rack: 7 } }\n- endpoint: 192.168.2.[3-4]\n  name: \"w-[3-4]\"\n  enabled: false\n  sync_only: true\n  bridge: prb-a\n  state: Working\n", roster.FormYAML, []string{
				`2 "w-1" http://192.168.2.1:8000 pid=83`, `3 "w-2" http://192.168.2.2:8000 pid=83 stake=10.5 customer="alpha" rack="7"`,
				`4 "w-3" http://192.168.2.3:8000 enabled=false sync=true bridge=prb-a`, `4 "w-4" http://192.168.2.4:8000 enabled=false sync=true bridge=prb-a`,
			},
		},
		"YAML under a key":            {"---\nworkers:\n  - 192.168.2.1\n  -\n", roster.FormYAML, []string{`3 "192.168.2.1" http://192.168.2.1:8000`}},
		"JSON":                        {"[\n{\"name\":\"w\",\"endpoint\":\"http://192.168.2.1:8000\",\"stake\":\"10\",\"pid\":83,\"labels\":null}]", roster.FormYAML, []string{`2 "w" http://192.168.2.1:8000 pid=83 stake=10`}},
		"a worker of a pool of 2⁵³-1": {"9007199254740991:192.168.2.1", roster.FormLines, []string{`1 "192.168.2.1" http://192.168.2.1:8000 pid=9007199254740991`}},
	} {
		t.Run(name, func(t *testing.T) {
			list := parsed(t, c.text, roster.Options{})
			if diff := cmp.Diff(c.want, briefs(list.Entries)); diff != "" || list.Form != c.form {
				t.Errorf("%s %s", list.Form, diff)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	pid, stake := uint64(83), fleet.PHA(10)
	list := parsed(t, "name,ip,pid,stake\nw1,192.168.2.1,,\nw2,192.168.2.2,83,12\n", roster.Options{PID: &pid, Stake: &stake, NeedPID: true})
	want := []string{`2 "w1" http://192.168.2.1:8000 pid=83 stake=10`, `3 "w2" http://192.168.2.2:8000 pid=83 stake=12`}
	if diff := cmp.Diff(want, briefs(list.Entries)); diff != "" {
		t.Error(diff)
	}
	for text, code := range map[string]string{"84:192.168.2.1": "roster.other_pid", "192.168.2.1": ""} {
		if got := codes(t, text, roster.Options{PID: &pid, NeedPID: true}); got != code {
			t.Errorf("%s: %s, want %s", text, got, code)
		}
	}
	if got := codes(t, "192.168.2.1", roster.Options{NeedPID: true}); got != "roster.need_pid" {
		t.Error(got)
	}
}

// codes are the problems of a list.
func codes(t *testing.T, text string, o roster.Options) string {
	t.Helper()
	list, err := roster.Parse(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range list.Problems {
		out = append(out, p.Reason.Code)
	}
	return strings.Join(out, " ")
}

// TestBounds: small texts that stand for huge lists, and huge texts, are refused as a whole and in good time.
func TestBounds(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"as many lines as may be":   {strings.Repeat("#\n", roster.MaxLines-1) + "::1", ""},
		"too many lines":            {strings.Repeat("\n", roster.MaxLines) + "::1", "roster.too_many_lines"},
		"too many bytes":            {strings.Repeat("#", roster.MaxBytes+1), "roster.too_large"},
		"a long line":               {"83:" + strings.Repeat("a", roster.MaxLine), "roster.long_line"},
		"a long line after another": {"::1\n" + strings.Repeat("a", roster.MaxLine+1) + "\n::2", "roster.long_line"},
		"a huge range":              {"gpu-[1-999999999]", "roster.too_many"},
		"nothing":                   {"", "roster.empty"},
		"nothing but comments":      {"# ip\n\n", "roster.empty"},
		"an empty YAML list":        {"workers: []", "roster.empty"},
		"deep":                      {"- " + strings.Repeat("[", 50_000), "roster.yaml_syntax"},
		"a header alone":            {"name,ip\n,,\n\n", "roster.empty"},
		"a header and empty lines":  {"name,ip\n,\n\n", "roster.empty"},
		"empty items":               {"-\n- ~\n", "roster.empty"},
		"itself":                    {"- &a [*a]\n", "roster.yaml_item"},
		"no list":                   {"sites: []\n", "roster.yaml_list"},
		"two documents":             {"- ::1\n---\n- ::2\n", "roster.yaml_documents"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := codes(t, c.text, roster.Options{}); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	list, err := roster.Parse(strings.NewReader("a-[1-50000]\nb-[1-50001]\n"), roster.Options{})
	if err != nil || list.Entries != nil || len(list.Problems) != 1 || list.Problems[0].Reason.Code != "roster.too_many" {
		t.Errorf("%v, %d workers of a list that is too long as a whole, %v", err, len(list.Entries), list.Problems)
	}
}

// TestRangesOfRefusedRowsAreBounded: many ranges, each as long as may be and each refused, do not take minutes.
func TestRangesOfRefusedRowsAreBounded(t *testing.T) {
	list, err := roster.Parse(strings.NewReader(strings.Repeat("83:gpu-[1-100000]:w\n", 1000)), roster.Options{})
	if err != nil || list.Problems.Count() != 1000 || len(list.Entries) > 0 {
		t.Errorf("%v %d problems", err, list.Problems.Count())
	}
	if last := list.Problems[roster.MaxProblems-1].Reason.Code; last != "roster.too_many" {
		t.Error(last)
	}
}

// TestWorkerListIsAList: what worker list -o json and -o yaml say of a worker adds it again.
func TestWorkerListIsAList(t *testing.T) {
	shape, err := os.ReadFile("../view/testdata/worker.json")
	if err != nil {
		t.Fatal(err)
	}
	list := parsed(t, "["+string(shape)+"]", roster.Options{})
	want := []string{`1 "w-01" http://127.0.0.1:8000 pid=83 stake=18446745 enabled=true sync=true bridge=prb-a`}
	if diff := cmp.Diff(want, briefs(list.Entries)); diff != "" {
		t.Error(diff)
	}
	list = parsed(t, "- {ref: worker/prb-a/x, name: w, endpoint: 'http://10.0.0.1:8000/', stake: 500000000}\n", roster.Options{})
	if got := list.Entries[0].Stake.String(); got != "500000000" {
		t.Errorf("half a thousandth of a PHA is %s", got)
	}
}

// TestProblemsAreBounded: who reads two hundred knows enough, and what is good can still be taken.
func TestProblemsAreBounded(t *testing.T) {
	list, err := roster.Parse(strings.NewReader(strings.Repeat("83\n", 1000)+"::1\n"), roster.Options{})
	if err != nil || len(list.Problems) != roster.MaxProblems+1 || list.Problems.Count() != 1000 || len(list.Entries) != 1 {
		t.Errorf("%v, %d problems kept of %d, %d entries", err, len(list.Problems), list.Problems.Count(), len(list.Entries))
	}
	if r := fleet.ReasonOf(list.Problems.Err("-")); fleet.KindOf(list.Problems.Err("-")) != fleet.Invalid || r.Args["count"] != "1000" || r.Args["at"] != "1:1" {
		t.Error(r)
	}
	if list.Problems[:0].Err("-") != nil {
		t.Error("no problem is no error")
	}
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, err := roster.Parse(io.MultiReader(strings.NewReader("::1\n"), iotest.ErrReader(broken)), roster.Options{})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err = roster.ParsePools(iotest.ErrReader(broken), roster.PoolOptions{}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// TestForeignText: files as Windows and Excel write them are recognised, and told how to become a list.
func TestForeignText(t *testing.T) {
	utf16 := func(s string) string {
		var b strings.Builder
		for _, c := range s {
			b.WriteByte(byte(c))
			b.WriteByte(byte(c >> 8))
		}
		return b.String()
	}
	for name, c := range map[string]struct{ text, want, at string }{
		"UTF-16 with a mark":    {"\xff\xfe" + utf16("83:192.168.2.1\r\n"), "roster.utf16", ""},
		"big end first":         {"\xfe\xff\x008\x003", "roster.utf16", ""},
		"UTF-16 without a mark": {utf16("83:192.168.2.1 机器\r\n"), "roster.utf16", ""},
		"GBK":                   {"name,ip\n\xbb\xfa\xc6\xf7,192.168.2.1\n", "roster.gbk", "2:1"},
		"Latin-1":               {"83:192.168.2.1:caf\xe9\n", "roster.not_utf8", "1:19"},
		"Excel":                 {"PK\x03\x04\x14\x00", "roster.workbook", ""},
		"old Excel":             {"\xd0\xcf\x11\xe0\xa1\xb1", "roster.workbook", ""},
		"compressed":            {"\x1f\x8b\x08", "roster.binary", ""},
		"binary":                {"83:192.168.2.1\x00\n", "roster.binary", ""},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := roster.Parse(strings.NewReader(c.text), roster.Options{})
			if err != nil || len(list.Problems) != 1 || list.Entries != nil {
				t.Fatalf("%v %+v", err, list)
			}
			if p := list.Problems[0]; p.Reason.Code != c.want || p.At() != c.at || p.Excerpt != "" {
				t.Errorf("%+v", p)
			}
		})
	}
}

// TestRefusedRowsLeaveNothing: of a range that meets a line before it, no part is taken, and what it would have taken is free.
func TestRefusedRowsLeaveNothing(t *testing.T) {
	list, err := roster.Parse(strings.NewReader("192.168.2.3\n192.168.2.[1-3]\n192.168.2.1\n83:192.168.3.[1-2]:w-[2-3]\n83:192.168.3.3:w-2\n83:192.168.4.[4-5]:w-[1-2]\n83:192.168.5.5:w-1\n"), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`1 "192.168.2.3" http://192.168.2.3:8000`, `3 "192.168.2.1" http://192.168.2.1:8000`,
		`4 "w-2" http://192.168.3.1:8000 pid=83`, `4 "w-3" http://192.168.3.2:8000 pid=83`, `7 "w-1" http://192.168.5.5:8000 pid=83`,
	}
	if diff := cmp.Diff(want, briefs(list.Entries)); diff != "" || len(list.Problems) != 3 {
		t.Errorf("%s %v", diff, list.Problems)
	}
}

// TestWholeListIsWrong: what no line is to blame for is told without a place.
func TestWholeListIsWrong(t *testing.T) {
	list, err := roster.Parse(strings.NewReader(""), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := fleet.ReasonOf(list.Problems.Err("w.csv"))
	if got := catalog.Text(i18n.EN, r.Code, r.Args); got != "w.csv: the list is empty: no line in it says anything" {
		t.Error(got)
	}
	for text, want := range map[string]string{
		"workers:\n":       "roster.yaml_list",
		"{}":               "roster.yaml_list",
		"--- abc":          "roster.yaml_list",
		"workers:\n- a: [": "roster.yaml_syntax",
		"- {ref: worker/prb-a/x, name: w, ip: ::1, stake: ten}": "roster.bad_stake",
	} {
		if got := codes(t, text, roster.Options{}); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestImpossibleStakesAreNotMisread: a stake that would be read in the smallest unit is written so that it is refused.
func TestImpossibleStakesAreNotMisread(t *testing.T) {
	impossible := fleet.PHA(5_000_000_000_000)
	var out strings.Builder
	if err := roster.Write(&out, roster.FormTable, []roster.Entry{{Name: "w", Endpoint: "http://10.0.0.1:8000", Stake: &impossible}}); err != nil {
		t.Fatal(err)
	}
	if got := codes(t, out.String(), roster.Options{}); got != "roster.stake_range" {
		t.Errorf("%s of\n%s", got, out.String())
	}
}
