package rule

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"phalops/internal/fleet"
)

// functions are what a condition may call: each looks at one value and makes nothing that grows.
var functions = []string{
	"abs", "all", "any", "ceil", "count", "duration", "float", "floor", "hasPrefix", "hasSuffix", "indexOf", "int", "lastIndexOf", "len", "lower",
	"max", "min", "none", "one", "round", "trim", "trimPrefix", "trimSuffix", "upper",
}

// Functions lists what a condition may call, in order.
func Functions() []string { return slices.Clone(functions) }

// grammar refuses what the language could do and a condition must not: it reads the text only, before anything is worked
// out, so that nothing can grow on the way.
func grammar(source string, scope Scope) error {
	switch {
	case strings.TrimSpace(source) == "":
		return mistake(source, 0, fleet.Because("rule.empty"))
	case utf8.RuneCountInString(source) > MaxSource:
		return mistake(source, MaxSource, fleet.Because("rule.too_long", "most", MaxSource))
	case !utf8.ValidString(source):
		return mistake(source, 0, fleet.Because("rule.not_utf8"))
	}
	c := conf.CreateNew()
	c.MaxNodes = maxNodes
	tree, err := parser.ParseWithConfig(source, c)
	if err != nil {
		return explain(source, err)
	}
	w := &walker{source: source, scope: scope}
	w.walk(tree.Node, 0)
	if w.wrong != nil {
		return w.wrong
	}
	return nil
}

// walker goes through the tree as it was written, and keeps the first mistake.
type walker struct {
	source string
	scope  Scope
	insts  int // of all regular expressions
	wrong  *Error
}

func (w *walker) refuse(n ast.Node, why fleet.Reason) {
	if w.wrong == nil {
		w.wrong = mistake(w.source, n.Location().From, why)
	}
}

// walk looks at one node and what is below it; loops is how many loops it is in.
func (w *walker) walk(n ast.Node, loops int) {
	switch n := n.(type) {
	case nil:
		return
	case *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.PointerNode:
	case *ast.IdentifierNode:
		w.name(n)
	case *ast.UnaryNode:
		w.walk(n.Node, loops)
	case *ast.BinaryNode:
		w.binary(n, loops)
		w.walk(n.Left, loops)
		w.walk(n.Right, loops)
	case *ast.ChainNode:
		w.walk(n.Node, loops)
	case *ast.MemberNode:
		w.walk(n.Node, loops)
		w.walk(n.Property, loops)
	case *ast.ConditionalNode:
		w.walk(n.Cond, loops)
		w.walk(n.Exp1, loops)
		w.walk(n.Exp2, loops)
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			w.walk(item, loops)
		}
	case *ast.PredicateNode:
		if loops > 0 {
			w.refuse(n, fleet.Because("rule.loop_in_loop"))
		}
		w.walk(n.Node, loops+1)
	case *ast.BuiltinNode:
		w.call(n, n.Name)
		w.loop(n)
		for _, arg := range n.Arguments {
			w.walk(arg, loops)
		}
	case *ast.CallNode:
		name := ""
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			name = id.Value
		}
		w.call(n, name)
	default: // variables, sequences, slices, maps, bytes
		w.refuse(n, fleet.Because("rule.not_allowed"))
	}
}

func (w *walker) name(n *ast.IdentifierNode) {
	switch {
	case n.Value == "worker" && w.scope == OfBridge:
		w.refuse(n, fleet.Because("rule.no_worker"))
	case !slices.Contains(roots, n.Value):
		w.refuse(n, unknownName(n.Value))
	}
}

func (w *walker) call(n ast.Node, name string) {
	switch {
	case name == "":
		w.refuse(n, fleet.Because("rule.not_allowed"))
	case slices.Contains(functions, name):
	case slices.Contains([]string{"now", "date", "timezone"}, name):
		w.refuse(n, fleet.Because("rule.no_clock", "name", name))
	default:
		if near := nearest(name, functions); near != "" {
			w.refuse(n, fleet.Because("rule.unknown_function_near", "name", name, "near", near))
			return
		}
		w.refuse(n, fleet.Because("rule.unknown_function", "name", name, "functions", strings.Join(functions, ", ")))
	}
}

// loop wants loops to go over what is written in the condition: how often they turn must not depend on foreign texts.
func (w *walker) loop(n *ast.BuiltinNode) {
	if len(n.Arguments) < 2 {
		return
	}
	if _, ok := n.Arguments[1].(*ast.PredicateNode); !ok {
		return
	}
	if _, ok := n.Arguments[0].(*ast.ArrayNode); !ok {
		w.refuse(n.Arguments[0], fleet.Because("rule.loop_over", "name", n.Name))
	}
}

func (w *walker) binary(n *ast.BinaryNode, loops int) {
	switch n.Operator {
	case "..", "**", "^":
		w.refuse(n, fleet.Because("rule.no_operator", "operator", n.Operator))
	case "matches":
		if loops > 0 {
			w.refuse(n, fleet.Because("rule.loop_in_loop"))
		}
		pattern, ok := n.Right.(*ast.StringNode)
		if !ok {
			w.refuse(n.Right, fleet.Because("rule.pattern_not_fixed"))
			return
		}
		parsed, err := syntax.Parse(pattern.Value, syntax.Perl)
		if err != nil {
			w.refuse(n.Right, fleet.Because("rule.bad_pattern", "err", err))
			return
		}
		prog, err := syntax.Compile(parsed.Simplify())
		if err == nil {
			w.insts += len(prog.Inst)
		}
		if err != nil || w.insts > maxPattern {
			w.refuse(n.Right, fleet.Because("rule.pattern_too_large"))
		}
	}
}

// roots are the names with which everything begins that a condition can see.
var roots = []string{"bridge", "node", "site", "worker"}

// unknownName explains a name that does not exist. A field without its owner is the usual mistake.
func unknownName(name string) fleet.Reason {
	for _, f := range Fields() {
		if _, own := apart(f.Name); own == name && own != f.Name {
			return fleet.Because("rule.unknown_name_near", "name", name, "near", f.Name)
		}
	}
	if near := nearest(name, roots); near != "" {
		return fleet.Because("rule.unknown_name_near", "name", name, "near", near)
	}
	if word, ok := operators[strings.ToLower(name)]; ok {
		return fleet.Because("rule.write_instead", "found", name, "write", word)
	}
	return fleet.Because("rule.unknown_name", "name", name, "names", strings.Join(roots, ", "))
}

// nearest is the name that was probably meant, "" when none is close.
func nearest(name string, names []string) string {
	best, near := 1+min(2, (utf8.RuneCountInString(name)+1)/3), ""
	for _, candidate := range slices.Sorted(slices.Values(names)) {
		if d := fleet.Distance(name, candidate); d < best {
			best, near = d, candidate
		}
	}
	return near
}

// operators are what people write who know another language.
var operators = map[string]string{
	"#": "// …", "=": "==", "===": "==", "<>": "!=", "&": "and", "and": "and", "or": "or", "not": "not", "like": "contains", "is": "==", "null": "nil", "none": "nil",
	"=~": "matches", "~": "matches", "!~": "not (… matches …)", "contain": "contains", "match": "matches", "startswith": "startsWith", "endswith": "endsWith",
	"（": "(", "）": ")", "“": `"`, "”": `"`, "‘": `"`, "’": `"`, "，": ",", "＞": ">", "＜": "<", "＝": "==", "！": "!", "。": ".",
}
