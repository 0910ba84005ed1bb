package observe

import (
	"slices"
	"testing"
	"time"

	"phalops/internal/fleet"
)

// asked is a worker whose pRuntime was asked as well.
func asked(para int64, silent string) fleet.WorkerStatus {
	w := working("1", 5)
	w.Session, w.Version, w.Registered = "WorkerIdle", "2.2.0", new(true)
	w.Pruntime = &fleet.PruntimeStatus{Endpoint: w.Endpoint, Para: at(para), Initialized: new(true)}
	if silent != "" {
		w.Pruntime = &fleet.PruntimeStatus{Endpoint: w.Endpoint, Probe: fleet.Probe{Cause: fleet.Because(silent)}}
	}
	return w
}

func TestPruntimeIsAWitnessWithAHistoryOfItsOwn(t *testing.T) {
	beat := func(n int) time.Time { return start.Add(time.Duration(n) * 15 * time.Second) }
	b := Bridge(blank(), reading(asked(7, "")), beat(0))
	b = Bridge(b, reading(asked(7, "")), beat(1))
	if p := find(t, b, "1").Pruntime; !p.At.Equal(beat(1)) || !p.Para.MovedAt.Equal(beat(0)) {
		t.Errorf("stands still: %+v", p)
	}
	b = Bridge(b, reading(asked(0, "wire.refused")), beat(2))
	if p := find(t, b, "1").Pruntime; p.Missed != 1 || !p.Failed.Equal(beat(2)) || p.Cause.Code != "wire.refused" || p.Para.Value != 7 {
		t.Errorf("silent: it keeps its words: %+v", p)
	}
	unasked := working("1", 6)
	b = Bridge(b, reading(unasked), beat(3))
	w := find(t, b, "1")
	if p := w.Pruntime; p == nil || p.Missed != 1 {
		t.Errorf("nobody asked: %+v", p)
	}
	if w.Version != "2.2.0" || w.Registered == nil {
		t.Errorf("a context that does not know it yet is no news: %+v", w)
	}
	b = Bridge(b, reading(asked(8, "")), beat(4))
	if p := find(t, b, "1").Pruntime; p.Missed != 0 || !p.Para.MovedAt.Equal(beat(4)) || !p.At.Equal(beat(4)) {
		t.Errorf("back: %+v", p)
	}
	moved := working("1", 6)
	moved.Endpoint = "http://127.0.0.9:8000"
	if p := find(t, Bridge(b, reading(moved), beat(5)), "1").Pruntime; p != nil {
		t.Errorf("another endpoint is another pRuntime: %+v", p)
	}
}

func TestSessionSince(t *testing.T) {
	b := Bridge(blank(), reading(asked(7, "")), start)
	b = Bridge(b, reading(asked(8, "")), start.Add(time.Minute))
	if s := find(t, b, "1").SessionSince; !s.Equal(start) {
		t.Errorf("since %v", s)
	}
	marked := asked(9, "")
	marked.Session = "WorkerUnresponsive"
	b = Bridge(b, reading(marked), start.Add(2*time.Minute))
	if s := find(t, b, "1").SessionSince; !s.Equal(start.Add(2 * time.Minute)) {
		t.Errorf("since %v", s)
	}
}

// TestACountedErrorGoesOn: v3 counts its failures in the text, a new number with every beat.
func TestACountedErrorGoesOn(t *testing.T) {
	failing := func(n string) fleet.WorkerStatus {
		w := working("1", 5)
		w.State, w.MessageAt = "HasError", time.Time{}
		w.Message = "Continously received " + n + " RpcError from pRuntime. Last one: error sending request"
		return w
	}
	one := Bridge(blank(), reading(failing("3")), start)
	two := Bridge(one, reading(failing("41")), start.Add(time.Minute))
	if w := find(t, two, "1"); !w.MessageSeen.Equal(start) || w.Message != failing("41").Message {
		t.Errorf("got %+v", w)
	}
	if slices.ContainsFunc(Changes(one, two), func(f fleet.Fact) bool { return f.Field == "message" }) {
		t.Errorf("a fact for each beat: %+v", Changes(one, two))
	}
	other := failing("42")
	other.Message = "Fail to generate_sync_request for 3 times. Retrying... Last Error: x"
	if w := find(t, Bridge(two, reading(other), start.Add(2*time.Minute)), "1"); w.MessageSeen.Equal(start) {
		t.Error("another error is news")
	}
}

func TestChangesOfThePruntime(t *testing.T) {
	one := Bridge(blank(), reading(asked(7, "")), start)
	two := Bridge(one, reading(asked(0, "wire.refused")), start.Add(15*time.Second))
	got := Changes(one, two)
	if len(got) != 1 || got[0].Field != "pruntime.reachable" || got[0].Value != "false" || got[0].Source != "w-1 pruntime" {
		t.Errorf("%+v", got)
	}
}

// TestANoticeHidesWhatWasSaid: a worker in S_ERROR is marked on chain after a while, and the notice of that replaces the error.
func TestANoticeHidesWhatWasSaid(t *testing.T) {
	saying := func(state, message string) fleet.WorkerStatus {
		w := working("1", 5)
		w.State, w.Message = state, message
		return w
	}
	b := blank()
	for i, step := range []struct {
		state, message, hidden string
	}{
		{"S_ERROR", "Error: gas", ""},
		{"S_ERROR", "Notice: worker unresponsive!", "Error: gas"},
		{"S_ERROR", "Notice: worker unresponsive!", "Error: gas"},
		{"S_ERROR", "Error: other", ""},
		{"S_ERROR", "Notice: worker unresponsive!", "Error: other"},
		{"S_SYNCHING", "Notice: worker unresponsive!", ""},
		{"S_SYNCHING", "Synching block data...", ""},
	} {
		b = Bridge(b, reading(saying(step.state, step.message)), start.Add(time.Duration(i)*time.Minute))
		if w := find(t, b, "1"); w.Hidden != step.hidden {
			t.Errorf("step %d: hidden %q", i, w.Hidden)
		}
	}
}
