package rule

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"

	"phalops/internal/fleet"
)

// needName is the function through which a condition reads what may be unknown. Conditions cannot call it themselves.
const needName = "need"

// needed lets need stand for a value of each type that can be unknown.
func needed() expr.Option {
	return expr.Function(needName, need, new(func(*int64, string) int64), new(func(*float64, string) float64), new(func(*bool, string) bool),
		new(func(*string, string) string), new(func(*time.Duration, string) time.Duration))
}

// need is what its first argument points to. Nil is an error that names the field: without it "lag != 0" would be true of
// a worker about which nobody knows anything.
func need(params ...any) (any, error) {
	switch p := params[0].(type) {
	case *int64:
		if p != nil {
			return *p, nil
		}
	case *float64:
		if p != nil {
			return *p, nil
		}
	case *bool:
		if p != nil {
			return *p, nil
		}
	case *string:
		if p != nil {
			return *p, nil
		}
	case *time.Duration:
		if p != nil {
			return *p, nil
		}
	}
	return nil, &Unanswered{Unknown: true, Reason: fleet.Because("rule.unknown", "field", params[1])}
}

// types goes through a tree whose types are known, from the leaves up: it has everything that may be unknown read through
// need, and finds comparisons that can never be true.
type types struct {
	source string
	wrong  *Error
}

func (t *types) refuse(n ast.Node, why fleet.Reason) {
	if t.wrong == nil {
		t.wrong = mistake(t.source, n.Location().From, why)
	}
}

// Visit is called by expr for each node.
func (t *types) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		if typ := n.Type(); typ != nil && typ.Kind() == reflect.Pointer && typ.Elem().Kind() != reflect.Struct {
			wrapped := &ast.CallNode{Callee: &ast.IdentifierNode{Value: needName}, Arguments: []ast.Node{n, &ast.StringNode{Value: path(n)}}}
			wrapped.Callee.SetLocation(n.Location())
			wrapped.Arguments[1].SetLocation(n.Location())
			ast.Patch(node, wrapped)
		}
	case *ast.BinaryNode:
		t.compare(n)
		switch n.Operator {
		case "==", "!=":
			if isNil(n.Right) {
				n.Left = bare(n.Left)
			}
			if isNil(n.Left) {
				n.Right = bare(n.Right)
			}
		case "??":
			n.Left = bare(n.Left)
		}
	case *ast.BuiltinNode:
		for _, arg := range n.Arguments {
			if isThing(arg.Type()) {
				t.refuse(arg, fleet.Because("rule.not_allowed"))
			}
		}
	}
}

// bare undoes the reading through need where the condition itself handles what is unknown.
func bare(n ast.Node) ast.Node {
	if call, ok := n.(*ast.CallNode); ok {
		return call.Arguments[0]
	}
	return n
}

// written is the member that stands behind a node, nil when it is none.
func written(n ast.Node) *ast.MemberNode {
	m, _ := bare(n).(*ast.MemberNode)
	return m
}

func isNil(n ast.Node) bool {
	_, ok := n.(*ast.NilNode)
	return ok
}

// isThing reports whether a value is a whole worker, bridge or node.
func isThing(typ reflect.Type) bool {
	if typ != nil && typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return typ != nil && typ.Kind() == reflect.Struct
}

// path is the name of a field as it was written: worker.bridge.name.
func path(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.ChainNode:
		return path(n.Node)
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok {
			return path(n.Node) + "." + name.Value
		}
	}
	return "…"
}

// compare finds comparisons of a field that has few words with something that is none of them, and of spans with numbers.
func (t *types) compare(n *ast.BinaryNode) {
	for _, side := range [][2]ast.Node{{n.Left, n.Right}, {n.Right, n.Left}} {
		m := written(side[0])
		if m == nil {
			continue
		}
		switch n.Operator {
		case "==", "!=":
			t.word(m, side[1])
		case "in":
			if list, ok := side[1].(*ast.ArrayNode); ok {
				for _, item := range list.Nodes {
					t.word(m, item)
				}
			}
		}
		if typ := m.Type(); isSpan(typ) && slices.Contains([]string{"==", "!=", "<", ">", "<=", ">="}, n.Operator) {
			switch side[1].(type) {
			case *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
				t.refuse(side[1], fleet.Because("rule.want_duration", "field", path(m)))
			}
		}
	}
}

func isSpan(typ reflect.Type) bool {
	span := reflect.TypeFor[time.Duration]()
	return typ == span || typ == reflect.PointerTo(span)
}

func (t *types) word(m *ast.MemberNode, other ast.Node) {
	text, ok := other.(*ast.StringNode)
	words := vocabulary(path(m))
	if !ok || words == nil || slices.Contains(words, text.Value) {
		return
	}
	t.refuse(text, fleet.Because("rule.unknown_word", "field", path(m), "word", text.Value, "words", strings.Join(words, ", ")))
}

// vocabulary is every word that a field can have, nil where it can have any.
func vocabulary(field string) []string {
	switch strings.TrimPrefix(field, "worker.") {
	case "condition":
		return words(fleet.Conditions())
	case "chain.state":
		return []string{"Idle", "Unresponsive", "CoolingDown", "Ready", "Unknown"}
	case "bridge.condition":
		return words([]fleet.BridgeCondition{fleet.BridgeHealthy, fleet.BridgeBlind, fleet.BridgeNoLifecycle, fleet.BridgeStarved, fleet.BridgeUnknown})
	case "node.condition":
		return words([]fleet.NodeCondition{
			fleet.NodeHealthy, fleet.NodeSyncing, fleet.NodeLagging, fleet.NodeStalled, fleet.NodeStarved,
			fleet.NodeDown, fleet.NodeNetworkStalled, fleet.NodeNetworkEnded, fleet.NodeUnknown,
		})
	case "bridge.version":
		return []string{"v0", "v2", "v3", "solo"}
	}
	return nil
}

func words[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}
