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
	p("    nodes:")
	for _, n := range e.Nodes {
		p("      - { name: %s, host: %s, para: %q, relay: %q, container: %s }", n.Name, n.Host, n.Para, n.Relay, n.Container)
	}
	p("    data_providers:")
	for _, d := range e.DataProviders {
		p("      - { name: %s, host: %s, node: %s, project: %s }", d.Name, d.Host, d.Node, d.Project)
	}
	p("    bridges:")
	for _, x := range e.Bridges {
		if x.Version != "v2" {
			continue // served for clients; the daemon does not look after other generations yet
		}
		p("      - { name: %s, version: %s, url: %q, lifecycle: %s, data_providers: [%s], node: %s, host: %s, project: %s }",
			x.Name, x.Version, x.Monitor, x.Lifecycle, strings.Join(x.DataProviders, ", "), x.Node, x.Host, x.Project)
	}
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
