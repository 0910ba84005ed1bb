package act_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/store"
)

func TestPersonsWordIsRecordedAndRefusedAtTheEnd(t *testing.T) {
	b := newBench(t, map[string]act.Op{"op": script{do: []any{nil}}.op()}, true, nil, "a op n1", "~b op n1")
	b.pause()
	b.pause()
	b.resume()
	b.resume()
	b.run(1)
	b.abort()
	b.abort()
	if err := b.e.Pause(t.Context(), b.id, "user:li", start()); fleet.KindOf(err) != fleet.Refused {
		t.Errorf("a restoring plan is paused: %v", err)
	}
	b.run(9)
	for _, err := range []error{
		b.e.Pause(t.Context(), b.id, "user:li", start()), b.e.Resume(t.Context(), b.id, "user:li", start()), b.e.Abort(t.Context(), b.id, "user:li", start()),
	} {
		if !errors.Is(err, store.ErrEnded) {
			t.Errorf("an ended plan is changed: %v", err)
		}
	}
	if err := b.e.Abort(t.Context(), "none", "user:li", start()); fleet.KindOf(err) != fleet.NotFound {
		t.Errorf("no such plan: %v", err)
	}
	var said []string
	for _, e := range b.events() {
		if e.Author == "user:li" {
			said = append(said, e.Reason.Code)
		}
	}
	if d := cmp.Diff([]string{"act.plan_paused", "act.plan_resumed", "act.plan_abort_asked"}, said); d != "" {
		t.Error(d)
	}
}

func TestRetryAsksForWhatIsLeft(t *testing.T) {
	args := map[string]string{"stake": "10", act.ArgConfirm: "yes"}
	b := newBench(t, ops(map[string]script{"good": {do: []any{nil}}, "bad": {do: []any{errBroken}, attempts: 1}}), false, args,
		"set1 good n1", "set2 bad n2", "tell2 good n2", "set3 bad n3")
	if _, err := act.Retry(b.plan(), "user:wang"); fleet.KindOf(err) != fleet.Refused {
		t.Errorf("a running plan is retried: %v", err)
	}
	b.run(50)
	got, err := act.Retry(b.plan(), "user:wang")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(act.Request{
		Kind: "test", Targets: []fleet.Ref{fleet.NodeRef("n2"), fleet.NodeRef("n3")}, Args: map[string]string{"stake": "10"},
		Author: "user:wang", Incident: "i1", Reason: fleet.Because("act.retry_of", "plan", b.id),
	}, got); d != "" {
		t.Error(d)
	}
	done := newBench(t, ops(map[string]script{"good": {do: []any{nil}}}), false, nil, "set1 good n1")
	done.run(5)
	if _, err := act.Retry(done.plan(), "user:wang"); fleet.KindOf(err) != fleet.Refused {
		t.Errorf("a plan that left nothing is retried: %v", err)
	}
}
