package batch

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
)

// begin is the plan of a request without its steps: all of its targets are of one kind and on one bridge.
func (b *Batches) begin(req act.Request, kind fleet.Kind) (fleet.Plan, config.Bridge, error) {
	var targets []fleet.Ref
	bridge := ""
	for _, ref := range req.Targets {
		if slices.Contains(targets, ref) {
			continue
		}
		targets = append(targets, ref)
		name := bridgeOf(ref)
		switch {
		case ref.Kind() != kind:
			return fleet.Plan{}, config.Bridge{}, fleet.Fail(fleet.Invalid, fleet.Because("batch.wrong_target", "target", ref, "plan", req.Kind))
		case bridge != "" && bridge != name:
			return fleet.Plan{}, config.Bridge{}, fleet.Fail(fleet.Invalid, fleet.Because("batch.two_bridges", "one", bridge, "other", name))
		}
		bridge = name
	}
	if len(targets) == 0 {
		return fleet.Plan{}, config.Bridge{}, fleet.Fail(fleet.Invalid, fleet.Because("remedy.no_target", "plan", req.Kind))
	}
	site, found, known := b.Config().Bridge(bridge)
	var err error
	switch {
	case !known:
		err = fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_bridge", "bridge", bridge))
	case found.Version == config.VersionSolo:
		err = fleet.Fail(fleet.Refused, fleet.Because("batch.solo", "worker", bridge))
	}
	p := fleet.Plan{Site: site.Name, Targets: targets, Locks: targets, Args: map[string]string{act.ArgAtOnce: "10"}}
	for _, name := range []string{act.ArgAtOnce, act.ArgMaxFailures, act.ArgRate, ArgRestart, "batch"} {
		if v, ok := req.Args[name]; ok {
			p.Args[name] = v
		}
	}
	return p, found, err
}

// bridgeOf is the bridge that a target of a batch is part of.
func bridgeOf(ref fleet.Ref) string {
	_, rest, _ := strings.Cut(string(ref), "/")
	bridge, _, _ := strings.Cut(rest, "/")
	return bridge
}

// leftOut is a step that stands for what the plan does not do.
func leftOut(s fleet.Step, why fleet.Reason) fleet.Step {
	s.State, s.Result = fleet.StepSkipped, why
	return s
}

// anything refuses a plan without steps. One whose steps are all left out says why for each.
func anything(p fleet.Plan) error {
	if len(p.Steps) == 0 {
		return fleet.Fail(fleet.Invalid, fleet.Because("batch.no_items"))
	}
	return nil
}

func joined(names []string) string { return strings.Join(names, ", ") }

// left are the steps of an ended plan, of one op, whose targets are to be done again: all of them when what they have in
// common was not done.
func left(old fleet.Plan, req act.Request, op string) []fleet.Step {
	whole := slices.ContainsFunc(req.Targets, func(ref fleet.Ref) bool { return ref.Kind() == fleet.KindInventory })
	var steps []fleet.Step
	for _, s := range old.Steps {
		if s.Op == op && (whole || slices.Contains(req.Targets, s.Target)) {
			steps = append(steps, s)
		}
	}
	return steps
}

// again asks for the targets that an ended plan did not see through.
func again(op string) func(fleet.Plan, act.Request) act.Request {
	return func(old fleet.Plan, req act.Request) act.Request {
		req.Targets = nil
		for _, s := range left(old, req, op) {
			req.Targets = append(req.Targets, s.Target)
		}
		return req
	}
}

func marshal(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic("batch: " + err.Error()) // plain structs of ours
	}
	return out
}

// pollEvery is how often a proof is asked for.
const pollEvery = 10 * time.Second
