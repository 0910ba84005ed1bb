package observe

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

// What is skipped as steady has no changes, and what has none is skipped: whatever two statuses say.
func TestSteadyMeansNoChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyWorker(t, "a")
		b := a
		if rapid.Bool().Draw(t, "another") {
			b = anyWorker(t, "b")
		} else { // one field differs
			other := anyWorker(t, "b")
			from, to := reflect.ValueOf(other), reflect.ValueOf(&b).Elem()
			i := rapid.IntRange(0, to.NumField()-1).Draw(t, "field")
			to.Field(i).Set(from.Field(i))
		}
		a.Ref, b.Ref = "worker/b/w", "worker/b/w"
		was, is := fleet.BridgeStatus{Workers: []fleet.WorkerStatus{a}}, fleet.BridgeStatus{Workers: []fleet.WorkerStatus{b}}
		found := changes(was, is)
		if gone := a.Pruntime != nil && b.Pruntime == nil; steady(&a, &b) != (len(found) == 0) && !gone {
			t.Fatalf("steady is %v, and the changes are %v", steady(&a, &b), found)
		}
	})
}

func anyWorker(t *rapid.T, name string) fleet.WorkerStatus {
	base := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	text := rapid.SampledFrom([]string{"", "x", "y", "1,234 blocks", "1,235 blocks"})
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return rapid.SampledFrom([]time.Time{{}, base, base.Add(time.Minute), base.Add(10 * time.Minute)}).Draw(t, "at")
	})
	probe := rapid.Custom(func(t *rapid.T) fleet.Probe {
		return fleet.Probe{At: at.Draw(t, "at"), Failed: at.Draw(t, "failed"), Missed: rapid.IntRange(0, 2).Draw(t, "missed")}
	})
	height := rapid.Custom(func(t *rapid.T) fleet.Height {
		return fleet.Height{Value: rapid.Int64Range(-1, 1).Draw(t, "value"), Known: rapid.Bool().Draw(t, "known"), MovedAt: at.Draw(t, "moved")}
	})
	maybe := rapid.Ptr(rapid.Bool(), true)
	pruntime := rapid.Ptr(rapid.Custom(func(t *rapid.T) fleet.PruntimeStatus {
		return fleet.PruntimeStatus{
			Probe: probe.Draw(t, "probe"), Initialized: maybe.Draw(t, "initialized"), Registered: maybe.Draw(t, "registered"), Waiting: maybe.Draw(t, "waiting"),
			PublicKey: text.Draw(t, "key"), Version: text.Draw(t, "version"),
			Relay: height.Draw(t, "relay"), ParaHeader: height.Draw(t, "para header"), Para: height.Draw(t, "para"),
		}
	}), true)
	return rapid.Custom(func(t *rapid.T) fleet.WorkerStatus {
		return fleet.WorkerStatus{
			Probe: probe.Draw(t, "probe"), Name: text.Draw(t, "name"), Endpoint: text.Draw(t, "endpoint"), PID: rapid.Uint64Range(0, 2).Draw(t, "pid"),
			Stake: fleet.NewAmount(rapid.Uint64Range(0, 2).Draw(t, "stake")), StakeOK: true, Enabled: rapid.Bool().Draw(t, "enabled"),
			SyncOnly: rapid.Bool().Draw(t, "sync only"), Running: rapid.Bool().Draw(t, "running"), Gatekeeper: false,
			State: text.Draw(t, "state"), Message: text.Draw(t, "message"), MessageAt: at.Draw(t, "message at"),
			Initialized: maybe.Draw(t, "initialized"), Registered: maybe.Draw(t, "registered"), PublicKey: text.Draw(t, "key"),
			Session: text.Draw(t, "session"), Version: text.Draw(t, "version"), Revision: text.Draw(t, "revision"),
			Relay: height.Draw(t, "relay"), ParaHeader: height.Draw(t, "para header"), Para: height.Draw(t, "para"),
			Pruntime: pruntime.Draw(t, "pruntime"),
		}
	}).Draw(t, name)
}
