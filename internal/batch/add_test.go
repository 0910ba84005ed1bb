package batch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/batch"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/remedy"
	"phalops/internal/store"
)

// results are the lines of a plan as "name state code".
func results(p fleet.Plan) string {
	var out []string
	for _, i := range batch.ItemsOf(p) {
		name := i.Args["worker"]
		if name == "" {
			name = i.Args["name"]
		}
		if name == "" {
			name = i.Target.Name()
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", name, i.State, i.Why.Code)))
	}
	return strings.Join(out, "\n")
}

func want(t *testing.T, got string, lines ...string) {
	t.Helper()
	if w := strings.Join(lines, "\n"); got != w {
		t.Errorf("got\n%s\nwant\n%s", got, w)
	}
}

// Workers that were added work in the end, whatever the generation: the bridge notices by itself or is restarted once. The
// same list again changes nothing.
func TestAddUntilTheyWork(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small())
			list := entries(b.pool, 1, 3)
			p := s.run(addRequest(b.name, list))
			noticed := b.name + " done batch.noticed"
			if b.version == "v3" { // by itself
				noticed = b.name + " done act.already"
			}
			if p.State != fleet.PlanDone {
				t.Errorf("%s %s", p.State, p.Note)
			}
			want(t, results(p), "new-01 done batch.works", "new-02 done batch.works", "new-03 done batch.works", noticed)
			for _, e := range list {
				if n := s.feeders(e.Endpoint); n != 1 {
					t.Errorf("%s has %d feeders", e.Name, n)
				}
			}
			rows := s.rows(b.name)
			p = s.run(addRequest(b.name, list))
			if p.State != fleet.PlanDone || fmt.Sprint(s.rows(b.name)) != fmt.Sprint(rows) || s.sent[b.name+" create"] != 3 {
				t.Errorf("the same again: %s, %d sent\n%s", p.State, s.sent[b.name+" create"], results(p))
			}
			s.harmless(t)
		})
	}
}

// Every line that must not be added says why, and the others are added.
func TestAddLeavesOut(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small())
			for i := range s.cfg.Sites[0].Bridges {
				if s.cfg.Sites[0].Bridges[i].Name == b.name {
					s.cfg.Sites[0].Bridges[i].MaxWorkers = 6
				}
			}
			own, _ := s.row(b.name, b.first)
			list := entries(b.pool, 1, 2)
			list = append(list,
				batch.Entry{Name: "twin", Endpoint: own.Endpoint, PID: b.pool, Stake: fleet.PHA(10), Enabled: true},
				batch.Entry{Name: b.first, Endpoint: spare(3), PID: b.pool, Stake: fleet.PHA(10), Enabled: true},
				batch.Entry{Name: "lost", Endpoint: spare(4), PID: 4242, Stake: fleet.PHA(10), Enabled: true},
				batch.Entry{Name: "poor", Endpoint: spare(5), PID: b.pool, Stake: fleet.NewAmount(1), Enabled: true},
				batch.Entry{Name: "other", Endpoint: own.Endpoint + "0", PID: b.pool, Stake: fleet.PHA(10), Enabled: true},
			)
			p := s.run(addRequest(b.name, list, batch.ArgRestart, batch.RestartNever))
			want(t, results(p), "new-01 done act.sent", "new-02 skipped batch.full", "twin skipped batch.endpoint_taken", b.first+" skipped batch.name_taken",
				"lost skipped batch.no_pool", "poor skipped prb.bad_stake", "other skipped batch.full")
			if p.State != fleet.PlanPartly {
				t.Errorf("the plan is %s", p.State)
			}
		})
	}
}

