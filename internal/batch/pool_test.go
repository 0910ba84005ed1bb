package batch_test

import (
	"fmt"
	"strings"
	"testing"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/batch"
	"phalops/internal/fleet"
	"phalops/internal/secret"
	"phalops/internal/sim/world"
)

func poolsRequest(bridge string, list []batch.PoolEntry) act.Request {
	return act.Request{Kind: batch.AddPools, Targets: []fleet.Ref{fleet.InventoryRef(bridge)}, Args: map[string]string{batch.ArgItems: batch.Items(list)}}
}

func newPools(n int) []batch.PoolEntry {
	var out []batch.PoolEntry
	for i := range n {
		out = append(out, batch.PoolEntry{PID: uint64(700 + i), Name: fmt.Sprintf("p-%d", i), Operator: "env:OP"})
	}
	return out
}

// pools are the pools of a bridge as "pid name", of v0 those that are enabled, and whether each has an operator.
func (s *site) pools(bridge string) (out []string) {
	s.face.Do(func(w *world.World) {
		switch {
		case w.Bridge(bridge) != nil:
			for _, p := range w.Bridge(bridge).Pools() {
				out = append(out, fmt.Sprint(p.PID, " ", p.Name, " ", p.Seed == phrase))
			}
		case w.V0Bridge(bridge) != nil:
			for _, p := range w.V0Bridge(bridge).Pools() {
				if p.Enabled {
					out = append(out, fmt.Sprint(p.PID, " ", p.Name, " ", strings.Contains(p.Owner.Keystore, "encoded")))
				}
			}
		default:
			b := w.V3Bridge(bridge)
			for _, p := range b.Pools() {
				o, err := b.Operator(p.PID)
				out = append(out, fmt.Sprint(p.PID, " ", p.Name, " ", err == nil && o.Seed != "")) // it keeps no words
			}
		}
	})
	return out
}

func TestPoolsSurviveEveryDeath(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			acttest.Once(t, func(t *testing.T) acttest.Setup {
				s := newSite(t, small())
				before := len(s.pools(b.name))
				return s.setup(poolsRequest(b.name, newPools(5)), func(t *testing.T, r acttest.Run) {
					now := s.pools(b.name)
					if r.Plan.State != fleet.PlanDone || len(now) != before+5 {
						t.Errorf("%s %s\n%s\n%v", r.Plan.State, r.Plan.Note, results(r.Plan), now)
					}
					for i := range 5 {
						if want := fmt.Sprintf("%d p-%d true", 700+i, i); !strings.Contains(strings.Join(now, ","), want) {
							t.Errorf("no %q in %v", want, now)
						}
					}
					for _, e := range r.Events {
						if strings.Contains(fmt.Sprint(e), "obey") {
							t.Errorf("the mnemonic is in the record: %v", e)
						}
					}
					if strings.Contains(fmt.Sprint(r.Plan), "obey") {
						t.Error("the mnemonic is in the plan")
					}
				})
			})
		})
	}
}

// What is wrong with a pool is said of it, and nothing of it reaches the bridge.
func TestPoolsLeaveOut(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small())
			s.secrets = secret.NewMap(map[string]string{
				"OP": phrase, "TYPO": strings.Replace(phrase, "walk", "fit", 1), "CUT": "bottom drive obey", "PATH1": phrase + "//0",
			})
			s.boot()
			before := fmt.Sprint(s.pools(b.name))
			self := "42DnB4uneK6bURXJeXgMdWYyUah9tSaviM2ijedZXxsPTQWY"
			p, err := s.build(poolsRequest(b.name, []batch.PoolEntry{
				{PID: 700, Name: "typo", Operator: "env:TYPO"}, {PID: 701, Name: "cut", Operator: "env:CUT"}, {PID: 702, Name: "path", Operator: "env:PATH1"},
				{PID: 703, Name: "none"}, {PID: b.pool, Name: "twin", Operator: "env:OP"}, {PID: 704, Name: "self", Operator: "env:OP", Proxied: self},
				{PID: 705, Name: "lost", Operator: "env:NOBODY"},
			}))
			if err != nil {
				t.Fatal(err)
			}
			got := results(p)
			for _, code := range []string{"typo skipped account.", "cut skipped account.", "path skipped batch.derived", "none skipped batch.no_operator",
				"twin skipped batch.pool_taken", "self skipped batch.proxied_self", "lost skipped secret."} {
				if !strings.Contains(got, code) {
					t.Errorf("no %q in\n%s", code, got)
				}
			}
			if strings.Contains(fmt.Sprint(p), "obey") || fmt.Sprint(s.pools(b.name)) != before {
				t.Error("something of it went out")
			}
		})
	}
}

// One operator at two bridges is refused, unless somebody means it.
func TestOneOperatorAtTwoBridges(t *testing.T) {
	t.Parallel()
	s := newSite(t, small())
	s.run(poolsRequest("prb-a", newPools(1)))
	elsewhere := ""
	client, err := s.clients.Bridge("prb-a")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range client.Read(t.Context()).Pools {
		if p.PID == 700 {
			elsewhere = p.Operator
		}
	}
	if elsewhere == "" {
		t.Fatal("the bridge shows no operator")
	}
	// The simulated bridge derives its addresses its own way, so the account that it shows is looked for here.
	if why := batch.SignsElsewhere(s.batches, t.Context(), "prb-v0", elsewhere, s.clock.Now()); why.Code != "batch.signs_elsewhere" {
		t.Errorf("got %v", why)
	}
	if why := batch.SignsElsewhere(s.batches, t.Context(), "prb-a", elsewhere, s.clock.Now()); !why.IsZero() {
		t.Errorf("its own bridge: %v", why)
	}
}

// Pools are changed without their operators, and removed only when they are empty.
func TestPoolsSetAndRemove(t *testing.T) {
	t.Parallel()
	for _, b := range bridges {
		t.Run(b.version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, small())
			s.run(poolsRequest(b.name, newPools(1)))
			before := s.pools(b.name)
			ref := func(pid uint64) fleet.Ref { return fleet.PoolRef(b.name, fmt.Sprint(pid)) }
			name := "renamed"
			p := s.run(act.Request{Kind: batch.SetPools, Targets: []fleet.Ref{ref(700)}, Args: map[string]string{
				batch.ArgItems: batch.Items(batch.PoolPatch{Name: &name}), batch.ArgRestart: batch.RestartNever}})
			after := strings.Join(s.pools(b.name), ",")
			if p.State != fleet.PlanDone || !strings.Contains(after, "700 renamed true") {
				t.Errorf("%s %s\n%s", p.State, results(p), after)
			}
			p = s.run(act.Request{Kind: batch.RemovePools, Targets: []fleet.Ref{ref(700), ref(b.pool)}, Args: map[string]string{}})
			want(t, results(p), "renamed done act.sent", p.Steps[1].Args["name"]+" skipped batch.pool_has_workers")
			if len(s.pools(b.name)) != len(before)-1 || len(s.rows(b.name)) != 5 {
				t.Errorf("%v, %d workers", s.pools(b.name), len(s.rows(b.name)))
			}
		})
	}
}
