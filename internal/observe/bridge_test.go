package observe

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

var amounts = cmp.AllowUnexported(fleet.Amount{})

func blank() fleet.BridgeStatus {
	return fleet.BridgeStatus{Ref: "bridge/prb-b", Site: "dc1", Version: "v2"}
}

func working(id string, para int64) fleet.WorkerStatus {
	return fleet.WorkerStatus{
		ID: id, Name: "w-" + id, PID: 83, Endpoint: "http://10.0.0.1:8000", Stake: fleet.PHA(10), StakeOK: true, Enabled: true, Running: true,
		State: "S_ACTIVE", Message: "Now the worker should be active.", MessageAt: start, Para: at(para), PublicKey: "ab",
	}
}

func reading(workers ...fleet.WorkerStatus) prb.Reading {
	return prb.Reading{
		LifecyclePeer: "QmLM", Workers: workers, Pools: []fleet.Pool{{ID: "p2", PID: 84}, {ID: "p1", PID: 83}},
		DataProviders: []prb.DataProvider{{Status: fleet.DataProviderStatus{PeerID: "QmDP", Hostname: "dp", Status: "S_IDLE", Para: at(10)}}},
	}
}

func find(t *testing.T, b fleet.BridgeStatus, id string) fleet.WorkerStatus {
	t.Helper()
	w := b.Worker(fleet.WorkerRef("prb-b", id))
	if w == nil {
		t.Fatalf("worker %s is gone", id)
	}
	return *w
}

func TestBridgeAddsNamesOrderAndHistories(t *testing.T) {
	b := Bridge(blank(), reading(working("2", 5), working("1", 5)), start)
	if b.Workers[0].Name != "w-1" || b.Workers[0].Ref != "worker/prb-b/1" || b.Pools[0].PID != 83 || b.Pools[0].BridgeRef != b.Ref || b.LifecyclePeer != "QmLM" {
		t.Fatalf("got %+v", b)
	}
	later := start.Add(15 * time.Second)
	other := working("1", 6)
	other.State, other.Message = "S_ERROR", "null"
	b = Bridge(b, reading(other, working("2", 5)), later)
	one, two := find(t, b, "1"), find(t, b, "2")
	if !one.StateSince.Equal(later) || !one.MessageSeen.Equal(later) || !one.Para.MovedAt.Equal(later) || !one.At.Equal(later) {
		t.Errorf("what changed: %+v", one)
	}
	if !two.StateSince.Equal(start) || !two.MessageSeen.Equal(start) || !two.Para.MovedAt.Equal(start) || !two.At.Equal(later) {
		t.Errorf("what did not: %+v", two)
	}
	again := working("2", 5)
	again.MessageAt = later
	if b = Bridge(b, reading(again), later.Add(time.Second)); !find(t, b, "2").MessageSeen.Equal(later.Add(time.Second)) || len(b.Workers) != 1 {
		t.Errorf("the same text with a new stamp, one worker less: %+v", b.Workers)
	}
}

