package i18n

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"phalops/internal/fleet"
)

// builtCodes are the prefixes after which a code is put together at run time, with every value that can follow. They are
// the only codes that need not stand as a literal in the source.
func builtCodes() map[string][]string {
	nodeConditions := []fleet.NodeCondition{
		fleet.NodeHealthy, fleet.NodeSyncing, fleet.NodeLagging, fleet.NodeStalled, fleet.NodeStarved,
		fleet.NodeDown, fleet.NodeNetworkStalled, fleet.NodeNetworkEnded, fleet.NodeUnknown,
	}
	bridgeConditions := []fleet.BridgeCondition{
		fleet.BridgeHealthy, fleet.BridgeBlind, fleet.BridgeNoLifecycle, fleet.BridgeStarved, fleet.BridgeUnknown,
	}
	verdicts := []fleet.Verdict{fleet.Healthy, fleet.Wait, fleet.Act, fleet.WouldAct, fleet.Person, fleet.HandsOff}
	planStates := []fleet.PlanState{
		fleet.PlanRunning, fleet.PlanPaused, fleet.PlanParked, fleet.PlanRestoring,
		fleet.PlanDone, fleet.PlanFailed, fleet.PlanPartly, fleet.PlanAborted,
	}
	stepStates := []fleet.StepState{
		fleet.StepPlanned, fleet.StepIntent, fleet.StepEffected, fleet.StepDone, fleet.StepFailed, fleet.StepSkipped,
	}
	kinds := []fleet.Kind{
		fleet.KindFleet, fleet.KindSite, fleet.KindHost, fleet.KindNode, fleet.KindDataProvider,
		fleet.KindBridge, fleet.KindWorker, fleet.KindPool, fleet.KindChannel, fleet.KindNetwork, fleet.KindStakePool,
		fleet.KindInventory, fleet.KindEntry, fleet.KindLeaving,
	}
	chainTroubles := []string{"cooling", "unheard", "unpaid", "not_computing", "unbound", "elsewhere", "operator", "unregistered"}
	return map[string][]string{
		"condition.":           texts(fleet.Conditions()),
		"node_condition.":      texts(nodeConditions),
		"bridge_condition.":    texts(bridgeConditions),
		"verdict.":             texts(verdicts),
		"plan_state.":          texts(planStates),
		"step_state.":          texts(stepStates),
		"severity.":            texts([]fleet.Severity{fleet.Info, fleet.Warning, fleet.Critical}),
		"kind.":                texts(kinds),
		"network_condition.":   texts(fleet.NetworkConditions()),
		"stakepool_condition.": texts(fleet.StakePoolConditions()),
		"chain.what.":          chainTroubles, // package decide: what a chain says against many workers
		"chain.advice.":        chainTroubles,
		"parent_condition.":    texts([]fleet.ParentCondition{fleet.ParentClear, fleet.ParentSuspect}),
		"rung.":                {"restart", "container", "alert"},
		"common.": {"host", "segment", "version", "pool", "minute", "block", // package decide: what many share
			"gas", "operator", "trade", "pccs", "allowlist", "runtime", "image", "node", "source"},
		"plan_kind.": {"worker.restart", "worker.container", "worker.disable", "worker.kick", "worker.refresh", "node.restart", "bridge.restart", "bridge.monitor", // package remedy
			"worker.add", "worker.set", "worker.stop", "worker.start", "pool.add", "pool.set", "pool.remove"}, // package batch
	}
}

func texts[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

func TestEveryStateOfTheFleetHasItsWord(t *testing.T) {
	c := loaded(t)
	for prefix, values := range builtCodes() {
		want := map[string]bool{}
		for _, v := range values {
			want[prefix+v] = true
			if !c.Has(prefix + v) {
				t.Errorf("the catalogue has no %s", prefix+v)
			}
		}
		for code := range c.entries {
			if strings.HasPrefix(code, prefix) && !want[code] {
				t.Errorf("%s: %s names nothing of package fleet", c.entries[code].file, code)
			}
		}
	}
}

// TestCodesOfTheSource holds the program and its catalogue against each other: what the program says has a text, with a
// value for each placeholder, and what has a text is said somewhere.
func TestCodesOfTheSource(t *testing.T) {
	c := loaded(t)
	src := readSource(t)
	if len(src.literals) == 0 {
		t.Fatal("no source was read")
	}
	for _, s := range src.said {
		e, ok := c.entries[s.code]
		switch {
		case ok && s.args != nil:
			for name := range e.text[EN].names() {
				if !s.args[name] {
					t.Errorf("%s: %s is said without {%s}, which %s shows", s.at, s.code, name, e.file)
				}
			}
		case !ok && !s.prefix:
			t.Errorf("%s: %s is in no catalogue file", s.at, s.code)
		case !ok && builtCodes()[s.code] == nil:
			t.Errorf("%s: a code is put together after %q, which builtCodes does not name", s.at, s.code)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(c.entries)) {
		built := slices.ContainsFunc(slices.Collect(maps.Keys(builtCodes())), func(p string) bool { return strings.HasPrefix(code, p) })
		if !built && !src.literals[code] {
			t.Errorf("%s: %s is said nowhere", c.entries[code].file, code)
		}
	}
}

func loaded(t *testing.T) *Catalog {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// source is what the program's own files, tests excluded, say.
type source struct {
	literals map[string]bool // every string literal
	said     []saying        // every code given to fleet.Because, and every literal Reason{Code: …}
}

type saying struct {
	at     string
	code   string
	prefix bool            // code is only the literal beginning of a code that is put together
	args   map[string]bool // names of the arguments; nil where they are not all literals
}

func readSource(t *testing.T) source {
	t.Helper()
	root := repositoryRoot(t)
	src := source{literals: map[string]bool{}}
	for _, dir := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return src.read(root, path)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return src
}

func repositoryRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

func (src *source) read(root, path string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, 0)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if s, ok := literal(n); ok {
				src.literals[s] = true
			}
		case *ast.CallExpr:
			if name(n.Fun) == "Because" && len(n.Args) > 0 {
				src.say(root, set.Position(n.Pos()), n.Args[0], argNames(n))
			}
		case *ast.CompositeLit:
			if name(n.Type) != "Reason" {
				break
			}
			for _, el := range n.Elts {
				if kv, ok := el.(*ast.KeyValueExpr); ok && name(kv.Key) == "Code" {
					src.say(root, set.Position(n.Pos()), kv.Value, nil)
				}
			}
		}
		return true
	})
	return nil
}

func (src *source) say(root string, at token.Position, code ast.Expr, args map[string]bool) {
	rel, err := filepath.Rel(root, at.Filename)
	if err != nil {
		rel = at.Filename
	}
	s := saying{at: rel + ":" + strconv.Itoa(at.Line), args: args}
	if sum, ok := code.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		code, s.prefix = sum.X, true
	}
	var ok bool
	if s.code, ok = literal(code); ok {
		src.said = append(src.said, s)
	}
}

// argNames are the names given to Because; nil where one of them is no literal.
func argNames(call *ast.CallExpr) map[string]bool {
	if call.Ellipsis.IsValid() {
		return nil
	}
	names := map[string]bool{}
	for i := 1; i < len(call.Args); i += 2 {
		n, ok := literal(call.Args[i])
		if !ok {
			return nil
		}
		names[n] = true
	}
	return names
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// name is the last identifier of f, pkg.f or T.f.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
