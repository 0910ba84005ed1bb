package storetest

import (
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

func calendar(t *testing.T, s store.Store) {
	same(t, "no windows", get2(s.Maintenance(t.Context(), t0()))(t), []fleet.Maintenance(nil))
	window := func(id string, began, ends time.Duration, sites ...string) fleet.Maintenance {
		return fleet.Maintenance{ID: id, Sites: sites, Why: "换交换机 \"'<&>", Author: "user:li", Began: at(began), Ends: at(ends)}
	}
	late, early, over := window("b", time.Hour, 3*time.Hour, "dc1", "dc2"), window("c", 0, 2*time.Hour), window("a", -2*time.Hour, 0)
	opened := fleet.Event{At: t0(), Kind: fleet.EventMaintenance, Author: "user:li", Target: fleet.SiteRef("dc1"), Reason: because("test.opened")}
	must(t, s.SaveMaintenance(t.Context(), []fleet.Maintenance{late, early, over}, opened))
	same(t, "windows that end after a moment", get2(s.Maintenance(t.Context(), t0()))(t), []fleet.Maintenance{early, late})
	same(t, "windows that ended", get2(s.Maintenance(t.Context(), at(-1)))(t), []fleet.Maintenance{over, early, late})
	if e := eventsAfter(t, s, store.EventFilter{Kinds: []fleet.EventKind{fleet.EventMaintenance}}); len(e) != 1 || e[0].Reason.Code != "test.opened" {
		t.Errorf("events: %+v", e)
	}
	late.Ends, late.Sites = at(time.Minute), nil
	must(t, s.SaveMaintenance(t.Context(), []fleet.Maintenance{late}))
	same(t, "after a change", get2(s.Maintenance(t.Context(), at(time.Second)))(t), []fleet.Maintenance{early, late})
	same(t, "after its end", get2(s.Maintenance(t.Context(), at(time.Minute)))(t), []fleet.Maintenance{early})
}
