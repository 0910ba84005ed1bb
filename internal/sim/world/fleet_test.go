package world

import (
	"testing"
	"time"
)

var epoch = time.Date(2022, 9, 7, 7, 58, 3, 0, time.UTC)

// demo is a world with the default fleet and faults that start at once unless they say otherwise.
func demo(t *testing.T, faults ...Fault) *World {
	t.Helper()
	w := New(epoch, 1)
	DefaultFleet(w, FleetOptions{Workers: 6})
	if err := w.Apply(Scenario{Name: t.Name(), Faults: faults}); err != nil {
		t.Fatal(err)
	}
	return w
}

func pass(w *World, d time.Duration) { w.Advance(w.Now().Add(d)) }

func worker(t *testing.T, w *World, name string) *Context {
	t.Helper()
	for _, b := range w.Bridges() {
		for _, c := range b.contexts {
			if c.Worker.Name == name {
				return c
			}
		}
	}
	t.Fatalf("no context for %s", name)
	return nil
}

func TestDefaultFleetIsInStepAndStaysSo(t *testing.T) {
	w := demo(t)
	for range 3 {
		for _, c := range w.Bridge("prb-a").contexts {
			para, _, known := c.Heights()
			if !known || c.State() != StateActive || c.Pruntime().Feeders() != 1 || w.Node("node-1").Para().Chain.Head(w.Now())-para > 4 {
				t.Errorf("%s at %v: %s at %d (known %v), %d feeders", c.Worker.Name, w.Now(), c.State(), para, known, c.Pruntime().Feeders())
			}
		}
		if i := w.DataProvider("dp-1").Info(w.Now()); i.Status != "S_IDLE" {
			t.Errorf("data provider: %+v", i)
		}
		if lms := w.Bridge("prb-a"); len(lms.table) != 2 {
			t.Errorf("discover table: %+v", lms.table)
		}
		pass(w, 24*time.Hour)
	}
	if len(w.queue) > 10 {
		t.Errorf("an idle world has %d events on its way", len(w.queue))
	}
	if len(w.Harm())+len(w.Effects())+len(w.Faults()) > 0 {
		t.Errorf("nobody did anything, yet: %v %v %v", w.Effects(), w.Harm(), w.Faults())
	}
}
