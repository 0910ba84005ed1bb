package rule

import (
	"reflect"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"phalops/internal/fleet"
)

// Scope says what a condition is about, and with that what it can see.
type Scope int

// Scopes.
const (
	OfWorker Scope = iota // one worker, its bridge, its node, its site
	OfBridge              // one bridge, its node, its site
)

// Limits of a condition. An honest one has some 60 characters and 10 nodes.
const (
	MaxSource  = 2000 // characters
	maxNodes   = 400
	maxMemory  = 20_000 // elements of lists made while it runs
	maxPattern = 500    // instructions of all its regular expressions together
)

// Program is a compiled condition. It never changes: any number of goroutines may ask it.
type Program struct {
	source  string
	program *vm.Program
}

// Compile checks a condition and prepares it. The error is an *Error with the place of the mistake.
func Compile(source string, scope Scope) (*Program, error) {
	if err := grammar(source, scope); err != nil {
		return nil, err
	}
	checks := &types{source: source}
	program, err := expr.Compile(source, expr.Env(Env{}), expr.AsBool(), expr.MaxNodes(2*maxNodes), expr.Patch(checks), needed())
	switch {
	case checks.wrong != nil:
		return nil, checks.wrong
	case err != nil:
		return nil, explain(source, err)
	}
	return &Program{source: source, program: program}, nil
}

// String is the condition as it was written.
func (p *Program) String() string { return p.source }

// Unanswered says why a condition has no answer.
type Unanswered struct {
	Reason  fleet.Reason
	Unknown bool // only something that nobody knows at the moment is in the way; else the condition itself went wrong
}

// Error is for logs; people get the text of Reason.
func (e *Unanswered) Error() string { return e.Reason.String() }

// Unwrap lets fleet.ReasonOf find the Reason.
func (e *Unanswered) Unwrap() error { return fleet.Fail(fleet.Failed, e.Reason) }

// Eval asks the condition. The error is an *Unanswered; it means "no". Nothing in env is changed.
func (p *Program) Eval(env *Env) (bool, error) {
	machine := vm.VM{MemoryBudget: maxMemory}
	out, err := machine.Run(p.program, env)
	if err != nil {
		return false, unanswered(err)
	}
	yes, ok := out.(bool)
	if !ok {
		return false, &Unanswered{Reason: fleet.Because("rule.no_answer", "detail", reflect.TypeOf(out))}
	}
	return yes, nil
}
