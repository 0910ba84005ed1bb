package decide

import (
	"strings"
	"time"
)

// Spans that stand behind the priors.
const (
	// personAfter is how long something that only a person mends is expected to last: nobody looks at night.
	personAfter = 8 * time.Hour
	// firstSync is a re-sync from the first block where the height is not known.
	firstSync = 72 * time.Hour
	// syncRate is how many blocks a second a pRuntime takes on its first sync.
	syncRate = 10
)

// prior is what is expected of one action on one condition before this fleet has taught anything else.
type prior struct {
	gen    string        // generation of the bridge, "" any
	rule   string        // rule behind the generation, or how it begins (whole words between dots); "" any
	rung   string        // action
	cure   float64       // probability that it cures
	alone  time.Duration // how long the condition lasts when nothing is done; 0: until a person comes
	with   time.Duration // downtime with the action, when it cures
	cost   time.Duration // downtime that the action causes by itself
	loses  bool          // the action throws away what the pRuntime holds in memory beyond its newest checkpoint
	source string        // where the numbers come from: a code of the catalogue
}

// priors has a row for every generation, rule and action; the closest one speaks: the longest rule, then the generation's
// own. Durations are of the cited references; rates of cure are estimates, since nobody has published any.
//
// How long states last alone is the column that decides most: S_ERROR and a dead sync loop never end by themselves, v3's
// run of transport errors does.
var priors = []prior{
	// Anything: a worker that is down stays down until a person comes, and a restart of its context takes minutes.
	{rung: RungRestart, cure: 0.5, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.unknown"},
	{rung: RungContainer, cure: 0.3, with: 15 * time.Minute, cost: 10 * time.Minute, loses: true, source: "prior.container"},

	// S_ERROR and S_KICKED of v0 and v2 are terminal; what a restart can do depends on the text.
	{rule: "error", rung: RungRestart, cure: 0.5, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.error_is_terminal"},
	{rule: "error.refused", rung: RungRestart, cure: 0.5, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.error_is_terminal"},
	{rule: "error.unreachable", rung: RungRestart, cure: 0.2, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.error_is_terminal"},
	{rule: "error.timeout", rung: RungRestart, cure: 0.7, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.network_passes"},
	{rule: "error.reset", rung: RungRestart, cure: 0.7, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.network_passes"},
	{rule: "error.resolver", rung: RungRestart, cure: 0.7, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.network_passes"},
	{rule: "error.runtime_info", rung: RungRestart, cure: 0.7, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.network_passes"},
	{rule: "error.block_number", rung: RungRestart, cure: 0.9, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.counters_reread"},
	{rule: "error.no_chain_state", rung: RungRestart, cure: 0.9, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.slip_of_the_bridge"},
	{rule: "error.late_event", rung: RungRestart, cure: 0.9, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.slip_of_the_bridge"},
	{rule: "error.not_json", rung: RungRestart, cure: 0.7, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.slip_of_the_bridge"},
	{rule: "error.cancelled", rung: RungRestart, cure: 0.8, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.slip_of_the_bridge"},
	{rule: "error.blob", rung: RungRestart, cure: 0.6, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.error_is_terminal"},
	{rule: "error.no_state", rung: RungRestart, cure: 0.6, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.error_is_terminal"},
	{rule: "error.tx", rung: RungRestart, cure: 0.4, with: 15 * time.Minute, cost: 3 * time.Minute, source: "prior.each_stage_once"},
	{rule: "error.hidden", rung: RungRestart, cure: 0.6, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.error_is_terminal"},
	{rule: "error.unknown", rung: RungRestart, cure: 0.4, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.unknown"},
	{rule: "kicked", rung: RungRestart, cure: 0.8, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.error_is_terminal"},

	// A process that is gone has no memory to lose: its container's restart is cheap.
	{rule: "error.refused", rung: RungContainer, cure: 0.7, with: 15 * time.Minute, cost: 5 * time.Minute, source: "prior.process_gone"},
	{rule: "kicked", rung: RungContainer, cure: 0.7, with: 15 * time.Minute, cost: 5 * time.Minute, source: "prior.process_gone"},
	{gen: "v3", rule: "error.rpc", rung: RungContainer, cure: 0.7, with: 15 * time.Minute, cost: 5 * time.Minute, source: "prior.process_gone"},
	{gen: "v3", rule: "error.late", rung: RungContainer, cure: 0.7, with: 15 * time.Minute, cost: 5 * time.Minute, source: "prior.process_gone"},
	{gen: "solo", rule: "refused", rung: RungContainer, cure: 0.7, with: 15 * time.Minute, cost: 5 * time.Minute, source: "prior.process_gone"},
	{rule: "error.reset", rung: RungContainer, cure: 0.5, with: 15 * time.Minute, cost: 10 * time.Minute, loses: true, source: "prior.container"},
	{rule: "error.timeout", rung: RungContainer, cure: 0.6, with: 15 * time.Minute, cost: 10 * time.Minute, loses: true, source: "prior.process_hangs"},
	{rule: "error.tx", rung: RungContainer, cure: 0.05, with: 15 * time.Minute, cost: 10 * time.Minute, loses: true, source: "prior.container"},

	// Working states with frozen heights: the sync loop died, and keeps its state for ever.
	{rule: "active", rung: RungRestart, cure: 0.8, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.sync_loop_died"},
	{rule: "syncing", rung: RungRestart, cure: 0.6, with: 10 * time.Minute, cost: 5 * time.Minute, source: "prior.sync_loop_died"},
	{rule: "egress", rung: RungRestart, cure: 0.5, alone: time.Hour, with: 10 * time.Minute, cost: 5 * time.Minute, source: "prior.queue_retries"},
	{rule: "starting", rung: RungRestart, cure: 0.5, alone: 2 * time.Hour, with: 5 * time.Minute, cost: 3 * time.Minute, source: "prior.starting_retries"},

	// v0 re-reads the record and begins at -1; a minute or two of that is normal.
	{gen: "v0", rule: "syncing", rung: RungRestart, cure: 0.5, with: 15 * time.Minute, cost: 5 * time.Minute, source: "prior.v0_begins_anew"},

	// v3 restarts a context in about 20 s and does not touch the pRuntime process.
	{gen: "v3", rung: RungRestart, cure: 0.6, with: 3 * time.Minute, cost: 2 * time.Minute, source: "prior.v3_restart"},
	{gen: "v3", rule: "error", rung: RungRestart, cure: 0.6, with: 3 * time.Minute, cost: 2 * time.Minute, source: "prior.v3_restart"},
	{gen: "v3", rule: "error.rpc", rung: RungRestart, cure: 0.4, alone: 20 * time.Minute, with: 3 * time.Minute, cost: 2 * time.Minute, source: "prior.v3_rpc_clears"},
	{gen: "v3", rule: "error.counters", rung: RungRestart, cure: 0.9, with: 3 * time.Minute, cost: 2 * time.Minute, source: "prior.v3_counters"},
	{gen: "v3", rule: "error.tx", rung: RungRestart, cure: 0.4, with: 10 * time.Minute, cost: 2 * time.Minute, source: "prior.each_stage_once"},
	{gen: "v3", rule: "active", rung: RungRestart, cure: 0.8, with: 3 * time.Minute, cost: 2 * time.Minute, source: "prior.v3_restart"},

	// pherry of a solo worker is a container of its own: its restart is the worker's.
	{gen: "solo", rung: RungRestart, cure: 0.6, with: 3 * time.Minute, cost: 2 * time.Minute, source: "prior.pherry_restart"},

	// Nodes: their own restart takes minutes, and whoever hangs on them stands still meanwhile (dependants are added).
	{gen: "node", rung: RungRestart, cure: 0.7, with: 5 * time.Minute, cost: 5 * time.Minute, source: "prior.node_restart"},
	{gen: "node", rule: "down", rung: RungRestart, cure: 0.8, with: 5 * time.Minute, cost: 5 * time.Minute, source: "prior.node_restart"},
	{gen: "node", rule: "starved", rung: RungRestart, cure: 0.4, alone: 4 * time.Hour, with: 5 * time.Minute, cost: 5 * time.Minute, source: "prior.node_starved"},
	{gen: "node", rule: "alone", rung: RungRestart, cure: 0.5, with: 5 * time.Minute, cost: 5 * time.Minute, source: "prior.node_alone"},

	// A bridge's lifecycle: every worker of it syncs again from where its pRuntime is.
	{gen: "bridge", rung: RungRestart, cure: 0.7, with: 10 * time.Minute, cost: 5 * time.Minute, source: "prior.lifecycle_restart"},
}

// priorFor finds the closest row for a rule's full name ("v2.error.refused") and a rung.
func priorFor(rule, rung string) prior {
	gen, rest, _ := strings.Cut(rule, ".")
	best, score := prior{}, -1
	for _, p := range priors {
		if p.rung != rung || (p.gen != "" && p.gen != gen) || !within(rest, p.rule) {
			continue
		}
		s := 2 * len(p.rule)
		if p.gen != "" {
			s++
		}
		if s > score {
			best, score = p, s
		}
	}
	return best
}

// within reports whether a name begins with whole words of another.
func within(name, begin string) bool {
	return begin == "" || name == begin || (strings.HasPrefix(name, begin) && name[len(begin)] == '.')
}
