package wire

import (
	"fmt"
	"net/http"
	"net/netip"

	"phalops/internal/sim/world"
)

// Endpoints are the addresses of a served world and what a configuration needs beside them.
type Endpoints struct {
	Nodes         []NodeEndpoint         `json:"nodes"`
	DataProviders []DataProviderEndpoint `json:"data_providers"`
	Bridges       []BridgeEndpoint       `json:"bridges"`
	Hosts         []HostEndpoint         `json:"hosts"`
	Robots        []RobotEndpoint        `json:"robots"`
}

// NodeEndpoint is a node's two RPC addresses and its container.
type NodeEndpoint struct {
	Name      string `json:"name"`
	Network   string `json:"network"`
	Para      string `json:"para"`
	Relay     string `json:"relay"`
	Host      string `json:"host"`
	Container string `json:"container"`
}

// DataProviderEndpoint is a data provider's identity and its compose project.
type DataProviderEndpoint struct {
	Name    string `json:"name"`
	PeerID  string `json:"peer_id"`
	Node    string `json:"node"`
	Host    string `json:"host"`
	Project string `json:"project"`
}

// BridgeEndpoint is a bridge's monitor and its compose project.
type BridgeEndpoint struct {
	Name          string   `json:"name"`
	Version       string   `json:"version"`
	Monitor       string   `json:"monitor"`
	Lifecycle     string   `json:"lifecycle"` // peer id
	DataProviders []string `json:"data_providers"`
	Node          string   `json:"node"`
	Host          string   `json:"host"`
	Project       string   `json:"project"`
}

// HostEndpoint is a host's container engine.
type HostEndpoint struct {
	Name   string `json:"name"`
	Docker string `json:"docker"` // tcp://address:2375
}

// RobotEndpoint is a chat robot.
type RobotEndpoint struct {
	Name string `json:"name"`
	URL  string `json:"url"` // without the access token
	// Token and Secret are the simulated robot's own: they open nothing else.
	Token  string `json:"token"`
	Secret string `json:"secret"`
}

// plan gives every part of the world its address, from base on.
func (s *Server) plan(base netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports, s.endpoints = nil, Endpoints{}
	next := base
	address := func() netip.Addr {
		a := next
		if next = next.Next(); next.As4()[3] == 255 { // the last of a /24 looks like a broadcast address
			next = next.Next().Next()
		}
		return a
	}
	add := func(a netip.Addr, number uint16, h http.Handler, open func(*world.World) bool) string {
		p := &port{addr: netip.AddrPortFrom(a, number), handler: h, open: open}
		s.ports = append(s.ports, p)
		return p.addr.String()
	}
	e := &s.endpoints
	s.face.Do(func(w *world.World) {
		for _, n := range w.Nodes() {
			a, open := address(), func(w *world.World) bool { return w.Node(n.Name).Listening() }
			e.Nodes = append(e.Nodes, NodeEndpoint{Name: n.Name, Network: n.Network.Name, Host: n.Host, Container: n.Container,
				Para:  "http://" + add(a, 9944, newNodeHandler(s.face, n.Name, (*world.Node).Para), open),
				Relay: "http://" + add(a, 9945, newNodeHandler(s.face, n.Name, (*world.Node).Relay), open)})
		}
		for _, d := range w.DataProviders() {
			e.DataProviders = append(e.DataProviders, DataProviderEndpoint{Name: d.Name, PeerID: d.PeerID, Node: d.Node.Name, Host: d.Host, Project: d.Project()})
		}
		for _, b := range w.Bridges() {
			end := BridgeEndpoint{Name: b.Name, Version: "v2", Lifecycle: b.LifecyclePeer, Node: b.Node.Name, Host: b.Host, Project: b.Project}
			for _, d := range b.Providers {
				end.DataProviders = append(end.DataProviders, d.Name)
			}
			if b.MonitorOf == nil {
				end.Monitor = "http://" + add(address(), 3000, newMonitorHandler(s.ctx, s.face, b.Name, s.options),
					func(w *world.World) bool { return w.Bridge(b.Name).MonitorListening() })
			}
			e.Bridges = append(e.Bridges, end)
		}
		for i, b := range w.Bridges() {
			for _, o := range e.Bridges {
				if b.MonitorOf != nil && o.Name == b.MonitorOf.Name {
					e.Bridges[i].Monitor = o.Monitor
				}
			}
		}
		always := func(*world.World) bool { return true }
		for _, h := range w.Hosts() {
			e.Hosts = append(e.Hosts, HostEndpoint{h.Name, "tcp://" + add(address(), 2375, newDockerHandler(s.face, h.Name), always)})
		}
		for _, r := range w.Robots() {
			e.Robots = append(e.Robots, RobotEndpoint{Name: r.Name, Token: r.Options().Token, Secret: r.Options().Secret,
				URL: fmt.Sprintf("http://%s/robot/send", add(address(), 8080, newRobotHandler(s.face, r.Name), always))})
		}
	})
}
