package remedy_test

import (
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

// mixedSite is a node with a bridge of every generation and two solo workers on it.
func mixedSite(v30 bool) *site {
	return newSiteOf(world.FleetOptions{Workers: 2, Pools: 1, V0Workers: 2, V3Workers: 2, V30: v30, Solo: 2})
}

// ofGeneration leaves one generation's bridges on the node.
func (s *site) only(names ...string) *site {
	var left []config.Bridge
	for _, b := range s.cfg.Sites[0].Bridges {
		for _, n := range names {
			if b.Name == n {
				left = append(left, b)
			}
		}
	}
	s.cfg.Sites[0].Bridges = left
	return s
}

func (s *site) host(name string) *world.Host { return s.w.Host(name) }

func restartOf(kind, target string) act.Request {
	refs := map[string]fleet.Ref{remedy.RestartNode: fleet.NodeRef(target), remedy.RestartBridge: fleet.BridgeRef(target), remedy.RestartMonitor: fleet.BridgeRef(target)}
	return act.Request{Kind: kind, Targets: []fleet.Ref{refs[kind]}, Author: "rule:r", Incident: "i1", Reason: fleet.Because("r")}
}

// A node with bridges of all generations and solo workers on it, of which somebody stopped the v0 trade, v3's monitor and one
// pherry beforehand: v0's fetch comes back before the lifecycle that asks it, v3's wm stays where it is, pherry is elsewhere.
func TestEveryCrashOfANodeRestartUnderAllGenerations(t *testing.T) { enumerate(t, mixedNodeCrashes()) }

func mixedNodeCrashes() []crash {
	return []crash{{"all generations", false, func(*testing.T) acttest.Setup {
		s := mixedSite(false)
		must(s.host("node-1").Stop("bridge_v0_trade_1", 0))
		must(s.host("node-1").Stop("prb3_monitor_1", 0))
		must(s.host("solo-02").Stop("phala-pherry", 0))
		s.pass(10 * time.Second)
		s.cured(world.NodeStall, "node-1", world.CuredByRestart)
		s.begin()
		return s.setup(restartOf(remedy.RestartNode, "node-1"), func(t *testing.T, r acttest.Run) {
			done(t, r)
			s.judge(t)
			s.did(t, `
				stop node-1/bridge_lifecycle_1
				stop node-1/bridge_trade_1
				stop node-1/bridge_redis-q_1
				stop node-1/bridge_v0_lifecycle_1
				stop node-1/bridge_v0_redis-q_1
				stop node-1/bridge_v0_fetch_1
				stop solo-01/phala-pherry
				stop node-1/phala-node
				start node-1/phala-node
				start node-1/bridge_v0_fetch_1
				start node-1/bridge_redis-q_1
				start node-1/bridge_lifecycle_1
				start node-1/bridge_trade_1
				start node-1/bridge_v0_redis-q_1
				start node-1/bridge_v0_lifecycle_1
				start solo-01/phala-pherry`)
		})
	}}, {"a machine is dark", false, func(*testing.T) acttest.Setup {
		s := mixedSite(false).only("solo-01", "solo-02")
		s.cured(world.NodeStall, "node-1", world.CuredByRestart)
		s.host("solo-02").Down = true
		s.begin()
		return s.setup(restartOf(remedy.RestartNode, "node-1"), func(t *testing.T, r acttest.Run) {
			done(t, r)
			s.judgeSet(t)
			s.did(t, `
				stop solo-01/phala-pherry
				stop node-1/phala-node
				start node-1/phala-node
				start solo-01/phala-pherry`)
		})
	}}}
}

// The lifecycle restart of each generation, with a trade that was retired beforehand.
func TestEveryCrashOfEveryGenerationsBridgeRestart(t *testing.T) { enumerate(t, mixedBridgeCrashes()) }

func mixedBridgeCrashes() (all []crash) {
	for name, c := range map[string]struct {
		bridge string
		v30    bool
		want   string
	}{
		"v0": {"prb-v0", false, `
			stop node-1/bridge_v0_lifecycle_1
			stop node-1/bridge_v0_redis-q_1
			start node-1/bridge_v0_redis-q_1
			start node-1/bridge_v0_lifecycle_1`},
		"v3.2": {"prb-v3", false, `
			stop node-1/prb3_wm_1
			start node-1/prb3_wm_1`},
		"solo": {"solo-01", false, `
			stop solo-01/phala-pherry
			start solo-01/phala-pherry`},
	} {
		all = append(all, crash{name, true, func(*testing.T) acttest.Setup {
			s := mixedSite(c.v30).only(c.bridge)
			must(s.host("node-1").Stop("bridge_v0_trade_1", 0))
			s.pass(10 * time.Second)
			s.begin()
			return s.setup(restartOf(remedy.RestartBridge, c.bridge), func(t *testing.T, r acttest.Run) {
				done(t, r)
				s.judge(t)
				s.did(t, c.want)
			})
		}})
	}
	return all
}

// v3.0 reads its inventory again on request, which is blind: it is sent once, or never when the process died before.
func TestEveryCrashOfAReload(t *testing.T) { enumerate(t, reloadCrashes()) }

func reloadCrashes() []crash {
	return []crash{{"v3.0", true, func(*testing.T) acttest.Setup {
		s := mixedSite(true).begin()
		return s.setup(restartOf(remedy.RestartBridge, "prb-v3"), func(t *testing.T, r acttest.Run) {
			s.judge(t)
			n := count(s.log, "reload prb-v3")
			if died := diedWithIntent(r, "reload prb-v3"); n > 1 || n == 0 && !died || n == 1 && !died && r.Plan.State != fleet.PlanDone {
				t.Errorf("sent %d times, the plan is %s: %s", n, r.Plan.State, r.Plan.Note)
			}
		})
	}}}
}

func diedWithIntent(r acttest.Run, step string) bool {
	for _, c := range r.Crashes {
		if c.Step == step && (c.Point == act.AfterIntent || c.Point == act.AfterEffect) {
			return true
		}
	}
	return false
}

// A monitor that crashed is started, one that hangs is restarted; nothing else is touched. Of v3's nothing but its container
// is seen: only persons ask for it.
func TestEveryCrashOfAMonitorRestart(t *testing.T) { enumerate(t, monitorCrashes()) }

func monitorCrashes() (all []crash) {
	for name, c := range map[string]struct {
		fault, bridge, container string
	}{
		"v2 crashed": {world.MonitorCrash, "prb-a", "bridge_monitor_1"},
		"v2 hangs":   {world.MonitorHang, "prb-a", "bridge_monitor_1"},
		"v0 hangs":   {world.MonitorHang, "prb-v0", "bridge_v0_monitor_1"},
		"v3 crashed": {world.MonitorCrash, "prb-v3", "prb3_monitor_1"},
		"v3 hangs":   {world.MonitorHang, "prb-v3", "prb3_monitor_1"},
	} {
		all = append(all, crash{name, true, func(*testing.T) acttest.Setup {
			s := mixedSite(false).begin()
			s.strike(c.fault, c.bridge)
			s.pass(time.Minute)
			req := restartOf(remedy.RestartMonitor, c.bridge)
			if c.bridge == "prb-v3" {
				req = asked(req.Kind, req.Targets...)
			}
			return s.setup(req, func(t *testing.T, r acttest.Run) {
				done(t, r)
				s.judge(t)
				s.did(t, "restart node-1/"+c.container)
			})
		}})
	}
	return all
}
