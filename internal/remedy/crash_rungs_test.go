package remedy_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

// workerOf finds a worker of any bridge by its name: its Ref and its pRuntime's endpoint.
func (s *site) workerOf(bridge, name string) (fleet.Ref, string) {
	if b := s.w.V0Bridge(bridge); b != nil {
		w, _ := b.Worker(name)
		return fleet.WorkerRef(bridge, w.UUID), w.Endpoint
	}
	if b := s.w.V3Bridge(bridge); b != nil {
		for _, w := range b.WorkersOf(90) {
			if w.Name == name {
				return fleet.WorkerRef(bridge, w.ID), strings.TrimSuffix(w.Endpoint, "/")
			}
		}
	}
	if b := s.w.Bridge(bridge); b != nil {
		w, _ := b.Worker(name)
		return fleet.WorkerRef(bridge, w.UUID), w.Endpoint
	}
	for _, p := range s.w.Pherries() {
		if p.Name == bridge {
			return fleet.WorkerRef(bridge, bridge), p.Pruntime
		}
	}
	panic("no worker " + bridge + "/" + name)
}

// contain puts a pRuntime into a container on a machine of its own, or, of a solo worker, beside its pherry.
func (s *site) contain(endpoint string) string {
	u, err := url.Parse(endpoint)
	must(err)
	name := "m-" + u.Hostname()
	for _, b := range s.cfg.Sites[0].Bridges {
		if b.Version == config.VersionSolo && b.URL == endpoint {
			name = b.Host
		}
	}
	if s.w.Host(name) == nil {
		s.w.AddHost(name)
	}
	s.cfg.Hosts[name] = config.Host{Name: name, Address: u.Hostname()}
	s.w.ContainPruntime(endpoint, name, world.Container{Name: "phala-pruntime", RestartAlways: true}).BootRunning()
	return name
}

func rungOf(kind string, refs ...fleet.Ref) act.Request {
	req := act.Request{Kind: kind, Targets: refs, Author: "user:li", Reason: fleet.Because("r")}
	if kind != remedy.KickWorker && kind != remedy.RefreshWorker {
		req.Author, req.Incident = "rule:r", "i1"
	}
	return req
}

var everyGeneration = []struct{ name, bridge, worker string }{
	{"v0", "prb-v0", "v0-01"}, {"v2", "prb-a", "w-01"}, {"v3", "prb-v3", "v3-01"}, {"solo", "solo-01", "solo-01"},
}

// sentOnce: whatever is blind was sent once by a plan that ended well; by one that did not, once or never.
func sentOnce(t *testing.T, s *site, r acttest.Run, want string) {
	t.Helper()
	blind := strings.HasPrefix(want, "restart prb-") || strings.HasPrefix(want, "kick ") || strings.HasPrefix(want, "refresh ") || strings.HasPrefix(want, "force_")
	n := count(s.log, want)
	died := false
	for _, c := range r.Crashes {
		died = died || c.Point == act.AfterIntent || c.Point == act.AfterEffect
	}
	switch {
	case n == 1:
	case n == 0 && blind && died:
	default:
		t.Errorf("%q was sent %d times, the plan is %s: %s\n%s", want, n, r.Plan.State, r.Plan.Note, strings.Join(s.log, "\n"))
	}
}

// A worker restart at the feeder of each generation.
func TestEveryCrashOfEveryGenerationsWorkerRestart(t *testing.T) { enumerate(t, mixedWorkerCrashes()) }

func mixedWorkerCrashes() (all []crash) {
	for _, g := range everyGeneration {
		all = append(all, crash{g.name, true, func(*testing.T) acttest.Setup {
			s := mixedSite(false)
			ref, _ := s.workerOf(g.bridge, g.worker)
			if g.name != "solo" {
				s.strike(world.WorkerFreeze, g.worker)
			}
			s.pass(3 * time.Minute)
			s.begin()
			return s.setup(rungOf(remedy.RestartWorker, ref), func(t *testing.T, r acttest.Run) {
				s.judge(t)
				want := "restart " + g.bridge + "/" + g.worker
				if g.name == "solo" {
					want = "restart solo-01/phala-pherry"
				}
				sentOnce(t, s, r, want)
				if len(r.Crashes) == 0 {
					done(t, r)
				}
			})
		}})
	}
	return all
}

// A hanging pRuntime's container of each generation: stopped once, started once, and its feeder restarted afterwards.
func TestEveryCrashOfEveryGenerationsContainerRestart(t *testing.T) { enumerate(t, containerCrashes()) }

