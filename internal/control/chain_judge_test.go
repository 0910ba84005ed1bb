package control

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// chained is a fleet of two bridges whose workers are all in pool 83, and what the chain says of them.
type chained struct {
	*Control
	hands *clock.Virtual
	site  config.Site
	view  fleet.ChainView
}

func newChained(t *testing.T, workers int) *chained {
	t.Helper()
	cfg, problems := config.Parse([]byte(`
sites:
  - name: dc1
    nodes: [ { name: node-1, para: "http://127.0.0.1:9944", relay: "http://127.0.0.1:9945" } ]
    bridges:
      - { name: prb-a, version: v2, url: "http://127.0.0.1:3000", node: node-1 }
      - { name: prb-b, version: v2, url: "http://127.0.0.2:3000", node: node-1 }
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	hands := clock.NewVirtual(day)
	c := &chained{hands: hands, site: cfg.Sites[0], Control: New(Options{
		Config: func() config.Config { return cfg }, Clock: hands, Store: memory.New(), Log: slog.New(slog.DiscardHandler),
	})}
	c.board.setLease("dc1", store.Lease{Name: "dc1", Expires: day.Add(1000 * time.Hour)})
	pool := fleet.ChainPool{Ref: fleet.StakePoolRef("khala", 83), PID: 83, Kind: "StakePool", OwnerGas: fleet.PHA(50), Workers: map[string]int{"Idle": 2 * workers}}
	c.view = fleet.ChainView{Ref: "network/khala", Height: 1, Pools: []fleet.ChainPool{pool}, Whole: true}
	for _, name := range []string{"prb-a", "prb-b"} {
		b := fleet.BridgeStatus{Ref: fleet.BridgeRef(name), Site: "dc1", Version: "v2", Condition: fleet.BridgeHealthy, Since: day}
		for i := range workers {
			id := fmt.Sprintf("w%03d", i)
			key := fmt.Sprintf("%064x", len(c.view.Workers))
			b.Workers = append(b.Workers, fleet.WorkerStatus{Ref: fleet.WorkerRef(name, id), ID: id, Name: id, PID: 83, Enabled: true, Running: true, State: "S_ACTIVE",
				StateSince: day.Add(-48 * time.Hour), PublicKey: key, Condition: fleet.Working, Since: day.Add(-48 * time.Hour)})
			c.view.Workers = append(c.view.Workers, fleet.ChainWorker{Key: key, Registered: true, PID: 83, Pool: true, State: "Idle", StateSince: day.Add(-48 * time.Hour), RewardMoved: day})
		}
		c.board.setBridge(name, b)
	}
	return c
}

// beat lets some time pass, in which everybody answers and grows, and has the chain read when it is due.
func (c *chained) beat(t *testing.T, after time.Duration, read bool) {
	t.Helper()
	c.hands.Advance(after)
	now := c.hands.Now()
	answered, grown := fleet.Probe{At: now}, fleet.Height{Value: int64(now.Sub(day) / (12 * time.Second)), Known: true, MovedAt: now}
	healthy := func(_, is fleet.Decision) bool { return is.Verdict == fleet.Healthy }
	for _, name := range []string{"prb-a", "prb-b"} {
		b := c.board.Bridge(name)
		b.Monitor, b.Lifecycle = answered, answered
		b.DataProviders = []fleet.DataProviderStatus{{Probe: answered, Para: grown}}
		for i := range b.Workers {
			b.Workers[i].Probe, b.Workers[i].Para = answered, grown
		}
		c.board.setBridge(name, b)
	}
	if read {
		c.view.Probe, c.view.Time, c.view.Moved, c.view.Totals.RewardMoved = answered, now, now, now
		decisions := c.judgeChain("khala", c.site, c.view, now)
		if err := c.record(t.Context(), "dc1", chainTitles(decisions), decisions, healthy, now); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"prb-a", "prb-b"} {
		in := decide.BridgeInput{Status: c.board.Bridge(name), Policy: decide.DefaultPolicy(), Now: now, Last: c.board.Decision}
		view, judged := c.board.heardChain("khala", in.Status.Ref)
		in.Chain, in.ChainSuspicions, in.ChainOdd = view, judged.suspicions, judged.odd
		own, workers := decide.Bridge(in)
		cured := c.curedWorkers(in.Status, now)
		if err := c.record(t.Context(), "dc1", map[fleet.Ref]string{}, append([]fleet.Decision{own}, workers...), cured, now); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *chained) all(state string, since time.Time) {
	c.view.Workers = append([]fleet.ChainWorker{}, c.view.Workers...)
	for i := range c.view.Workers {
		w := &c.view.Workers[i]
		w.State, w.StateSince, w.CoolingSince = state, since, since
	}
}

// A pool that is stopped is one incident with all of its workers under it, from the first reading that shows it on, and it ends
// when they compute again.
func TestAStoppedPoolIsOneIncident(t *testing.T) {
	c := newChained(t, 250)
	c.beat(t, time.Minute, true)
	if open := c.Incidents(); len(open) != 0 {
		t.Fatalf("all well: %+v", open)
	}
	c.all("CoolingDown", day.Add(-time.Hour)) // noticed late: its time is over at once
	for range 3 {
		c.beat(t, time.Minute, true)
		open := c.Incidents()
		if len(open) != 1 || open[0].Target != "stakepool/khala/83" || open[0].Code != string(fleet.StakePoolSuspect) || open[0].Severity != fleet.Critical || open[0].Site != "dc1" ||
			open[0].Title != "khala/83" || len(open[0].Children) != 500 {
			t.Fatalf("%d incidents: %+v", len(open), open)
		}
	}
	c.all("Idle", c.hands.Now())
	c.beat(t, time.Minute, true)
	if open := c.Incidents(); len(open) != 0 {
		t.Errorf("over: %+v", open)
	}
}

// What an earlier process wrote down is heard by no bridge before this one has judged it: else each worker would be told of.
func TestAChainIsHeardOnlyWhenJudged(t *testing.T) {
	c := newChained(t, 20)
	c.all("CoolingDown", day.Add(-time.Hour))
	c.view.Probe, c.view.Time = fleet.Probe{At: day}, day
	c.board.setChain("khala", c.view)
	c.beat(t, time.Minute, false)
	if open := c.Incidents(); len(open) != 0 {
		t.Fatalf("not judged yet: %d incidents, %+v", len(open), open[0])
	}
	c.beat(t, time.Minute, true)
	if open := c.Incidents(); len(open) != 1 {
		t.Errorf("%d incidents", len(open))
	}
}

// A daemon that does not read a network tells of its workers itself, but for what one bridge shares.
func TestAnotherOnesChain(t *testing.T) {
	c := newChained(t, 20)
	c.all("CoolingDown", day.Add(-time.Hour))
	c.view.Probe, c.view.Time = fleet.Probe{At: day}, day
	if err := c.store.SaveChain(t.Context(), c.view); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prb-a", "prb-b"} {
		b := c.board.Bridge(name)
		for i := range b.Workers {
			b.Workers[i].At = day
		}
		c.board.setBridge(name, b)
	}
	if err := c.foreignChain(t.Context(), "khala", c.site, day); err != nil {
		t.Fatal(err)
	}
	if view, judged := c.board.heardChain("khala", "bridge/prb-a"); view == nil || len(view.Workers) != 40 || len(judged.suspicions) != 0 || len(judged.odd) != 40 {
		t.Errorf("%+v", judged)
	}
	if len(c.Incidents()) != 0 {
		t.Errorf("the pool's incident is another one's: %+v", c.Incidents())
	}
}