// What goes wrong on the way to one record is said of that record.
func TestAddMeetsOneFault(t *testing.T) {
	t.Parallel()
	lost := prb.Ambiguous(errors.New("the answer got lost"))
	for name, c := range map[string]struct {
		fault func(s *site, bridge string) // once the plan is made
		spoil func(n int) (before, after error)
		want  []string
	}{
		"the answer is lost after the write": {nil, func(n int) (error, error) {
			if n == 2 {
				return nil, lost
			}
			return nil, nil
		}, []string{"new-01 done act.sent", "new-02 done act.already", "new-03 done act.sent"}},
		"the request is lost before the write": {nil, func(n int) (error, error) {
			if n == 2 {
				return lost, nil
			}
			return nil, nil
		}, []string{"new-01 done act.sent", "new-02 done act.sent", "new-03 done act.sent"}},
		"somebody else takes the name half-way": {func(s *site, bridge string) {
			s.steal(bridge, "new-02")
		}, nil, []string{"new-01 done act.sent", "new-02 failed batch.taken_meanwhile", "new-03 done act.sent"}},
	} {
		for _, b := range bridges {
			t.Run(name+"/"+b.version, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, small())
				req := addRequest(b.name, entries(b.pool, 1, 3), batch.ArgRestart, batch.RestartNever, act.ArgAtOnce, "1")
				p, err := s.build(req)
				if err == nil {
					err = s.engine.Submit(t.Context(), p, s.clock.Now())
				}
				if err != nil {
					t.Fatal(err)
				}
				if c.fault != nil {
					c.fault(s, b.name)
				}
				if c.spoil != nil {
					n := 0
					s.spoil = func(string, string) (error, error) { n++; return c.spoil(n) }
				}
				p = acttest.Drive(t, s.engine, s.store, p.ID, s.clock, s.live)
				want(t, results(p), c.want...)
				seen := map[string]int{}
				for _, r := range s.rows(b.name) {
					seen[r.Name]++
				}
				for _, name := range []string{"new-01", "new-02", "new-03"} {
					if seen[name] != 1 {
						t.Errorf("%s is there %d times", name, seen[name])
					}
				}
			})
		}
	}
}

// A bridge that dies in the middle fails the rest of its lines, each with its reason; what was left undone can be asked for
// again when it is back.
func TestAddWhileTheBridgeDies(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small())
			dead := errors.New("connection refused")
			n := 0
			s.spoil = func(string, string) (error, error) {
				if n++; n > 2 {
					return fleet.FailWith(fleet.Unavailable, fleet.Because("wire.refused", "url", "http://prb"), dead), nil
				}
				return nil, nil
			}
			p := s.run(addRequest(b.name, entries(b.pool, 1, 4), batch.ArgRestart, batch.RestartNever, act.ArgAtOnce, "1"))
			want(t, results(p), "new-01 done act.sent", "new-02 done act.sent", "new-03 failed wire.refused", "new-04 failed wire.refused")
			s.spoil = nil
			req, err := s.engine.Retry(p, "user:li")
			if err != nil {
				t.Fatal(err)
			}
			again := s.run(req)
			want(t, results(again), "new-03 done act.sent", "new-04 done act.sent")
		})
	}
}

// A batch of five ends with exactly the wanted inventory wherever the process dies.
func TestAddSurvivesEveryDeath(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			acttest.Once(t, func(t *testing.T) acttest.Setup {
				s := newSite(t, small())
				before := len(s.rows(b.name))
				return s.setup(addRequest(b.name, entries(b.pool, 1, 5), batch.ArgRestart, batch.RestartNever), func(t *testing.T, r acttest.Run) {
					if r.Plan.State != fleet.PlanDone {
						t.Errorf("%s %s\n%s", r.Plan.State, r.Plan.Note, results(r.Plan))
					}
					if n := len(s.rows(b.name)); n != before+5 {
						t.Errorf("%d records, want %d", n, before+5)
					}
					s.harmless(t)
				})
			})
		})
	}
}

// steal stores a record of this name behind the plan's back.
func (s *site) steal(bridge, name string) {
	s.t.Helper()
	client, err := s.clients.Bridge(bridge)
	if err != nil {
		s.t.Fatal(err)
	}
	pool := uint64(83)
	for _, b := range bridges {
		if b.name == bridge {
			pool = b.pool
		}
	}
	_, err = client.(prb.Inventory).CreateWorkers(s.t.Context(), []prb.WorkerSpec{{PID: pool, Name: name, Endpoint: "http://127.3.220.99:8000", Stake: fleet.PHA(10), Enabled: true}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.clock.Advance(time.Minute) // what the plan has read is old
}

// The restart that makes a bridge notice happens once, wherever the process dies, and everybody works in the end.
func TestLabNoticeSurvivesEveryDeath(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			lab(t, b.version == "v0")
			t.Parallel()
			acttest.Once(t, func(t *testing.T) acttest.Setup {
				s := newSite(t, small())
				return s.setup(addRequest(b.name, entries(b.pool, 1, 1)), func(t *testing.T, r acttest.Run) {
					if r.Plan.State != fleet.PlanDone {
						t.Errorf("%s %s\n%s", r.Plan.State, r.Plan.Note, results(r.Plan))
					}
					if n := s.feeders(spare(1)); n != 1 {
						t.Errorf("%d feeders", n)
					}
					restarts, err := s.store.Plans(t.Context(), store.PlanFilter{Kind: remedy.RestartBridge})
					if want := map[bool]int{true: 1}[b.version != "v3"]; err != nil || len(restarts) != want {
						t.Errorf("%d restarts, want %d, %v", len(restarts), want, err)
					}
					s.harmless(t)
				})
			})
		})
	}
}