func containerCrashes() (all []crash) {
	for _, g := range everyGeneration {
		all = append(all, crash{g.name, false, func(*testing.T) acttest.Setup {
			s := mixedSite(false)
			ref, endpoint := s.workerOf(g.bridge, g.worker)
			host := s.contain(endpoint)
			s.strike(world.PruntimeHang, g.worker)
			s.pass(5 * time.Minute)
			s.begin()
			return s.setup(rungOf(remedy.RestartContainer, ref), func(t *testing.T, r acttest.Run) {
				s.judge(t)
				sentOnce(t, s, r, "stop "+host+"/phala-pruntime")
				sentOnce(t, s, r, "start "+host+"/phala-pruntime")
				feeder := "restart " + g.bridge + "/" + g.worker
				if g.name == "solo" {
					feeder = "restart solo-01/phala-pherry"
				}
				sentOnce(t, s, r, feeder)
				if len(r.Crashes) == 0 {
					done(t, r)
				}
			})
		}})
	}
	return all
}

// A kick goes to a pRuntime with a kick API, once, and then its feeder is restarted.
func TestEveryCrashOfAKick(t *testing.T) { enumerate(t, kickCrashes()) }

func kickCrashes() (all []crash) {
	for _, g := range everyGeneration {
		all = append(all, crash{g.name, false, func(*testing.T) acttest.Setup {
			s := mixedSite(false)
			ref, endpoint := s.workerOf(g.bridge, g.worker)
			s.w.Pruntime(endpoint).KickAPI = true
			s.begin()
			return s.setup(rungOf(remedy.KickWorker, ref), func(t *testing.T, r acttest.Run) {
				s.judgeSet(t)
				sentOnce(t, s, r, "kick "+endpoint)
				if len(r.Crashes) == 0 {
					done(t, r)
					if s.w.Pruntime(endpoint).Checkpoint().IsZero() {
						t.Error("it was kicked without a checkpoint")
					}
				}
			})
		}})
	}
	return all
}

// A worker is disabled once, and every other field of its record stays.
func TestEveryCrashOfADisable(t *testing.T) { enumerate(t, disableCrashes()) }

func disableCrashes() (all []crash) {
	for _, c := range []struct {
		name, bridge string
		v30          bool
	}{{"v0", "prb-v0", false}, {"v2", "prb-a", false}, {"v3.0", "prb-v3", true}, {"v3.2", "prb-v3", false}} {
		all = append(all, crash{c.name, true, func(t *testing.T) acttest.Setup {
			s := newSiteOf(world.FleetOptions{Workers: 3, Pools: 1, V0Workers: 3, V3Workers: 3, V30: c.v30}).begin()
			before := s.records(t, c.bridge)
			var refs []fleet.Ref
			for _, w := range before {
				refs = append(refs, fleet.WorkerRef(c.bridge, w.ID))
			}
			return s.setup(rungOf(remedy.DisableWorker, refs...), func(t *testing.T, r acttest.Run) {
				done(t, r)
				s.judge(t)
				for i, now := range s.records(t, c.bridge) {
					was := before[i]
					if was.Enabled = false; !reflect.DeepEqual(now, was) {
						t.Errorf("the record is %+v, want %+v", now, was)
					}
					if n := count(s.log, "update "+c.bridge+"/"+now.Name); n != 1 {
						t.Errorf("%s was written %d times", now.Name, n)
					}
				}
			})
		}})
	}
	return all
}

// records are what a bridge has stored.
func (s *site) records(t *testing.T, bridge string) []fleet.WorkerStatus {
	t.Helper()
	client, err := s.Bridge(bridge)
	must(err)
	_, workers, err := client.(prb.Inventory).Inventory(t.Context())
	must(err)
	return workers
}

// A refresh costs gas, so it is sent once. v2's ends as its preview says: nobody issues EPID attestations any more.
func TestEveryCrashOfARefresh(t *testing.T) { enumerate(t, refreshCrashes()) }

func refreshCrashes() (all []crash) {
	for _, g := range []struct {
		name, bridge, worker, want string
		ends                       fleet.PlanState
	}{
		{"v2", "prb-a", "w-01", "refresh prb-a/w-01", fleet.PlanFailed},
		{"v3", "prb-v3", "v3-01", "force_register prb-v3/v3-01", fleet.PlanDone},
	} {
		all = append(all, crash{g.name, false, func(*testing.T) acttest.Setup {
			s := mixedSite(false)
			ref, _ := s.workerOf(g.bridge, g.worker)
			s.begin()
			return s.setup(rungOf(remedy.RefreshWorker, ref), func(t *testing.T, r acttest.Run) {
				s.judgeSet(t)
				sentOnce(t, s, r, g.want)
				if len(r.Crashes) == 0 && r.Plan.State != g.ends {
					t.Errorf("the plan is %s: %s", r.Plan.State, r.Plan.Note)
				}
			})
		}})
	}
	return all
}
