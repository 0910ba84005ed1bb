package batch_test

import (
	"os"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/batch"
	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

func stopRequest(refs []fleet.Ref) act.Request {
	return act.Request{Kind: batch.StopWorkers, Targets: refs, Args: map[string]string{}}
}

func startRequest(refs []fleet.Ref) act.Request {
	return act.Request{Kind: batch.StartWorkers, Targets: refs, Args: map[string]string{}}
}

func setRequest(refs []fleet.Ref, patch batch.Patch, args ...string) act.Request {
	req := act.Request{Kind: batch.SetWorkers, Targets: refs, Args: map[string]string{batch.ArgItems: batch.Items(patch)}}
	for i := 0; i+1 < len(args); i += 2 {
		req.Args[args[i]] = args[i+1]
	}
	return req
}

// five are the workers of a small bridge. In the tests of deaths v0 has two only: its restarts take real time.
func (s *site) five(bridge string) []fleet.Ref {
	var refs []fleet.Ref
	for _, r := range s.rows(bridge) {
		refs = append(refs, fleet.WorkerRef(bridge, r.ID))
	}
	return refs
}

// lab leaves what takes real time (a v0 bridge answers a restart after 0.2 s) to make lab-full.
func lab(t *testing.T, slow bool) {
	t.Helper()
	if slow && os.Getenv("PHALOPS_LAB") != "full" {
		t.Skip("takes half a minute; PHALOPS_LAB=full (make lab-full) runs it")
	}
}

func few(version string) world.FleetOptions {
	o := small()
	if version == "v0" {
		o.V0Workers = 2
	}
	return o
}

// A stopped worker is disabled and nobody feeds it; started again it works, fed by one.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small())
			before := s.rows(b.name)
			p := s.run(stopRequest(s.five(b.name)[:3]))
			if p.State != fleet.PlanDone {
				t.Fatalf("%s %s\n%s", p.State, p.Note, results(p))
			}
			for i, r := range s.rows(b.name) {
				stopped := i < 3
				if r.Enabled == stopped || (s.feeders(r.Endpoint) == 0) != stopped {
					t.Errorf("%s: enabled %v, %d feeders", r.Name, r.Enabled, s.feeders(r.Endpoint))
				}
				r.Enabled = true
				if r != before[i] {
					t.Errorf("%+v became %+v", before[i], r)
				}
			}
			if again := s.run(stopRequest(s.five(b.name)[:3])); again.State != fleet.PlanDone {
				t.Errorf("stopping what is stopped: %s\n%s", again.State, results(again))
			}
			p = s.run(startRequest(s.five(b.name)[:3]))
			if p.State != fleet.PlanDone {
				t.Fatalf("%s %s\n%s", p.State, p.Note, results(p))
			}
			for i, r := range s.rows(b.name) {
				if r != before[i] || s.feeders(r.Endpoint) != 1 {
					t.Errorf("%+v, %d feeders", r, s.feeders(r.Endpoint))
				}
			}
			s.harmless(t)
		})
	}
}

func TestStopSurvivesEveryDeath(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			acttest.Once(t, func(t *testing.T) acttest.Setup {
				s := newSite(t, few(b.version))
				return s.setup(stopRequest(s.five(b.name)), func(t *testing.T, r acttest.Run) {
					if r.Plan.State != fleet.PlanDone {
						t.Errorf("%s %s\n%s", r.Plan.State, r.Plan.Note, results(r.Plan))
					}
					for _, r := range s.rows(b.name) {
						if r.Enabled || s.feeders(r.Endpoint) != 0 {
							t.Errorf("%s: enabled %v, %d feeders", r.Name, r.Enabled, s.feeders(r.Endpoint))
						}
					}
				})
			})
		})
	}
}

func TestLabStartSurvivesEveryDeath(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			lab(t, b.version == "v0")
			t.Parallel()
			acttest.Once(t, func(t *testing.T) acttest.Setup {
				s := newSite(t, few(b.version))
				s.run(stopRequest(s.five(b.name)))
				s.pass(2 * time.Minute) // the lease of whoever stopped them is over
				return s.setup(startRequest(s.five(b.name)), func(t *testing.T, r acttest.Run) {
					if r.Plan.State != fleet.PlanDone {
						t.Errorf("%s %s\n%s", r.Plan.State, r.Plan.Note, results(r.Plan))
					}
					for _, r := range s.rows(b.name) {
						if !r.Enabled || s.feeders(r.Endpoint) != 1 {
							t.Errorf("%s: enabled %v, %d feeders", r.Name, r.Enabled, s.feeders(r.Endpoint))
						}
					}
					s.harmless(t)
				})
			})
		})
	}
}

