package decide

import (
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// TestPriors holds the table: numbers that can be, a source that has a name, and no row that another one hides.
func TestPriors(t *testing.T) {
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[3]string]bool{}
	for _, p := range priors {
		key := [3]string{p.gen, p.rule, p.rung}
		switch {
		case seen[key]:
			t.Errorf("%v stands twice", key)
		case p.cure <= 0 || p.cure >= 1 || p.with <= 0 || p.cost <= 0 || p.with > time.Hour || p.cost > p.with:
			t.Errorf("%v: %+v", key, p)
		case p.alone != 0 && (p.alone <= p.with || p.alone > personAfter):
			t.Errorf("%v lasts %v by itself", key, p.alone)
		case !texts.Has(p.source):
			t.Errorf("%v: %s has no name", key, p.source)
		case p.rung != RungRestart && p.rung != RungContainer:
			t.Errorf("%v: no such rung", key)
		}
		seen[key] = true
	}
}

func TestTheClosestPriorSpeaks(t *testing.T) {
	for _, tt := range []struct{ rule, rung, source string }{
		{"v2.error.refused", RungContainer, "prior.process_gone"},
		{"v2.error.block_number", RungRestart, "prior.counters_reread"},
		{"v0.error.tx.timeout", RungRestart, "prior.each_stage_once"},
		{"v2.errors", RungRestart, "prior.unknown"}, // whole words only
		{"v0.syncing.frozen", RungRestart, "prior.v0_begins_anew"},
		{"v2.syncing.frozen", RungRestart, "prior.sync_loop_died"},
		{"v3.error.rpc", RungRestart, "prior.v3_rpc_clears"},
		{"v3.error.unheard_of", RungRestart, "prior.v3_restart"},
		{"v3.active.frozen", RungRestart, "prior.v3_restart"},
		{"solo.frozen", RungRestart, "prior.pherry_restart"},
		{"user.mine", RungRestart, "prior.unknown"},
		{"user.mine", RungContainer, "prior.container"},
		{"node.starved.all", RungRestart, "prior.node_starved"},
	} {
		if p := priorFor(tt.rule, tt.rung); p.source != tt.source {
			t.Errorf("%s, %s: %s, want %s", tt.rule, tt.rung, p.source, tt.source)
		}
	}
}

// TestLeftAlone: what heals by itself is expected to last as long again as it has lasted, and nothing longer than until a
// person comes.
func TestLeftAlone(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		lasted, left time.Duration
	}{{time.Minute, 20 * time.Minute}, {time.Hour, time.Hour}, {100 * time.Hour, personAfter}} {
		c := weigh(RungRestart, circumstance{rule: "v3.error.rpc", since: now.Add(-tt.lasted), now: now})
		if c.Left != tt.left {
			t.Errorf("after %v it is left for %v, want %v", tt.lasted, c.Left, tt.left)
		}
	}
	if c := weigh(RungRestart, circumstance{rule: "v2.kicked", now: now}); c.Left != personAfter {
		t.Errorf("what never heals is left for %v", c.Left)
	}
	full := weigh(RungContainer, circumstance{rule: "v2.error.timeout", now: now, height: fleet.Height{Value: 3_600_000, Known: true}})
	if full.Price < 100 || !hopeless(full) || worth(full) {
		t.Errorf("a lost memory costs the sync from the first block: %+v", full)
	}
}
