package batch

import (
	"strconv"

	"phalops/internal/fleet"
)

// Item is one line of a batch: what became, or is to become, of one worker or pool.
type Item struct {
	Target fleet.Ref
	Line   int               // of the list that it comes from; 0: none
	Args   map[string]string // of its first step
	Label  fleet.Reason      // what is done first
	State  fleet.StepState   // done when all of its steps are; failed and skipped with Why; else where it stands
	Why    fleet.Reason      // why it failed or was left out, or what was proved last
}

// ItemsOf are the lines of a plan, in the order of its steps; what the plan does for all of them together comes last.
func ItemsOf(p fleet.Plan) []Item {
	var items, common []Item
	at := map[fleet.Ref]int{}
	for _, s := range p.Steps {
		if s.Target.Kind() == fleet.KindInventory {
			common = append(common, Item{Target: s.Target, Args: s.Args, Label: s.Label, State: s.State, Why: s.Result})
			continue
		}
		i, known := at[s.Target]
		if !known {
			i = len(items)
			at[s.Target] = i
			line, _ := strconv.Atoi(s.Args["line"])
			items = append(items, Item{Target: s.Target, Line: line, Args: s.Args, Label: s.Label, State: fleet.StepDone})
		}
		items[i].take(s)
	}
	return append(items, common...)
}

// take adds the next step: the first that is not done says how the item stands.
func (i *Item) take(s fleet.Step) {
	switch {
	case i.State == fleet.StepFailed || i.State == fleet.StepSkipped:
	case s.State != fleet.StepDone && i.State == fleet.StepDone, s.State == fleet.StepFailed:
		i.State, i.Why = s.State, s.Result
	case i.State == fleet.StepDone && !s.Result.IsZero():
		i.Why = s.Result
	}
}
