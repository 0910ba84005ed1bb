package fleet

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHeightRemembersAcrossSilence(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h := Height{}.Next(100, true, t0)
	h = h.Next(0, false, t0.Add(time.Minute)) // a beat that did not say
	if h.Known || h.FrozenFor(t0.Add(time.Hour)) != 0 {
		t.Errorf("an unknown height is %+v", h)
	}
	h = h.Next(100, true, t0.Add(2*time.Minute))
	if got := h.FrozenFor(t0.Add(5 * time.Minute)); got != 5*time.Minute {
		t.Errorf("frozen for %v: the silent beat counted as movement", got)
	}
	if h = h.Next(101, true, t0.Add(6*time.Minute)); !h.MovedAt.Equal(t0.Add(6 * time.Minute)) {
		t.Errorf("a new value did not move: %+v", h)
	}
}

func TestProbe(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var p Probe
	if p.Fresh() {
		t.Error("a source that was never asked is fresh")
	}
	p = p.Answered(t0)
	for i := range MissedLimit {
		if !p.Fresh() {
			t.Fatalf("stale after %d missed beats", i)
		}
		p = p.Silent(t0.Add(time.Duration(i+1)*time.Minute), Because("x"))
	}
	if p.Fresh() || !p.Failed.Equal(t0.Add(time.Minute)) || !p.At.Equal(t0) {
		t.Errorf("after three missed beats: %+v", p)
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]string{
		"10": "10000000000000", "10.5": "10500000000000", "0.000000000001": "1", "340282366920938463463374607.431768211455": "340282366920938463463374607431768211455",
	} {
		a, err := ParsePHA(text)
		if err != nil || a.String() != want || a.PHA() != text {
			t.Errorf("ParsePHA(%s) = %s (%s PHA), %v; want %s", text, a, a.PHA(), err, want)
		}
	}
	for _, text := range []string{"", ".", "-1", "1e3", "1.0000000000001", "ten", "1,5", " 1", "0x10", "340282366920938463463374607.431768211456"} {
		if a, err := ParsePHA(text); err == nil {
			t.Errorf("ParsePHA(%q) = %s, want an error", text, a)
		}
	}
	if PHA(18446744).String() != "18446744000000000000" || PHA(1<<40).String() != "1099511627776000000000000" {
		t.Error("PHA overflows 64 bits wrongly")
	}
}

func TestAmountsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Amount{rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
		b := Amount{rapid.Uint64Max(3).Draw(t, "bhi"), rapid.Uint64().Draw(t, "blo")}
		text, err := json.Marshal(a)
		var back Amount
		if err != nil || json.Unmarshal(text, &back) != nil || back != a {
			t.Fatalf("%s does not survive JSON: %s", a, text)
		}
		if p, err := ParsePHA(a.PHA()); err != nil || p != a {
			t.Fatalf("%s PHA reads back as %s: %v", a.PHA(), p, err)
		}
		if a.Cmp(b) != a.big().Cmp(b.big()) {
			t.Fatalf("Cmp(%s, %s) = %d", a, b, a.Cmp(b))
		}
	})
}

func TestRefs(t *testing.T) {
	w := WorkerRef("prb-a", "51d8")
	if w.Kind() != KindWorker || w.Name() != "51d8" || w.Parent() != BridgeRef("prb-a") {
		t.Errorf("%s: %s %s %s", w, w.Kind(), w.Name(), w.Parent())
	}
	for _, c := range []struct {
		a, b Ref
		want bool
	}{
		{w, w, true}, {w, BridgeRef("prb-a"), true}, {BridgeRef("prb-a"), w, true},
		{w, WorkerRef("prb-a", "51d9"), false}, {w, BridgeRef("prb-b"), false}, {NodeRef("a"), BridgeRef("a"), false}, {NodeRef("a"), Fleet, false},
	} {
		if c.a.Overlaps(c.b) != c.want {
			t.Errorf("%s overlaps %s = %v", c.a, c.b, !c.want)
		}
	}
}

func TestReasonKeepsItsArguments(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("CST", 8*3600))
	r := Because("a.b", "for", 90*time.Second, "at", at, "n", 7, "who", NodeRef("x"))
	if got := r.String(); got != "a.b at=2026-01-01T19:04:05Z for=1m30s n=7 who=node/x" {
		t.Error(got)
	}
}
