package wire

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

// defaultScenario is the demo's: what an ordinary bad evening looks like, within a quarter of an hour.
const defaultScenario = `# A list of what goes wrong.
#
#   at         when, counted from the start of the world; default 0s
#   fault      what (required); see below
#   target     whom (required): a name, a glob (w-0*, prb-a/w-07), or random:N for N of them by chance
#   chain      chain.halt, node.stall, node.stall_import, rpc.*, ws.half_open: para, relay, or both (default)
#   text       worker.error: refused, unreachable, etimedout, timeout (default), blob, reset, 500, pool, tx, txtimeout,
#              trader, what a pRuntime answers (BlockNumberMismatch, HeaderHashMismatch, ...), or any text as it is
#              worker.message: any text; robot.down: 5xx (default), hangs, after
#              rpc.garbage: html (default), torn, stranger, empty; rpc.error: code and message; rpc.lie: by how many blocks
#              worker.dead_end (v3): late, restarted, sync (default)
#              worker.error of a v0 worker also: dns, url, json
#   for        it heals by itself after this long; default never. What a worker said of it stays: S_ERROR ends with a restart
#   cured_by   restart (default, of the worker or the process that was struck) or nothing (default for pruntime.down and
#              pruntime.hang, which a restart at the bridge does not touch)
#   delay      bridge.slow, rpc.slow: by how much every reply is late, in real time
#
# Faults: chain.halt; node.stall (highestBlock stands still too), node.stall_import, node.peers_lost, node.rpc_down,
# node.hang, node.crash; rpc.garbage, rpc.huge, rpc.slow, rpc.error, rpc.lie, ws.half_open (a node's RPC); dp.stall, dp.crash; lifecycle.crash; monitor.crash, monitor.hang; bridge.slow; peer.frozen (a bridge's
# lifecycle or a data provider); worker.error, worker.freeze, worker.pause, worker.starting, worker.message; pruntime.down,
# pruntime.hang; host.silent; robot.down.
# In a v3 bridge wm takes the part of the lifecycle (lifecycle.crash, peer.frozen, bridge.slow).
# dp.* also strike the fetch of a v0 bridge (prb-v0/fetch).
# Disasters: disk.full and power.cut (targets are hosts; for is how long), segment.loss (target 127.0.100.0/24: pRuntimes that
# cannot be reached), identity.lost (a worker's pRuntime comes back with another key), cache.stale (a headers-cache),
# worker.dead_end (v3 workers).
- { at: 45s, fault: worker.error, target: w-07, text: timeout, cured_by: restart }
- { at: 90s, fault: worker.pause, target: w-31, for: 90s }               # heals by itself: leave it alone
- { at: 2m, fault: node.stall, target: node-1, cured_by: restart }
- { at: 13m, fault: worker.error, target: w-12, text: BlockNumberMismatch }
- { at: 14m, fault: worker.freeze, target: w-19, cured_by: restart }       # a dead sync loop behind S_ACTIVE
- { at: 15m, fault: worker.message, target: w-23, for: 1m }                # sticky, and means nothing
`

// DefaultScenario is the demo's scenario. DefaultScenarioYAML is its source, with the documentation of the format.
func DefaultScenario() world.Scenario {
	s, err := ParseScenario([]byte(defaultScenario))
	if err != nil {
		panic(err) // a test parses it
	}
	return s
}

// DefaultScenarioYAML is the source of DefaultScenario: a commented example to start from.
func DefaultScenarioYAML() string { return defaultScenario }

// ParseScenario reads a scenario: a YAML list of faults, as DefaultScenarioYAML documents it. Keys are strict. All problems
// are told at once (errors.Join of *fleet.Error of kind Invalid, each with its line).
func ParseScenario(text []byte) (world.Scenario, error) {
	var doc yaml.Node
	if err := yaml.Load(text, &doc); err != nil {
		return world.Scenario{}, fleet.FailWith(fleet.Invalid, fleet.Because("sim.scenario_syntax", "err", err), err)
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		root = doc.Content[0]
	}
	if root.Kind != yaml.SequenceNode {
		return world.Scenario{}, fleet.Fail(fleet.Invalid, fleet.Because("sim.scenario_no_list", "line", root.Line))
	}
	var s world.Scenario
	var errs []error
	for _, item := range root.Content {
		f, err := readFault(item)
		errs = append(errs, err)
		s.Faults = append(s.Faults, f)
	}
	if err := errors.Join(errs...); err != nil {
		return world.Scenario{}, err
	}
	return s, nil
}

// faultKeys are the keys of a fault, each with the place of its value: a text or a duration.
func faultKeys(f *world.Fault) map[string]any {
	return map[string]any{"at": &f.At, "fault": &f.Kind, "target": &f.Target, "chain": &f.Chain, "text": &f.Text, "for": &f.For,
		"cured_by": &f.CuredBy, "delay": &f.Delay}
}

func readFault(item *yaml.Node) (world.Fault, error) {
	var f world.Fault
	if item.Kind != yaml.MappingNode {
		return f, fleet.Fail(fleet.Invalid, fleet.Because("sim.scenario_no_fault", "line", item.Line))
	}
	keys, seen := faultKeys(&f), []string{}
	var errs []error
	for i := 0; i+1 < len(item.Content); i += 2 {
		key, value := item.Content[i], item.Content[i+1]
		place, known := keys[key.Value]
		switch {
		case !known || key.Kind != yaml.ScalarNode:
			errs = append(errs, fleet.Fail(fleet.Invalid, fleet.Because("sim.scenario_unknown_key", "line", key.Line, "key", key.Value,
				"keys", "at, fault, target, chain, text, for, cured_by, delay")))
		case slices.Contains(seen, key.Value):
			errs = append(errs, fleet.Fail(fleet.Invalid, fleet.Because("sim.scenario_twice", "line", key.Line, "key", key.Value)))
		default:
			errs = append(errs, readFaultValue(place, key, value))
		}
		seen = append(seen, key.Value)
	}
	if err := errors.Join(errs...); err != nil {
		return f, err
	}
	if err := f.Check(); err != nil {
		inner := fleet.ReasonOf(err)
		why := fleet.Because("sim.scenario_fault", "line", item.Line, "why", inner.Code)
		maps.Copy(why.Args, inner.Args) // the sentence of why is said with the arguments of this one
		return f, fleet.FailWith(fleet.Invalid, why, err)
	}
	return f, nil
}

func readFaultValue(place any, key, value *yaml.Node) error {
	if value.Kind == yaml.ScalarNode && value.Tag != "!!null" {
		switch place := place.(type) {
		case *string:
			*place = value.Value
			return nil
		case *time.Duration:
			d, err := time.ParseDuration(strings.TrimSpace(value.Value))
			if err == nil {
				*place = d
				return nil
			}
			return fleet.FailWith(fleet.Invalid, fleet.Because("sim.scenario_duration", "line", value.Line, "key", key.Value, "value", value.Value), err)
		}
	}
	return fleet.Fail(fleet.Invalid, fleet.Because("sim.scenario_value", "line", value.Line, "key", key.Value))
}
