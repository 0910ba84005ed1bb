package remedy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/prb"
)

func TestCandidatesAreWhoMayBeTheProvider(t *testing.T) {
	cfg := config.Config{
		Hosts: map[string]config.Host{"node-1": {Address: "192.168.3.10"}, "node-2": {Address: "192.168.3.11"}, "local": {}},
		Sites: []config.Site{{DataProviders: []config.DataProvider{{Name: "dp-1", Host: "node-1"}, {Name: "dp-2", Host: "node-2"}, {Name: "dp-3", Host: "local"}}}},
	}
	const mine, theirs, loopback = "/ip4/192.168.3.10/tcp/28888/p2p/Qm1", "/ip4/192.168.3.11/tcp/28888/p2p/Qm2", "/ip4/127.0.0.1/tcp/28888/p2p/Qm1"
	for name, c := range map[string]struct {
		peers []string // "hostname address" each
		want  string
	}{
		"only one, nameless":                      {[]string{"data_provider " + loopback}, "0"},
		"by its address":                          {[]string{"data_provider " + theirs, "data_provider " + mine}, "1"},
		"by the container's id":                   {[]string{"a1b2c3d4e5f6 /ip4/172.18.0.3/tcp/28888/p2p/Qm1", "data_provider " + loopback}, "0"},
		"by its name":                             {[]string{"x " + loopback, "dp-1 " + loopback}, "1"},
		"by its host's name":                      {[]string{"x " + loopback, "node-1 " + loopback}, "1"},
		"the other one is known":                  {[]string{"dp-2 " + loopback, "x " + loopback}, "1"},
		"another host's empty address is no hint": {[]string{"x garbage", "y "}, "0 1"},
		"nobody can tell":                         {[]string{"data_provider " + loopback, "data_provider " + loopback}, "0 1"},
		"only others":                             {[]string{"dp-2 " + theirs}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var all []prb.DataProvider
			for i, p := range c.peers {
				hostname, addr, _ := strings.Cut(p, " ")
				all = append(all, prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: fmt.Sprint(i), Hostname: hostname, Addr: addr}})
			}
			var got []string
			for _, p := range candidates(cfg, "dp-1", []string{"a1b2c3d4e5f6"}, all) {
				got = append(got, p.Status.PeerID)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestGrowthNeedsTwoLooks(t *testing.T) {
	g := growth{seen: map[string]sighting{}}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, look := range []struct {
		value int64
		want  bool
	}{{100, false}, {100, false}, {101, true}, {90, false}, {95, true}, {90, false}, {91, true}} {
		if got := g.grew("p/1/para", look.value, now); got != look.want {
			t.Errorf("look %d at %d: grew %v", i, look.value, got)
		}
	}
	if g.grew("p/1/relay", 500, now) {
		t.Error("one chain's height proves another's growth")
	}
	g.forget("p/1/")
	if len(g.seen) > 0 {
		t.Errorf("not forgotten: %v", g.seen)
	}
	// Plans that end without a proof forget nothing themselves.
	g.grew("old/1/para", 1, now)
	g.grew("new/1/para", 1, now.Add(7*time.Hour))
	if len(g.seen) != 1 {
		t.Errorf("left: %v", g.seen)
	}
}

// slowEngine stops its container only after the whole grace, and honours the caller's deadline meanwhile.
type slowEngine struct {
	host.Containers
	goneAt time.Time
}

func (e *slowEngine) Stop(ctx context.Context, _ string, grace time.Duration) error {
	e.goneAt = time.Now().Add(grace)
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the engine did not answer: %w", ctx.Err())
	}
}

func (e *slowEngine) Inspect(context.Context, string) (fleet.ContainerStatus, error) {
	if time.Now().Before(e.goneAt) {
		return fleet.ContainerStatus{State: "running"}, nil
	}
	return fleet.ContainerStatus{State: "exited"}, nil
}

type slowReach struct {
	Reach
	engine host.Containers
}

func (r slowReach) Containers(string) (host.Containers, error) { return r.engine, nil }

// A node may be given an hour to stop. No request lasts so long: it is given up, the engine goes on, and the proof waits.
func TestAStopOutlivesItsRequest(t *testing.T) {
	for _, grace := range []time.Duration{10 * time.Second, 3 * time.Minute, 5 * time.Minute, time.Hour} {
		t.Run(grace.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := New(func() config.Config { return config.Config{} }, slowReach{engine: &slowEngine{}})
				step := stopStep(part{host: "node-1", owner: fleet.NodeRef("node-1"), container: fleet.ContainerStatus{Name: "phala-node"}, grace: grace})
				op := r.partOps()[step.Op]
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), op.Timeout)
				defer cancel()
				if err := op.Do(ctx, act.StepContext{Step: step}); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(began); d >= op.Timeout {
					t.Errorf("the request took %s", d)
				}
				for {
					proof, again, _, err := op.Verify(t.Context(), act.StepContext{Step: step, Now: time.Now()})
					if err != nil {
						t.Fatal(err)
					}
					if proof == act.Proved {
						break
					}
					time.Sleep(time.Until(again))
				}
				if d := time.Since(began); d < grace || d > op.Deadline+grace {
					t.Errorf("proved after %s, grace %s", d, grace)
				}
				if time.Since(began)-op.Deadline > 0 && grace > longGrace {
					t.Errorf("the deadline of %s is shorter than the grace", op.Deadline)
				}
			})
		})
	}
	// A short stop that gets no answer is a failed try, and no success.
	synctest.Test(t, func(t *testing.T) {
		r := New(func() config.Config { return config.Config{} }, slowReach{engine: silentEngine{}})
		step := stopStep(part{host: "node-1", owner: fleet.NodeRef("node-1"), grace: time.Minute})
		if err := r.partOps()[step.Op].Do(t.Context(), act.StepContext{Step: step}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

type silentEngine struct{ host.Containers }

func (silentEngine) Stop(ctx context.Context, _ string, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}