func TestBridgeWhatIsSilentKeepsItsWords(t *testing.T) {
	down := errors.New("down")
	before := Bridge(blank(), reading(working("1", 5), working("2", 5)), start)
	before.Workers[0].Condition, before.Condition = fleet.Working, fleet.BridgeHealthy
	now := start.Add(time.Minute)

	t.Run("monitor", func(t *testing.T) {
		b := Bridge(before, prb.Reading{MonitorErr: down}, now)
		if b.Monitor.Missed != 1 || b.Lifecycle.Missed != 1 || b.DataProviders[0].Missed != 1 || b.Workers[0].Missed != 1 || b.DataProviders[0].Para.Value != 10 {
			t.Errorf("not everything is silent: %+v", b)
		}
		b.Monitor, b.Lifecycle, b.DataProviders[0].Probe = before.Monitor, before.Lifecycle, before.DataProviders[0].Probe
		for i := range b.Workers {
			b.Workers[i].Probe = before.Workers[i].Probe
		}
		if diff := cmp.Diff(before, b, amounts); diff != "" {
			t.Errorf("last words changed: %s", diff)
		}
	})
	t.Run("inventory", func(t *testing.T) {
		moved := working("1", 9)
		moved.Name, moved.Enabled = "", false // States tells no inventory
		b := Bridge(before, prb.Reading{InventoryErr: down, Workers: []fleet.WorkerStatus{moved}}, now)
		one, two := find(t, b, "1"), find(t, b, "2")
		if one.Name != "w-1" || !one.Enabled || one.Para.Value != 9 || one.Missed != 0 || one.Condition != fleet.Working || len(b.Pools) != 2 {
			t.Errorf("the record is not kept beside the new state: %+v", one)
		}
		if two.Running || two.State != "" || two.Para.Known || !two.StateSince.Equal(now) || two.PublicKey != "ab" || two.Name != "w-2" {
			t.Errorf("not in the states, so not running: %+v", two)
		}
		if b.Monitor.Missed != 0 || b.Lifecycle.Missed != 1 || b.LifecyclePeer != "QmLM" {
			t.Errorf("got %+v %+v", b.Monitor, b.Lifecycle)
		}
	})
	t.Run("states", func(t *testing.T) {
		renamed := fleet.WorkerStatus{ID: "1", Name: "new", Enabled: false}
		b := Bridge(before, prb.Reading{StatesErr: down, Workers: []fleet.WorkerStatus{renamed}}, now)
		one := find(t, b, "1")
		if one.Name != "new" || one.Enabled || !one.Running || one.State != "S_ACTIVE" || one.Para.Value != 5 || one.Missed != 1 || len(b.Workers) != 1 {
			t.Errorf("got %+v", one)
		}
	})
	t.Run("data provider", func(t *testing.T) {
		r := reading(working("1", 5))
		r.DataProviders = []prb.DataProvider{{Status: fleet.DataProviderStatus{PeerID: "QmDP", Hostname: "dp"}, Err: down}}
		dp := Bridge(before, r, now).DataProviders[0]
		if dp.Missed != 1 || dp.Para.Value != 10 || dp.Status != "S_IDLE" || !dp.At.Equal(start) {
			t.Errorf("silent: %+v", dp)
		}
		r.DataProviders = nil
		b := Bridge(before, r, now)
		if len(b.DataProviders) != 1 || b.DataProviders[0].Cause.Code != "observe.provider_unlisted" {
			t.Fatalf("unlisted: %+v", b.DataProviders)
		}
		if b = Bridge(b, r, now.Add(forgetProvider)); len(b.DataProviders) != 0 {
			t.Errorf("unlisted for a day: %+v", b.DataProviders)
		}
	})
	if before.Monitor.Missed != 0 || before.Workers[0].Missed != 0 {
		t.Error("the earlier status was changed")
	}
}

func TestANewContextDoesNotForgetTheKey(t *testing.T) {
	b := Bridge(blank(), reading(working("1", 5)), start)
	fresh := fleet.WorkerStatus{ID: "1", Name: "w-1", Running: true}
	b = Bridge(b, reading(fresh), start.Add(time.Second))
	if w := find(t, b, "1"); w.PublicKey != "ab" || !w.MessageSeen.IsZero() || w.Para.Known {
		t.Errorf("got %+v", w)
	}
}

