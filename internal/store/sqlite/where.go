package sqlite

import (
	"fmt"
	"strings"

	"phalops/internal/fleet"
)

// where collects conditions with their arguments.
type where struct {
	conds []string
	args  []any
}

func (w *where) add(cond string, args ...any) {
	w.conds = append(w.conds, cond)
	w.args = append(w.args, args...)
}

func (w *where) in(column string, values []any) {
	w.add(column+" IN (?"+strings.Repeat(",?", len(values)-1)+")", values...)
}

func (w *where) String() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

func anys[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

func limit(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" LIMIT %d", n)
}

// family chooses rows about ref and, when ref is a parent, about its children.
func (w *where) family(ref fleet.Ref) {
	if ref.Parent() != "" {
		w.add("target = ?", ref)
	} else {
		w.add("owner_ref = ?", ref)
	}
}
