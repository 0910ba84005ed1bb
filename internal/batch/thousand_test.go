package batch_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/batch"
	"phalops/internal/fleet"
	"phalops/internal/sim/world"
	"phalops/internal/store/sqlite"
)

// fleets are ten bridges of v2, or one of the others, and how many workers each shall get.
func fleets(version string, each int) (world.FleetOptions, []string, func(bridge int) uint64) {
	o := world.FleetOptions{Workers: 1, Pools: 1, Net: 5}
	switch version {
	case "v0":
		o.V0Workers = 1
		return o, []string{"prb-v0"}, func(int) uint64 { return 88 }
	case "v3":
		o.V3Workers = 1
		return o, []string{"prb-v3"}, func(int) uint64 { return 90 }
	}
	o.Bridges = 10
	names := []string{"prb-a"}
	for n := 2; n <= 10; n++ {
		names = append(names, fmt.Sprintf("prb-%03d", n))
	}
	return o, names, func(n int) uint64 {
		if n == 0 {
			return 83
		}
		return uint64(1000 * (n + 1))
	}
}

// many adds, changes, stops and deletes nothing of each of so many workers, on all bridges side by side, over a real store.
func many(t *testing.T, version string, each int) {
	o, names, pool := fleets(version, each)
	s := newSite(t, o)
	real, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = real.Close() }()
	s.store = real
	s.boot()
	for i := range s.cfg.Sites[0].Bridges {
		s.cfg.Sites[0].Bridges[i].MaxWorkers = 2000
	}
	var reqs []act.Request
	for n, bridge := range names {
		var list []batch.Entry
		for i := range each {
			list = append(list, batch.Entry{Name: fmt.Sprintf("m-%02d-%04d", n, i), Endpoint: fmt.Sprintf("http://10.%d.%d.%d:8000", 100+n, i/250, 1+i%250), PID: pool(n), Stake: fleet.PHA(10), Enabled: true})
		}
		s.face.Do(func(w *world.World) {
			for _, e := range list {
				w.AddPruntime(e.Endpoint, w.Nodes()[0].Network)
			}
		})
		reqs = append(reqs, addRequest(bridge, list, batch.ArgRestart, batch.RestartNever))
	}
	took := func(what string, began time.Time) {
		t.Logf("%s: %s %d workers in %s", version, what, each*len(names), time.Since(began).Round(time.Millisecond))
	}
	began := time.Now()
	s.together(reqs)
	took("added", began)
	stake := fleet.PHA(11)
	var sets, stops []act.Request
	for _, bridge := range names {
		refs := s.five(bridge)
		sets = append(sets, setRequest(refs, batch.Patch{Stake: &stake}, batch.ArgRestart, batch.RestartNever))
		stops = append(stops, stopRequest(refs))
	}
	began = time.Now()
	s.together(sets)
	took("changed", began)
	began = time.Now()
	s.together(stops)
	took("stopped", began)
	for _, bridge := range names {
		rows := s.rows(bridge)
		if len(rows) != each+1 {
			t.Errorf("%s has %d workers, want %d", bridge, len(rows), each+1)
		}
		for _, r := range rows {
			if r.Stake != stake.String() || r.Enabled || s.feeders(r.Endpoint) != 0 {
				t.Errorf("%+v, %d feeders", r, s.feeders(r.Endpoint))
			}
		}
	}
	s.harmless(t)
}

// together runs plans side by side, as the daemon does.
func (s *site) together(reqs []act.Request) {
	s.t.Helper()
	var ids []string
	for _, req := range reqs {
		p, err := s.build(req)
		if err == nil {
			err = s.engine.Submit(s.t.Context(), p, s.clock.Now())
		}
		if err != nil {
			s.t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			if p := acttest.Drive(s.t, s.engine, s.store, id, s.clock, nil); p.State != fleet.PlanDone {
				s.t.Errorf("%s %s\n%.500s", p.State, p.Note, results(p))
			}
		})
	}
	wg.Wait()
}

// Ten bridges of v2, one of v0 and one of v3 get many workers; PHALOPS_LAB=full: a thousand each.
func TestLabManyWorkers(t *testing.T) {
	for _, version := range []string{"v0", "v2", "v3"} {
		t.Run(version, func(t *testing.T) {
			each := map[string]int{"v0": 8, "v2": 6, "v3": 20}[version]
			if os.Getenv("PHALOPS_LAB") == "full" {
				each = map[string]int{"v0": 1000, "v2": 100, "v3": 1000}[version]
			}
			many(t, version, each)
		})
	}
}
