package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImports holds the real imports of every package against the plan.
func TestImports(t *testing.T) {
	readSource(t)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", Module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		for _, b := range Check(p.ImportPath, p.Imports) {
			t.Error(b)
		}
	}
	if seen < 10 {
		t.Errorf("saw only %d packages: is the pattern right?", seen)
	}
}

// readSource opens every source file, so that a cached result of TestImports does not outlive a change of one.
func readSource(t *testing.T) {
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCheck breaks every rule once, so that TestImports cannot be green because Check is blind.
func TestCheck(t *testing.T) {
	in := func(room string) string { return Module + "/internal/" + room }
	for name, c := range map[string]struct {
		pkg, imports string
		want         string // part of the complaint; "" = allowed
	}{
		"lower floor":                 {in("control"), in("act"), ""},
		"own parent":                  {in("prb/v2"), in("prb"), ""},
		"outside the module":          {in("fleet"), "net/http", ""},
		"main and cli":                {Module + "/cmd/phalops", in("cli"), ""},
		"test helpers may see all":    {in("act/acttest"), in("act"), ""},
		"upwards":                     {in("fleet"), in("store"), "floor 1 may not import floor 3"},
		"sibling":                     {in("observe"), in("act"), "floor 4 may not import floor 4"},
		"sibling of the ground floor": {in("i18n"), in("fleet"), "floor 1 may not import floor 1"},
		"sub-rooms are siblings too":  {in("prb/v2"), in("prb/v0"), "floor 3 may not import floor 3"},
		"child":                       {in("notify"), in("notify/dingtalk"), "floor 4 may not import floor 4"},
		"decide thinks only":          {in("decide"), in("config"), "only fleet, rule"},
		"act is the engine alone":     {in("act"), in("host"), "only fleet, store"},
		"the world has no clients":    {in("sim/world"), in("i18n"), "only fleet, clock"},
		"the face shares no code":     {in("sim/wire"), in("prb"), "shares no code"},
		"tests' rooms":                {in("daemon"), in("lab"), "tests only"},
		"main does nothing":           {Module + "/cmd/phalops", in("daemon"), "imports cli only"},
		"the benchmark sees all":      {Module + "/bench", in("phala"), ""},
		"but no tests' rooms":         {Module + "/bench", in("lab"), "tests only"},
		"a room without a place":      {in("stuff"), "fmt", "not in the house plan"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(Check(c.pkg, []string{c.imports}), "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("Check(%s, %s) = %q, want %q", c.pkg, c.imports, got, c.want)
			}
		})
	}
}
