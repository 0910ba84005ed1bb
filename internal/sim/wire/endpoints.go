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
	HeadersCaches []HeadersCacheEndpoint `json:"headers_caches"`
	Solo          []SoloEndpoint         `json:"solo"`
	Pruntimes     []string               `json:"pruntimes"` // their endpoints, where those are loopback addresses
}

// HeadersCacheEndpoint is a headers-cache and its container.
type HeadersCacheEndpoint struct {
	Name      string `json:"name"`
	URL       string `json:"url"`
	Node      string `json:"node"`
	Host      string `json:"host"`
	Container string `json:"container"`
}

// SoloEndpoint is a worker without a bridge: its pRuntime and the container of its pherry.
type SoloEndpoint struct {
	Name      string `json:"name"`
	Pruntime  string `json:"pruntime"`
	Node      string `json:"node"`
	Host      string `json:"host"`
	Container string `json:"container"`
}

// NodeEndpoint is a node's RPC addresses and its container: Para and Relay, or RPC of a node with one chain.
type NodeEndpoint struct {
	Name      string `json:"name"`
	Network   string `json:"network"`
	Para      string `json:"para,omitempty"`
	Relay     string `json:"relay,omitempty"`
	RPC       string `json:"rpc,omitempty"`
	ParaWS    string `json:"para_ws"` // of RPC, too
	RelayWS   string `json:"relay_ws,omitempty"`
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
	WM            string   `json:"wm,omitempty"` // v3: the worker manager's own port
	Lifecycle     string   `json:"lifecycle"`    // peer id; empty for v0
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
			e.Nodes = append(e.Nodes, s.planNode(n, address(), add))
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
		for _, b := range w.V0Bridges() {
			e.Bridges = append(e.Bridges, BridgeEndpoint{Name: b.Name, Version: "v0", Node: b.Node.Name, Host: b.Host, Project: b.Project,
				Monitor: "http://" + add(address(), 3000, newV0Handler(s.ctx, s.face, b.Name, s.options, s.running.Go),
					func(w *world.World) bool { return w.V0Bridge(b.Name).MonitorListening() })})
		}
		s.planV3(w, address, add)
		for _, p := range w.Pherries() {
			e.Solo = append(e.Solo, SoloEndpoint{Name: p.Name, Pruntime: p.Pruntime, Node: p.Node.Name, Host: p.Host, Container: p.Container})
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

// planNode gives a node its ports: HTTP and WebSocket on one for each chain, or on two in older builds.
func (s *Server) planNode(n *world.Node, a netip.Addr, add func(netip.Addr, uint16, http.Handler, func(*world.World) bool) string) NodeEndpoint {
	open := func(w *world.World) bool { return w.Node(n.Name).Listening() }
	chain := func(number uint16, side func(*world.Node) *world.NodeChain) (url, ws string) {
		if !n.SplitPorts {
			end := add(a, number, newNodeHandler(s.face, n.Name, side, speaksBoth, &s.running), open)
			return "http://" + end, "ws://" + end
		}
		return "http://" + add(a, number-11, newNodeHandler(s.face, n.Name, side, speaksHTTP, &s.running), open),
			"ws://" + add(a, number, newNodeHandler(s.face, n.Name, side, speaksWS, &s.running), open)
	}
	e := NodeEndpoint{Name: n.Name, Network: n.Network.Name, Host: n.Host, Container: n.Container}
	e.Para, e.ParaWS = chain(9944, (*world.Node).Para)
	if n.OneChain {
		e.RPC, e.Para = e.Para, ""
		return e
	}
	e.Relay, e.RelayWS = chain(9945, (*world.Node).Relay)
	return e
}
