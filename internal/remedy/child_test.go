package remedy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/docker"
	"phalops/internal/prb"
	v2 "phalops/internal/prb/v2"
	"phalops/internal/pruntime"
	"phalops/internal/remedy"
	"phalops/internal/store"
	"phalops/internal/store/sqlite"
	"phalops/internal/substrate"
	"phalops/internal/wire"
)

// childEnv makes the test binary a process that executes one plan, instead of running tests. Its value is an order.
const childEnv = "PHALOPS_TEST_REMEDY_CHILD"

// order is what a child is told.
type order struct {
	Data    string    // folder of the store
	Engine  string    // address of the container engine
	RPC     string    // of the node; /para and /relay
	Monitor string    // of the bridge
	Origin  time.Time // of the clock that all children share
	Plan    string    // "" makes the plan; else the one to continue
	Stop    string    // the boundary at which to stand still and be killed; "" none
}

// speed is how much faster the children's clock runs: proofs are asked for every 10 s, and 10 s are much in a test.
const speed = 10

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := child(context.Background(), text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child makes or continues the plan and sees it to its end. It says a line about everything: "plan ID", "boundary B" for
// each that it passes, "here" where it was told to stop, "ended STATE" with the reason.
func child(ctx context.Context, text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: o.Data, Reserve: 64 << 10})
	if err != nil {
		return err
	}
	defer s.Close()
	now := clock.Scaled{Origin: o.Origin, Speed: speed}
	reach := realReach{order: o, http: wire.New(wire.Options{Allow: wire.LoopbackOnly}), clock: now}
	defer reach.http.Close()
	cfg := labConfig(o)
	e, err := act.New(act.Options{
		Store: s, Kinds: remedy.New(func() config.Config { return cfg }, reach).Kinds(),
		Crash: func(b act.Boundary) {
			fmt.Println("boundary", b)
			if b.String() == o.Stop {
				fmt.Println("here")
				time.Sleep(3 * time.Minute)
			}
		},
	})
	if err != nil {
		return err
	}
	id := o.Plan
	if id == "" {
		if id, err = submit(ctx, e, now.Now()); err != nil {
			return err
		}
		fmt.Println("plan", id)
	}
	return advance(ctx, e, s, id, now)
}

func submit(ctx context.Context, e *act.Engine, now time.Time) (string, error) {
	p, err := e.Build(ctx, act.Request{
		Kind: remedy.RestartNode, Targets: []fleet.Ref{fleet.NodeRef("node-1")}, Author: "user:lab", Reason: fleet.Because("lab"),
	}, now)
	if err != nil {
		return "", err
	}
	return p.ID, e.Submit(ctx, p, now)
}

func advance(ctx context.Context, e *act.Engine, s store.Store, id string, c clock.Clock) error {
	owner := fmt.Sprintf("lab/%d", os.Getpid())
	for {
		lease, err := s.Acquire(ctx, "dc1", owner, 10*time.Minute, c.Now())
		if err != nil {
			return err
		}
		now := c.Now()
		next, ended, err := e.Advance(ctx, id, store.Fence{Lease: lease.Name, Token: lease.Token}, now)
		if err != nil {
			return err
		}
		p, err := s.Plan(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case ended:
			fmt.Println("ended", p.State, p.Note)
			return nil
		case p.State == fleet.PlanParked:
			return errors.New("the plan is parked")
		}
		if err := c.Sleep(ctx, max(0, next.Sub(c.Now()))); err != nil {
			return err
		}
	}
}

// labConfig is the lab's fleet: one node, and the bridge that hangs on it.
func labConfig(o order) config.Config {
	return config.Config{
		Hosts: map[string]config.Host{"node-1": {Name: "node-1", Docker: o.Engine}},
		Sites: []config.Site{{
			Name:          "dc1",
			Nodes:         []config.Node{{Name: "node-1", Host: "node-1", Container: "phala-node", Grace: 60 * time.Second}},
			DataProviders: []config.DataProvider{{Name: "dp-1", Host: "node-1", Node: "node-1", Project: "bridge_dp"}},
			Bridges: []config.Bridge{
				{Name: "prb-a", Node: "node-1", Host: "node-1", Project: "bridge", DataProviders: []string{"dp-1"}, URL: o.Monitor},
				{Name: "prb-b", Node: "node-1", Host: "node-1", Project: "standby", DataProviders: []string{"dp-1"}, URL: o.Monitor},
			},
		}},
	}
}

// realReach gets at the lab through the clients that the daemon uses.
type realReach struct {
	order
	http  *wire.Client
	clock clock.Clock
}

func (r realReach) Bridge(string) (prb.Bridge, error) {
	return v2.New(v2.Options{URL: r.Monitor, HTTP: r.http, Clock: r.clock})
}

func (r realReach) Pruntime(url string) (remedy.Pruntime, error) {
	return pruntime.New(pruntime.Options{URL: url, HTTP: r.http})
}

func (r realReach) Containers(string) (host.Containers, error) {
	return docker.New(r.Engine, r.clock)
}

func (r realReach) Heads(ctx context.Context, _ string) ([]remedy.Head, error) {
	var heads []remedy.Head
	for _, chain := range []string{"para", "relay"} {
		state, err := substrate.New(r.RPC+"/"+chain, r.http).SyncState(ctx)
		if err != nil {
			return nil, err
		}
		heads = append(heads, remedy.Head{Chain: chain, Best: int64(*state.Current), Peers: -1})
	}
	return heads, nil
}
