package daemon

import (
	"context"
	"fmt"
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
}

// StartSim makes the default fleet, lets the scenario loose on it (nil: the default one) and serves it.
func StartSim(ctx context.Context, o SimOptions) (*Sim, error) {
	c := clock.Scaled{Origin: time.Now().UTC().Round(0), Speed: o.Speed}
	start := c.Now()
	w := world.New(start, o.Seed)
	world.DefaultFleet(w, o.Fleet)
	scenario := wire.DefaultScenario()
	if o.Scenario != nil {
		scenario = *o.Scenario
	}
	if err := w.Apply(scenario); err != nil {
		return nil, err
	}
	face := wire.NewFace(w, c)
	server, err := wire.Serve(ctx, face, o.Wire)
	if err != nil {
		return nil, err
	}
	return &Sim{Clock: c, Face: face, Server: server, Start: start}, nil
}

// Close ends the world and waits for its server.
func (s *Sim) Close() { s.Server.Close() }

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