// A change touches the field that was named and no other one.
func TestSetKeepsTheRest(t *testing.T) {
	t.Parallel()
	stake := fleet.PHA(12)
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small())
			before := s.rows(b.name)
			p := s.run(setRequest(s.five(b.name)[1:3], batch.Patch{Stake: &stake}))
			if p.State != fleet.PlanDone {
				t.Fatalf("%s %s\n%s", p.State, p.Note, results(p))
			}
			s.pass(time.Minute)
			for i, r := range s.rows(b.name) {
				wish := before[i]
				if i == 1 || i == 2 {
					wish.Stake = stake.String()
				}
				if r != wish || s.feeders(r.Endpoint) != 1 {
					t.Errorf("%+v, want %+v, %d feeders", r, wish, s.feeders(r.Endpoint))
				}
			}
			sent := s.sent[b.name+" update"]
			if p = s.run(setRequest(s.five(b.name)[1:3], batch.Patch{Stake: &stake})); p.State != fleet.PlanDone || s.sent[b.name+" update"] != sent {
				t.Errorf("the same again: %s, %d sent", p.State, s.sent[b.name+" update"]-sent)
			}
			s.harmless(t)
		})
	}
}

// What must not be set says why.
func TestSetLeavesOut(t *testing.T) {
	t.Parallel()
	low, pool, name := fleet.NewAmount(5), uint64(4242), ""
	for _, b := range bridges {
		s := newSite(t, small())
		name = s.rows(b.name)[1].Name
		taken := s.rows(b.name)[2].Endpoint
		for code, patch := range map[string]batch.Patch{
			"prb.bad_stake": {Stake: &low}, "batch.no_pool": {PID: &pool}, "batch.name_taken": {Name: &name}, "batch.endpoint_taken": {Endpoint: &taken},
		} {
			p, err := s.build(setRequest(s.five(b.name)[:1], patch))
			if err != nil || p.Steps[0].State != fleet.StepSkipped || p.Steps[0].Result.Code != code {
				t.Errorf("%s: want %s, got %v %v", b.version, code, p.Steps, err)
			}
		}
	}
}

// A record that somebody changed after the preview is not written over.
func TestSetKeepsOutOfOthersWay(t *testing.T) {
	t.Parallel()
	stake, other := fleet.PHA(12), fleet.PHA(13)
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small())
			p, err := s.build(setRequest(s.five(b.name)[:2], batch.Patch{Stake: &stake}, batch.ArgRestart, batch.RestartNever))
			if err != nil {
				t.Fatal(err)
			}
			theirs := s.run(setRequest(s.five(b.name)[:1], batch.Patch{Stake: &other}, batch.ArgRestart, batch.RestartNever))
			if theirs.State != fleet.PlanDone {
				t.Fatal(results(theirs))
			}
			if err := s.engine.Submit(t.Context(), p, s.clock.Now()); err != nil {
				t.Fatal(err)
			}
			p = acttest.Drive(t, s.engine, s.store, p.ID, s.clock, s.live)
			if p.State != fleet.PlanPartly || s.rows(b.name)[0].Stake != other.String() || s.rows(b.name)[1].Stake != stake.String() {
				t.Errorf("%s %s\n%+v", p.State, results(p), s.rows(b.name)[:2])
			}
		})
	}
}

func TestLabSetSurvivesEveryDeath(t *testing.T) {
	t.Parallel()
	stake := fleet.PHA(12)
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			lab(t, b.version == "v0")
			t.Parallel()
			acttest.Once(t, func(t *testing.T) acttest.Setup {
				s := newSite(t, few(b.version))
				return s.setup(setRequest(s.five(b.name), batch.Patch{Stake: &stake}, batch.ArgRestart, batch.RestartNever), func(t *testing.T, r acttest.Run) {
					if r.Plan.State != fleet.PlanDone {
						t.Errorf("%s %s\n%s", r.Plan.State, r.Plan.Note, results(r.Plan))
					}
					s.pass(time.Minute)
					for _, r := range s.rows(b.name) {
						if r.Stake != stake.String() || !r.Enabled || s.feeders(r.Endpoint) != 1 {
							t.Errorf("%+v, %d feeders", r, s.feeders(r.Endpoint))
						}
					}
				})
			})
		})
	}
}

// A worker that is reserved for its removal is not put to work again, changed, or added anywhere else.
func TestWhoLeavesIsLeftAlone(t *testing.T) {
	t.Parallel()
	stake := fleet.PHA(12)
	for _, b := range bridges {
		s := newSite(t, small())
		r := s.rows(b.name)[0]
		lock := []fleet.Ref{fleet.LeavingRef(b.name, r.ID)}
		if err := s.store.CreatePlan(t.Context(), fleet.Plan{ID: "removal", Kind: "worker.remove", Site: "sim", Targets: lock, Locks: lock, State: fleet.PlanParked, Created: s.clock.Now()}); err != nil {
			t.Fatal(err)
		}
		for name, req := range map[string]act.Request{
			"start": startRequest(s.five(b.name)[:1]), "set": setRequest(s.five(b.name)[:1], batch.Patch{Stake: &stake}),
			"add": addRequest(b.name, []batch.Entry{{Name: "again", Endpoint: r.Endpoint, PID: b.pool, Stake: fleet.PHA(10), Enabled: true}}),
		} {
			p, err := s.build(req)
			if err != nil || p.Steps[0].State != fleet.StepSkipped || p.Steps[0].Result.Code != "batch.is_leaving" || p.Steps[0].Result.Args["plan"] != "removal" {
				t.Errorf("%s %s: %+v %v", b.version, name, p.Steps, err)
			}
		}
	}
}
