package remedy_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

var update = flag.Bool("update", false, "write the golden files")

func bridgeRestart() act.Request {
	return act.Request{Kind: remedy.RestartBridge, Targets: []fleet.Ref{fleet.BridgeRef("prb-a")}, Author: "user:li", Reason: fleet.Because("r")}
}

// asked is a request by a person, without an incident.
func asked(kind string, targets ...fleet.Ref) act.Request {
	return act.Request{Kind: kind, Targets: targets, Author: "user:li", Reason: fleet.Because("r")}
}

// What must not be done is refused before anything is written, with the reason and the kind that becomes the exit code.
func TestBuildRefuses(t *testing.T) {
	node, prbA := fleet.NodeRef("node-1"), fleet.BridgeRef("prb-a")
	for name, c := range map[string]struct {
		change func(s *site)
		req    func(s *site) act.Request
		kind   fleet.ErrorKind
		code   string
	}{
		"two nodes":            {nil, with(asked(remedy.RestartNode, node, fleet.NodeRef("node-2"))), fleet.Invalid, "remedy.one_target"},
		"a bridge as a node":   {nil, with(asked(remedy.RestartNode, prbA)), fleet.Invalid, "remedy.one_target"},
		"unknown node":         {nil, with(asked(remedy.RestartNode, fleet.NodeRef("node-9"))), fleet.NotFound, "remedy.no_node"},
		"no container known":   {func(s *site) { s.cfg.Sites[0].Nodes[0].Container = "" }, with(nodeRestart()), fleet.Refused, "remedy.no_container"},
		"no such container":    {func(s *site) { s.cfg.Sites[0].Nodes[0].Container = "khala-node" }, with(nodeRestart()), fleet.NotFound, "remedy.container_gone"},
		"node paused":          {func(s *site) { s.paused = "phala-node" }, with(nodeRestart()), fleet.Refused, "remedy.node_paused"},
		"node's host silent":   {func(s *site) { s.w.Host("node-1").Down = true }, with(nodeRestart()), fleet.Unavailable, "remedy.host_silent"},
		"bridge's host silent": {elsewhere, with(nodeRestart()), fleet.Unavailable, "remedy.host_silent"},
		"low stake":            {func(s *site) { s.stake("w-02", "999999999999") }, with(asked(remedy.RestartNode, node)), fleet.Refused, "remedy.low_stake"},
		"bridge: low stake":    {func(s *site) { s.stake("w-02", "ten") }, with(bridgeRestart()), fleet.Refused, "remedy.low_stake"},
		"bridge: not ours":     {func(s *site) { s.cfg.Sites[0].Bridges[0].Project = "" }, with(bridgeRestart()), fleet.Refused, "remedy.no_project"},
		"bridge: stopped": {func(s *site) { must(s.w.Host("node-1").Stop("bridge_lifecycle_1", time.Second)); s.pass(time.Minute) },
			with(bridgeRestart()), fleet.Refused, "remedy.lifecycle_stopped"},
		"bridge: unknown": {nil, with(asked(remedy.RestartBridge, fleet.BridgeRef("prb-z"))), fleet.NotFound, "remedy.no_bridge"},
		"no worker":       {nil, with(asked(remedy.RestartWorker)), fleet.Invalid, "remedy.no_target"},
		"not a worker":    {nil, with(asked(remedy.RestartWorker, node)), fleet.Invalid, "remedy.not_a_worker"},
		"unknown worker":  {nil, with(asked(remedy.RestartWorker, fleet.WorkerRef("prb-a", "7a0c"))), fleet.NotFound, "remedy.no_worker"},
		"disabled worker": {func(s *site) { s.disable("w-01") }, workersByName("w-01"), fleet.Refused, "remedy.worker_disabled"},
		"all disabled":    {func(s *site) { s.disable("w-01"); s.disable("w-02") }, workersByName("w-01", "w-02"), fleet.Refused, "remedy.worker_disabled"},
		"no context":      {func(s *site) { s.addWorker("w-99") }, workersByName("w-99"), fleet.Refused, "remedy.worker_no_context"},
		"monitor silent":  {func(s *site) { s.strike(world.MonitorHang, "prb-a") }, workersByName("w-01"), fleet.Unavailable, "remedy.bridge_silent"},
		"workers of two sites": {secondSite, func(s *site) act.Request {
			return asked(remedy.RestartWorker, append(s.workers("w-01"), fleet.WorkerRef("prb-z", "7a0c"))...)
		}, fleet.Invalid, "remedy.two_sites"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(2)
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

func with(req act.Request) func(*site) act.Request { return func(*site) act.Request { return req } }

func workersByName(names ...string) func(*site) act.Request {
	return func(s *site) act.Request { return asked(remedy.RestartWorker, s.workers(names...)...) }
}

func (s *site) stake(worker, amount string) {
	s.change(worker, func(w *world.WorkerInput) { w.Stake = amount })
}

func (s *site) addWorker(name string) {
	_, err := s.w.Bridge("prb-a").CreateWorkers([]world.WorkerInput{{PID: 83, Name: name, Endpoint: "http://127.0.99.1:8000", Stake: "10000000000000", Enabled: true}})
	must(err)
}

func elsewhere(s *site) {
	s.w.AddHost("prb-1").Down = true
	s.cfg.Sites[0].Bridges = append(s.cfg.Sites[0].Bridges, config.Bridge{Name: "prb-z", Node: "node-1", Host: "prb-1", Project: "bridge"})
}

func secondSite(s *site) {
	s.cfg.Sites = append(s.cfg.Sites, config.Site{Name: "dc2", Bridges: []config.Bridge{{Name: "prb-z"}}})
}

// A node that somebody must treat is restarted although a lifecycle will not come back by itself: it is dead anyway.
func TestARuleRestartsANodeInSpiteOfALowStake(t *testing.T) {
	s := newSite(2)
	s.stake("w-02", "1")
	newProcess(t, s.begin()).build(t, nodeRestart())
}

// Bridges that are not ours to restart, and two entries that mean the same containers, make no steps of their own.
func TestNodeRestartTouchesEachContainerOnce(t *testing.T) {
	s := newSite(1)
	s.cfg.Sites[0].Bridges = append(s.cfg.Sites[0].Bridges,
		config.Bridge{Name: "twin", Node: "node-1", Host: "node-1", Project: "bridge"},
		config.Bridge{Name: "foreign", Node: "node-1", Host: "node-1"},
		config.Bridge{Name: "other node's", Node: "node-2", Host: "node-1", Project: "standby"})
	p := newProcess(t, s.begin()).build(t, nodeRestart())
	p.run(t)
	s.judge(t)
	for _, name := range []string{"bridge_lifecycle_1", "bridge_trade_1", "bridge_redis-q_1", "phala-node"} {
		if count(s.log, "stop node-1/"+name) != 1 || count(s.log, "start node-1/"+name) != 1 {
			t.Errorf("%s: %v", name, s.log)
		}
	}
}

// A lifecycle without enabled workers is proved by its answer.
func TestRestartOfABridgeWithNobodyToFeed(t *testing.T) {
	s := newSite(1)
	s.disable("w-01")
	p := newProcess(t, s.begin()).build(t, bridgeRestart())
	if plan := p.run(t); plan.State != fleet.PlanDone || p.step(t, "feed prb-a").Result.Code != "remedy.bridge_idle" {
		t.Errorf("the plan is %s: %s, %s", plan.State, plan.Note, p.step(t, "feed prb-a").Result)
	}
	s.judge(t)
}

// The previews, as a person reads them before saying yes.
func TestPreviews(t *testing.T) {
	words, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(s *site)
		req    func(s *site) act.Request
	}{
		"node.restart":         {func(s *site) { s.addStandby() }, with(nodeRestart())},
		"node.restart_exited":  {func(s *site) { s.strike(world.NodeCrash, "node-1"); s.pass(time.Minute) }, with(nodeRestart())},
		"bridge.restart":       {func(*site) {}, with(bridgeRestart())},
		"worker.restart":       {func(*site) {}, workersByName("w-01")},
		"worker.restart_batch": {func(s *site) { s.disable("w-02"); s.addWorker("w-99") }, workersByName("w-01", "w-02", "w-99", "w-03", "w-01")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(3)
			c.change(s)
			p := newProcess(t, s.begin()).build(t, c.req(s)).plan
			for _, lang := range i18n.Langs() {
				head := fmt.Sprintf("locks %v\nargs %v\n", names(s, p.Locks), p.Args)
				golden(t, name+"."+string(lang)+".txt", head+preview(words, lang, p))
			}
		})
	}
}

// preview is a plan's steps as a person reads them.
func preview(words *i18n.Catalog, lang i18n.Lang, p fleet.Plan) string {
	var b strings.Builder
	for _, step := range p.Steps {
		fmt.Fprintf(&b, "%2d %-12s %s", step.Seq+1, step.Class, words.Text(lang, step.Label.Code, step.Label.Args))
		if step.Restoring {
			b.WriteString(" *")
		}
		if step.State == fleet.StepSkipped {
			b.WriteString(" – " + words.Text(lang, step.Result.Code, step.Result.Args))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The previews of what the other generations have of their own.
func TestPreviewsOfEveryGeneration(t *testing.T) {
	words, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := mixedSite(false)
	var all []fleet.Ref
	for _, g := range everyGeneration {
		ref, endpoint := s.workerOf(g.bridge, g.worker)
		s.contain(endpoint)
		all = append(all, ref)
	}
	s.w.Host("solo-02").Down = true
	e := newProcess(t, s.begin()).e
	patient := asked(remedy.RestartBridge, fleet.BridgeRef("prb-a"))
	patient.Args = map[string]string{remedy.ArgWait: "15m", remedy.ArgThen: remedy.ThenStop}
	for _, lang := range i18n.Langs() {
		var b strings.Builder
		for _, req := range []act.Request{
			asked(remedy.RestartNode, fleet.NodeRef("node-1")), patient, asked(remedy.RestartBridge, fleet.BridgeRef("prb-v0")),
			asked(remedy.RestartBridge, fleet.BridgeRef("prb-v3")), asked(remedy.RestartBridge, fleet.BridgeRef("solo-01")),
			asked(remedy.RestartMonitor, fleet.BridgeRef("prb-v3")), asked(remedy.RestartWorker, all...), asked(remedy.RestartContainer, all...),
			asked(remedy.DisableWorker, all...), asked(remedy.KickWorker, all[1]), asked(remedy.RefreshWorker, all...),
		} {
			p, err := e.Build(t.Context(), req, s.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s (%s)\n%s\n", words.Text(lang, "plan_kind."+req.Kind, nil), req.Kind, preview(words, lang, p))
		}
		golden(t, "generations."+string(lang)+".txt", b.String())
	}
}

func names(s *site, refs []fleet.Ref) []string {
	var out []string
	for _, r := range refs {
		name := string(r)
		if r.Kind() == fleet.KindWorker {
			name = "worker/" + bridge{s: s, b: s.w.Bridge(r.Parent().Name())}.nameOf(r.Name())
		}
		out = append(out, name)
	}
	return out
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}
