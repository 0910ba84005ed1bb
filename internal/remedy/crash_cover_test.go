package remedy_test

import (
	"slices"
	"testing"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/remedy"
)

// passed is a point that an enumeration comes by in plans of a kind about a generation, or in steps of an op.
type passed struct {
	kind, version, op string
	point             act.Point
}

// TestEveryKindIsKilledEverywhere: for every kind of plan that is registered, and every generation that it can be made for,
// an enumeration comes by every point; and by every point that the steps of each registered handler have.
func TestEveryKindIsKilledEverywhere(t *testing.T) {
	seen := map[passed]bool{}
	for _, c := range everyCrash() {
		u := c.setup(t)
		r := acttest.Peace(t, u)
		for _, version := range versionsOf(t, r.Plan) {
			for _, b := range r.Passed {
				seen[passed{kind: r.Plan.Kind, version: version, point: b.Point}] = true
			}
		}
		for _, b := range r.Passed {
			if i := slices.IndexFunc(r.Plan.Steps, func(s fleet.Step) bool { return s.Name == b.Step }); i >= 0 {
				seen[passed{op: r.Plan.Steps[i].Op, point: b.Point}] = true
			}
		}
	}
	for _, k := range kinds() {
		for _, version := range versionsFor(t, k.Name) {
			for _, point := range []act.Point{act.BeforeIntent, act.AfterIntent, act.AfterEffect, act.AfterVerify, act.BeforeState} {
				if !seen[passed{kind: k.Name, version: version, point: point}] {
					t.Errorf("no process dies %s in a plan %s about a %s bridge", point, k.Name, version)
				}
			}
		}
		for name, op := range k.Ops {
			for _, point := range pointsOf(op) {
				if !seen[passed{op: name, point: point}] {
					t.Errorf("no process dies %s of a step %s (%s)", point, name, k.Name)
				}
			}
		}
	}
}

// pointsOf are the points of a step's life in which a process can die.
func pointsOf(op act.Op) []act.Point {
	points := []act.Point{act.BeforeIntent}
	if op.Do != nil {
		points = append(points, act.AfterIntent, act.AfterEffect)
	}
	if op.Verify != nil {
		points = append(points, act.AfterVerify)
	}
	return points
}

func kinds() []act.Kind {
	return remedy.New(func() config.Config { return config.Config{} }, nil).Kinds()
}

// homes are the bridges of mixedSite by generation.
var homes = map[string]string{"v0": "prb-v0", "v2": "prb-a", "v3": "prb-v3", config.VersionSolo: "solo-01"}

// versionsOf are the generations that a plan is about, of a node restart those that hang on the node.
func versionsOf(t *testing.T, p fleet.Plan) (out []string) {
	t.Helper()
	refs := p.Targets
	if len(refs) > 0 && refs[0].Kind() == fleet.KindNode {
		refs = p.Locks
	}
	for version, home := range homes {
		if slices.ContainsFunc(refs, func(r fleet.Ref) bool { return r == fleet.BridgeRef(home) || r.Parent() == fleet.BridgeRef(home) }) {
			out = append(out, version)
		}
	}
	if len(out) == 0 {
		t.Fatalf("a plan %s of %v is about no bridge", p.Kind, p.Targets)
	}
	return out
}

// versionsFor are the generations for which a kind of plan can be made.
func versionsFor(t *testing.T, kind string) (out []string) {
	t.Helper()
	workers := map[string]string{}
	for _, g := range everyGeneration {
		workers[g.bridge] = g.worker
	}
	for version, home := range homes {
		s := mixedSite(false)
		worker, endpoint := s.workerOf(home, workers[home])
		s.contain(endpoint)
		s.w.Pruntime(endpoint).KickAPI = true
		e := newProcess(t, s).e
		for _, target := range []fleet.Ref{worker, fleet.BridgeRef(home), fleet.NodeRef("node-1")} {
			if _, err := e.Build(t.Context(), asked(kind, target), s.clock.Now()); err == nil {
				out = append(out, version)
				break
			}
		}
	}
	if len(out) == 0 {
		t.Errorf("a plan %s can be made for nobody", kind)
	}
	return out
}
