package remedy_test

import (
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

// What would harm one generation is refused there, whoever asks.
func TestBuildRefusesByGeneration(t *testing.T) {
	worker := func(kind, bridge, name string) func(*site) act.Request {
		return func(s *site) act.Request {
			ref, _ := s.workerOf(bridge, name)
			return asked(kind, ref)
		}
	}
	bridge := func(kind, name string) func(*site) act.Request { return with(asked(kind, fleet.BridgeRef(name))) }
	twoRuntimes := func(s *site) {
		_, endpoint := s.workerOf("prb-a", "w-01")
		s.w.Host(s.contain(endpoint)).Add(&world.Container{Name: "pruntime-two", Image: "phala-pruntime"}).BootRunning()
	}
	for name, c := range map[string]struct {
		change func(s *site)
		req    func(s *site) act.Request
		kind   fleet.ErrorKind
		code   string
	}{
		"v0: a zombie": {func(s *site) { s.zombie("v0-01") }, bridge(remedy.RestartBridge, "prb-v0"), fleet.Refused, "remedy.zombie"},
		"v3: one that cools down": {func(s *site) { s.coolDown("prb-v3", "v3-01") },
			bridge(remedy.RestartBridge, "prb-v3"), fleet.Refused, "remedy.would_revive"},
		"v3: worker that cools down": {func(s *site) { s.coolDown("prb-v3", "v3-01") },
			worker(remedy.RestartWorker, "prb-v3", "v3-01"), fleet.Refused, "remedy.worker_cooling"},
		"v3: its wm is stopped": {func(s *site) { must(s.host("node-1").Stop("prb3_wm_1", 0)); s.pass(time.Minute) },
			bridge(remedy.RestartBridge, "prb-v3"), fleet.Refused, "remedy.lifecycle_stopped"},
		"solo: no pherry":             {func(s *site) { s.soloBridge().Pherry = "" }, worker(remedy.RestartWorker, "solo-01", "solo-01"), fleet.Refused, "remedy.no_pherry"},
		"solo: pherry stopped":        {func(s *site) { must(s.host("solo-01").Stop("phala-pherry", 0)); s.pass(time.Minute) }, worker(remedy.RestartWorker, "solo-01", "solo-01"), fleet.Refused, "remedy.pherry_stopped"},
		"solo: no record to disable":  {nil, worker(remedy.DisableWorker, "solo-01", "solo-01"), fleet.Refused, "remedy.solo_disable"},
		"solo: nothing to refresh":    {nil, worker(remedy.RefreshWorker, "solo-01", "solo-01"), fleet.Refused, "remedy.no_refresh_solo"},
		"v0: nothing to refresh":      {nil, worker(remedy.RefreshWorker, "prb-v0", "v0-01"), fleet.Refused, "remedy.no_refresh_v0"},
		"a standby runs":              {standbyRuns, bridge(remedy.RestartBridge, "prb-a"), fleet.Refused, "remedy.standby_runs"},
		"node: a standby runs":        {standbyRuns, with(asked(remedy.RestartNode, fleet.NodeRef("node-1"))), fleet.Refused, "remedy.standby_runs"},
		"a rule kicks":                {nil, byARule(worker(remedy.KickWorker, "prb-a", "w-01")), fleet.Refused, "remedy.by_hand"},
		"a rule refreshes":            {nil, byARule(worker(remedy.RefreshWorker, "prb-a", "w-01")), fleet.Refused, "remedy.by_hand"},
		"container: host unknown":     {nil, worker(remedy.RestartContainer, "prb-a", "w-01"), fleet.Refused, "remedy.worker_no_host"},
		"container: none there":       {func(s *site) { s.machine("w-01") }, worker(remedy.RestartContainer, "prb-a", "w-01"), fleet.Refused, "remedy.worker_no_container"},
		"container: several":          {twoRuntimes, worker(remedy.RestartContainer, "prb-a", "w-01"), fleet.Refused, "remedy.worker_containers"},
		"container: stopped by hand":  {func(s *site) { must(s.host(s.machine("w-01", true)).Stop("phala-pruntime", 0)); s.pass(time.Minute) }, worker(remedy.RestartContainer, "prb-a", "w-01"), fleet.Refused, "remedy.worker_container_stopped"},
		"monitor: stopped by hand":    {func(s *site) { must(s.host("node-1").Stop("bridge_monitor_1", 0)); s.pass(time.Minute) }, with(restartOf(remedy.RestartMonitor, "prb-a")), fleet.Refused, "remedy.monitor_stopped"},
		"monitor: there is none":      {nil, bridge(remedy.RestartMonitor, "solo-01"), fleet.Refused, "remedy.no_monitor"},
		"disable: stake below 1 PHA":  {func(s *site) { s.stake("w-01", "7") }, worker(remedy.DisableWorker, "prb-a", "w-01"), fleet.Refused, "remedy.disable_stake"},
		"a wait that is no time":      {nil, waits("soon", ""), fleet.Invalid, "remedy.bad_wait"},
		"a wait that is too long":     {nil, waits("5h", ""), fleet.Invalid, "remedy.bad_wait"},
		"a wait that ends in nothing": {nil, waits("5m", "pray"), fleet.Invalid, "remedy.bad_then"},
	} {
		t.Run(name, func(t *testing.T) {
			s := mixedSite(false)
			if c.change != nil {
				c.change(s)
			}
			s.begin()
			_, err := newProcess(t, s).e.Build(t.Context(), c.req(s), s.clock.Now())
			if fleet.KindOf(err) != c.kind || fleet.ReasonOf(err).Code != c.code {
				t.Errorf("got %v (%s), want %s (%s)", err, fleet.KindOf(err), c.code, c.kind)
			}
			if len(s.log) > 0 {
				t.Errorf("a preview did %v", s.log)
			}
		})
	}
}

func byARule(req func(*site) act.Request) func(*site) act.Request {
	return func(s *site) act.Request {
		r := req(s)
		r.Author, r.Incident = "rule:own", "i1"
		return r
	}
}

func waits(wait, then string) func(*site) act.Request {
	req := bridgeRestart()
	req.Args = map[string]string{remedy.ArgWait: wait, remedy.ArgThen: then}
	return with(req)
}

func (s *site) soloBridge() *config.Bridge {
	for i := range s.cfg.Sites[0].Bridges {
		if s.cfg.Sites[0].Bridges[i].Name == "solo-01" {
			return &s.cfg.Sites[0].Bridges[i]
		}
	}
	panic("no solo-01")
}

func standbyRuns(s *site) {
	s.w.AddHost("spare").Add(&world.Container{Name: "bridge_lifecycle_1", Project: "bridge", Service: "lifecycle"}).BootRunning()
	s.cfg.Sites[0].Bridges[0].Standby = "spare"
}

// zombie is a v0 worker that was deleted and made anew: the bridge lists both.
func (s *site) zombie(name string) {
	b := s.w.V0Bridge("prb-v0")
	w, _ := b.Worker(name)
	gone := true
	item := world.V0Item{Name: &w.Name, Endpoint: &w.Endpoint, Stake: &w.Stake, PID: &w.PID, Enabled: &w.Enabled}
	deleted := item
	deleted.Deleted = &gone
	write, err := b.UpdateWorkers([]world.V0Change{{ID: &world.V0ID{UUID: w.UUID}, Item: &deleted}})
	must(err)
	write()
	write, err = b.CreateWorkers([]world.V0Item{item})
	must(err)
	write()
}

func (s *site) coolDown(bridge, worker string) {
	_, endpoint := s.workerOf(bridge, worker)
	s.w.Pruntime(endpoint).StopComputing()
	s.pass(time.Minute)
}

// machine makes a w-01's host known, with or without a container on it.
func (s *site) machine(worker string, contained ...bool) string {
	_, endpoint := s.workerOf("prb-a", worker)
	name := s.contain(endpoint)
	if len(contained) == 0 {
		empty := s.w.AddHost("empty").Name
		h := s.cfg.Hosts[name]
		delete(s.cfg.Hosts, name)
		s.cfg.Hosts[empty] = config.Host{Name: empty, Address: h.Address}
	}
	return name
}

// A pRuntime without a kick API says so, nothing happens to its worker, and it is not asked again.
func TestAKickWithoutTheAPIHurtsNobody(t *testing.T) {
	s := newSite(1).begin()
	p := newProcess(t, s).build(t, asked(remedy.KickWorker, s.workers("w-01")...))
	if plan := p.run(t); plan.State != fleet.PlanFailed || len(s.log) > 0 {
		t.Errorf("the plan is %s, done %v: %s", plan.State, s.log, plan.Note)
	}
	s.pass(5 * time.Minute)
	s.judge(t)
	_, err := p.e.Build(t.Context(), asked(remedy.KickWorker, s.workers("w-01")...), s.clock.Now())
	if fleet.ReasonOf(err).Code != "remedy.no_kick" {
		t.Errorf("the second time: %v", err)
	}
}

// A record that somebody edits between the plan and its step is not written.
func TestADisableDoesNotOverwriteAnEdit(t *testing.T) {
	s := newSite(1).begin()
	p := newProcess(t, s).build(t, rungOf(remedy.DisableWorker, s.workers("w-01")...))
	s.stake("w-01", "20000000000000")
	if plan := p.run(t); plan.State != fleet.PlanFailed || plan.Note.Args["why"] != "remedy.record_changed" || count(s.log, "update prb-a/w-01") != 0 {
		t.Errorf("the plan is %s, done %v: %s", plan.State, s.log, plan.Note)
	}
	if w, _ := s.w.Bridge("prb-a").Worker("w-01"); !w.Enabled || w.Stake != "20000000000000" {
		t.Errorf("the record is %+v", w)
	}
}

// One dark machine of a solo worker does not keep its node from being restarted; the others are restarted around it.
func TestADarkPherryDoesNotHoldUpItsNode(t *testing.T) {
	s := mixedSite(false).only("solo-01", "solo-02")
	s.w.Host("solo-02").Down = true
	p := newProcess(t, s.begin()).build(t, nodeRestart())
	if plan := p.run(t); plan.State != fleet.PlanDone || p.step(t, "leave solo-02").Result.Code != "remedy.left_alone" {
		t.Errorf("the plan is %s: %s", plan.State, plan.Note)
	}
	s.judgeSet(t) // the bridges that are left out of the configuration lose their node
	s.did(t, `
		stop solo-01/phala-pherry
		stop node-1/phala-node
		start node-1/phala-node
		start solo-01/phala-pherry`)
}

// v3's wm that does not find its node again is restarted, once, after its patience.
func TestNodeRestartMendsAWMThatStaysBehind(t *testing.T) {
	s := mixedSite(false).only("prb-v3")
	p := newProcess(t, s.begin()).build(t, nodeRestart())
	s.after = once("start node-1/phala-node", func() error {
		s.strike(world.WorkerFreeze, "prb-v3/v3-*")
		return nil
	})
	if plan := p.run(t); plan.State != fleet.PlanDone || count(s.log, "restart node-1/prb3_wm_1") != 1 {
		t.Errorf("the plan is %s, done %v: %s", plan.State, s.log, plan.Note)
	}
	s.judgeSet(t)
}

// v0's fetch that stands still behind its node is restarted, once, before the lifecycle that asks it comes back.
func TestNodeRestartMendsAFetchThatStandsStill(t *testing.T) {
	s := mixedSite(false).only("prb-v0")
	p := newProcess(t, s.begin()).build(t, nodeRestart())
	s.after = once("start node-1/bridge_v0_fetch_1", func() error {
		s.pass(2 * time.Second)
		s.strike(world.ProviderStall, "prb-v0/fetch")
		return nil
	})
	if plan := p.run(t); plan.State != fleet.PlanDone {
		t.Errorf("the plan is %s: %s", plan.State, plan.Note)
	}
	s.judgeSet(t) // the bridges that are left out of the configuration lose their node
	s.did(t, `
		stop node-1/bridge_v0_lifecycle_1
		stop node-1/bridge_v0_trade_1
		stop node-1/bridge_v0_redis-q_1
		stop node-1/bridge_v0_fetch_1
		stop node-1/phala-node
		start node-1/phala-node
		start node-1/bridge_v0_fetch_1
		restart node-1/bridge_v0_fetch_1
		start node-1/bridge_v0_redis-q_1
		start node-1/bridge_v0_lifecycle_1
		start node-1/bridge_v0_trade_1`)
}