func drawReading(t *rapid.T) prb.Reading {
	failing := func(name string) error {
		if rapid.Bool().Draw(t, name) {
			return fmt.Errorf("%s is silent", name)
		}
		return nil
	}
	height := func(name string) fleet.Height {
		return fleet.Height{Value: rapid.Int64Range(-1, 3).Draw(t, name), Known: rapid.Bool().Draw(t, name+" known")}
	}
	r := prb.Reading{InventoryErr: failing("inventory"), StatesErr: failing("states")}
	if rapid.IntRange(0, 5).Draw(t, "monitor") == 0 {
		return prb.Reading{MonitorErr: errors.New("monitor is silent")}
	}
	for _, id := range rapid.SliceOfDistinct(rapid.StringMatching("[a-d]"), rapid.ID).Draw(t, "ids") {
		w := fleet.WorkerStatus{ID: id, Name: "w" + id, Enabled: rapid.Bool().Draw(t, "enabled")}
		if r.StatesErr == nil && rapid.Bool().Draw(t, "running") {
			w.Running, w.Para = true, height("para")
			w.State = rapid.SampledFrom([]string{"", "S_ACTIVE", "S_ERROR"}).Draw(t, "state")
			w.Message = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "message")
		}
		r.Workers = append(r.Workers, w)
	}
	for _, id := range rapid.SliceOfDistinct(rapid.StringMatching("[p-r]"), rapid.ID).Draw(t, "providers") {
		r.DataProviders = append(r.DataProviders, prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: id, Para: height("dp")}, Err: failing("dp")})
	}
	return r
}

// Whatever was read before: the same reading again, a beat later, changes the times of answers and nothing else, and the
// fact log stays quiet.
func TestTheSameReadingTwiceChangesOnlyTimesOfAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := start
		b := blank()
		for range rapid.IntRange(0, 4).Draw(t, "before") {
			b = Bridge(b, drawReading(t), now)
			now = now.Add(15 * time.Second)
		}
		r := drawReading(t)
		once := Bridge(b, r, now)
		twice := Bridge(once, r, now.Add(15*time.Second))
		for _, f := range Changes(once, twice) {
			if f.Value != "false" || !hasSuffix(f.Field, "moving") { // time alone freezes a counter
				t.Errorf("a fact out of nothing: %+v", f)
			}
		}
		if diff := cmp.Diff(timeless(once), timeless(twice), amounts); diff != "" {
			t.Errorf("it changed: %s", diff)
		}
		if !slices.IsSortedFunc(twice.Workers, func(a, b fleet.WorkerStatus) int { return cmpText(a.Name, b.Name) }) {
			t.Error("not in the order of names")
		}
	})
}

// timeless drops the times of answers and the lengths of silences.
func timeless(b fleet.BridgeStatus) fleet.BridgeStatus {
	quiet := func(p *fleet.Probe) {
		p.At, p.Missed = time.Time{}, min(p.Missed, 1)
	}
	b.DataProviders, b.Workers = slices.Clone(b.DataProviders), slices.Clone(b.Workers)
	quiet(&b.Monitor)
	quiet(&b.Lifecycle)
	for i := range b.DataProviders {
		quiet(&b.DataProviders[i].Probe)
	}
	for i := range b.Workers {
		quiet(&b.Workers[i].Probe)
	}
	return b
}

// A pRuntime is asked while its bridge is: only what the bridge showed in the beat before is older than its answer.
func TestWhatTheBridgeShowedBeforeThePruntimeWasAsked(t *testing.T) {
	asked := working("1", 900)
	asked.Pruntime = &fleet.PruntimeStatus{Para: at(100)}
	b := Bridge(blank(), reading(asked), start)
	if got := find(t, b, "1").Pruntime.Shown; got != 0 {
		t.Errorf("nothing was shown before, not %d", got)
	}
	b = Bridge(b, reading(asked), start.Add(15*time.Second))
	if got := find(t, b, "1").Pruntime; got.Shown != 900 || !got.Before.Equal(start) {
		t.Errorf("900 was shown before, not %d; it was asked before at %v", got.Shown, got.Before)
	}
	later := working("1", 950)
	b = Bridge(b, reading(later), start.Add(30*time.Second))
	if got := find(t, b, "1").Pruntime.Shown; got != 900 {
		t.Errorf("it was not asked again: 900, not %d", got)
	}
}
