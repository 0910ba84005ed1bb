package daemon

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"phalops/internal/clock"
	"phalops/internal/sim/wire"
	"phalops/internal/sim/world"
)

// SimOptions say what is simulated.
type SimOptions struct {
	Seed     uint64
	Speed    float64            // fleet seconds per wall second
	Fleet    world.FleetOptions // how big, and which generations of bridges
	Scenario *world.Scenario
	Wire     wire.Options
}

// Sim is a simulated world that is served on loopback addresses. Close it.
type Sim struct {
	Clock  clock.Scaled
	Face   *wire.Face
	Server *wire.Server
	Start  time.Time
	claim  net.Listener // nil where the caller chose the addresses
}

// claimNet finds the first of the octets for which 127.octet.99.99 is free and keeps that address as long as the world lasts:
// pRuntimes have fixed addresses, and those of another world on this machine are other workers with other keys.
func claimNet(ctx context.Context) (byte, net.Listener, error) {
	var err error
	for octet := range byte(16) {
		var l net.Listener
		l, err = new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.%d.99.99:8000", octet))
		if err == nil {
			return octet, l, nil
		}
	}
	return 0, nil, fmt.Errorf("find addresses for the simulated pRuntimes: %w", err)
}

// StartSim makes the default fleet, lets the scenario loose on it (nil: the default one) and serves it.
func StartSim(ctx context.Context, o SimOptions) (*Sim, error) {
	c := clock.Scaled{Origin: time.Now().UTC().Round(0), Speed: o.Speed}
	start := c.Now()
	sim := &Sim{Clock: c, Start: start}
	if o.Fleet.Net == 0 {
		var err error
		if o.Fleet.Net, sim.claim, err = claimNet(ctx); err != nil {
			return nil, err
		}
	}
	w := world.New(start, o.Seed)
	world.DefaultFleet(w, o.Fleet)
	scenario := wire.DefaultScenario()
	if o.Scenario != nil {
		scenario = *o.Scenario
	}
	err := w.Apply(scenario)
	if err == nil {
		sim.Face = wire.NewFace(w, c)
		sim.Server, err = wire.Serve(ctx, sim.Face, o.Wire)
	}
	if err != nil {
		sim.unclaim()
		return nil, err
	}
	return sim, nil
}

// Close ends the world and waits for its server.
func (s *Sim) Close() {
	s.Server.Close()
	s.unclaim()
}

func (s *Sim) unclaim() {
	if s.claim != nil {
		_ = s.claim.Close()
	}
}

// Robot secrets in the environment that belongs to ConfigYAML.
const (
	SimToken  = "PHALOPS_SIM_TOKEN"
	SimSecret = "PHALOPS_SIM_SECRET"
)

// SimReferences says where the matching configuration finds the robot's token and secret.
type SimReferences struct{ Token, Secret string }

// ConfigYAML is the configuration that matches the simulated world: what an operator would have written for it.
func (s *Sim) ConfigYAML(lang, data, metrics string, refs SimReferences) []byte {
	e := s.Server.Endpoints()
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("lang: %s", lang)
	p("data: %q", data)
	p("clock: { origin: %q, speed: %g }", s.Clock.Origin.Format(time.RFC3339Nano), s.Clock.Speed)
	p("hosts:")
	for _, h := range e.Hosts {
		address, _, _ := strings.Cut(strings.TrimPrefix(h.Docker, "tcp://"), ":")
		p("  %s: { address: %s, docker: %q }", h.Name, address, h.Docker)
	}
	p("sites:")
	p("  - name: sim")
	siteYAML(p, e)
	if len(e.Robots) > 0 {
		p("alerts:")
		p("  channels:")
		for _, r := range e.Robots {
			p("    %s: { type: dingtalk, url: %q, token: %q, secret: %q }", r.Name, r.URL, refs.Token, refs.Secret)
		}
	}
	p("metrics: { listen: %q }", metrics)
	return []byte(b.String())
}

// siteYAML writes what the site has; a v3 bridge is asked at its prb-wm.
func siteYAML(p func(string, ...any), e wire.Endpoints) {
	p("    nodes:")
	for _, n := range e.Nodes {
		rpc := fmt.Sprintf("para: %q, relay: %q", n.Para, n.Relay)
		if n.RPC != "" {
			rpc = fmt.Sprintf("rpc: %q", n.RPC)
		}
		p("      - { name: %s, host: %s, %s, container: %s }", n.Name, n.Host, rpc, n.Container)
	}
	p("    data_providers:")
	for _, d := range e.DataProviders {
		p("      - { name: %s, host: %s, node: %s, project: %s }", d.Name, d.Host, d.Node, d.Project)
	}
	p("    headers_caches:")
	for _, h := range e.HeadersCaches {
		p("      - { name: %s, url: %q, node: %s }", h.Name, h.URL, h.Node)
	}
	p("    bridges:")
	for _, x := range e.Bridges {
		url, only := x.Monitor, ""
		switch x.Version {
		case "v2":
			only = fmt.Sprintf(" lifecycle: %s, data_providers: [%s],", x.Lifecycle, strings.Join(x.DataProviders, ", "))
		case "v3":
			url = x.WM
		}
		p("      - { name: %s, version: %s, url: %q,%s node: %s, host: %s, project: %s }", x.Name, x.Version, url, only, x.Node, x.Host, x.Project)
	}
	p("    solo:")
	for _, s := range e.Solo {
		p("      - { name: %s, pruntime: %q, node: %s, host: %s, pherry: %s }", s.Name, s.Pruntime, s.Node, s.Host, s.Container)
	}
}
