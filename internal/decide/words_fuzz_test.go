package decide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// actsIn are the states in which a restart can be right. In every other, and in what nobody knows, nobody acts.
var actsIn = map[string][]string{
	"v0": {"S_IDLE", "S_STARTING", "S_SYNCHING", "S_SYNCHED", "S_MINING", "S_ACTIVE", "S_KICKED", "S_ERROR"},
	"v2": {"S_IDLE", "S_STARTING", "S_SYNCHING", "S_SYNCHED", "S_MINING", "S_ACTIVE", "S_KICKED", "S_ERROR"},
	"v3": {"Starting", "Synchronizing", "Preparing", "Working", "GatekeeperWorking", "HasError"},
}

var worksIn = map[string][]string{
	"v0": {"S_MINING", "S_ACTIVE"}, "v2": {"S_MINING", "S_ACTIVE"}, "v3": {"Working", "GatekeeperWorking", "HasError"},
}

// FuzzWords gives a worker any words: nothing panics, every decision is whole, and from words that no bridge says follows
// neither health nor an action.
func FuzzWords(f *testing.F) {
	for gen, states := range actsIn {
		for _, state := range append(slices.Clone(states), "", "S_PRE_MINING", "Restarting", "Disabled", "null", "\xff") {
			for _, message := range []string{"", "null", "Notice: worker unresponsive!", pruntimeObject("BlockNumberMismatch"), "Requesting TakeCheckpoint...", `{"stack":`, "\"\\n  at ", "\xc3\x28"} {
				f.Add(gen, state, message, "WorkerIdle", int64(2_990_000), int64(3600))
			}
		}
	}
	f.Add("solo", "", "", "Ready", int64(-1), int64(0))
	f.Add("v9", "S_ERROR", strings.Repeat("x", 5000), "WorkerCoolingDown", int64(1)<<62, int64(1))
	texts := catalog(f)
	f.Fuzz(func(t *testing.T, gen, state, message, session string, para, seconds int64) {
		g, ok := gens[gen]
		if !ok {
			g = gens["v2"]
		}
		in := g.bridge(7)
		at := min(3, len(in.Status.Workers)-1)
		w := &in.Status.Workers[at]
		d := time.Duration(min(max(seconds, 0), 1_000_000)) * time.Second
		inState(state, d, message)(w)
		w.Session, w.SessionSince = session, ago(d)
		heights(para, d)(w)
		if w.Pruntime != nil {
			ownHeight(para, d)(w)
		}
		_, ds := decide.Bridge(in)
		for _, one := range ds {
			sound(t, one)
		}
		said(t, texts, ds[at])
		got := ds[at]
		switch {
		case gen == "solo":
		case got.Action != "" && !slices.Contains(actsIn[g.version], state):
			t.Errorf("acts on %q: %+v", state, got)
		case got.Verdict == fleet.Healthy && !slices.Contains(worksIn[g.version], state):
			t.Errorf("healthy in %q: %+v", state, got)
		case got.Verdict == fleet.Healthy && d > 10*time.Minute:
			t.Errorf("healthy although it stands still: %+v", got)
		}
		if text := got.Reason.Args["message"]; len(text) > 170 {
			t.Errorf("%d bytes of a foreign text", len(text))
		}
	})
}
