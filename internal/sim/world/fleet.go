package world

import (
	"fmt"
	"time"
)

// FleetOptions say how big the default fleet is.
type FleetOptions struct {
	Workers int // default 40
	Pools   int // default 2
	// Bridges is how many v2 bridges there are, default 1. Each further one, "prb-002", "prb-003", … (project bridge_002, …), has
	// Workers of its own in Pools of its own, on the node and data provider of the first. Their pRuntimes have addresses in
	// 10.0.0.0/8, so they take no port where they are served.
	Bridges int
	// Net is the second octet of the pRuntimes' addresses, 127.Net.…, so that worlds served beside each other keep apart;
	// default 0.
	Net byte
	// V3Workers adds the v3 bridge "prb-v3" (project prb3) with as many workers v3-01, v3-02, … of its own in pool 90, on the
	// node of the others, and the headers-cache "cache-1" in front of it. V30 makes it a bridge of the older generation.
	V3Workers int
	V30       bool
	// V0Workers adds the v0 bridge "prb-v0" (project bridge_v0) with as many workers v0-01, v0-02, … of its own in pool 88, on
	// the node of the others.
	V0Workers int
	// Solo adds as many workers without a bridge, solo-01, solo-02, …, each with its pherry (container phala-pherry) on a host
	// of its own by the same name, on the node of the others.
	Solo int
	// Spare adds as many pRuntimes that no bridge has yet, at 127.Net.220.1, 127.Net.220.2, …
	Spare int
	// Era is which pallets the network's runtime has, default EraV2.
	Era Era
	// Crowd is how many workers of strangers the chain knows besides; default 0.
	Crowd int
}

// DefaultFleet fills an empty world with the fleet of the demo, already in step: one site with the host "node-1", the node
// "node-1" (container phala-node), the data provider "dp-1" (project bridge_dp), the v2 bridge "prb-a" (project bridge,
// with an arena container that was stopped beforehand and must stay so) and its workers w-01, w-02, … in pools from 83 on.
func DefaultFleet(w *World, o FleetOptions) {
	o.Workers, o.Pools = or(o.Workers, 40), or(o.Pools, 2)
	network := w.AddNetwork("khala")
	network.Era, network.Crowd = or(o.Era, network.Era), o.Crowd
	h := w.AddHost("node-1")
	node := w.AddNode(NodeSpec{Name: "node-1", Host: h.Name, Container: "phala-node", Network: network},
		Container{Image: "phalanetwork/khala-node:latest"})
	dp := w.AddDataProvider(DataProviderSpec{Name: "dp-1", Host: h.Name, Container: "bridge_dp_data_provider_1", Node: node},
		Container{Image: "phalanetwork/prb:next", Project: "bridge_dp", Service: "data_provider"})
	b := w.AddBridge(BridgeSpec{Name: "prb-a", Host: h.Name, Project: "bridge", Node: node, Providers: []*DataProvider{dp}})
	h.Add(&Container{Name: "bridge_arena_1", Image: "phalanetwork/prb:next", Project: "bridge", Service: "arena",
		StartTakes: time.Second, StopTakes: time.Second})
	for i := range o.Pools {
		pid := uint64(83 + i)
		b.addPool(Pool{Name: fmt.Sprintf("pool-%d", pid), PID: pid, Seed: fmt.Sprintf("sim operator %d", pid), Enabled: true})
	}
	digits := len(fmt.Sprint(o.Workers))
	for i := range o.Workers {
		endpoint := fmt.Sprintf("http://127.%d.%d.%d:8000", o.Net, 100+i/250, 1+i%250)
		stake := w.AddPruntime(endpoint, network).staked()
		b.addWorker(Worker{Name: fmt.Sprintf("w-%0*d", max(2, digits), i+1), Endpoint: endpoint, Stake: stake,
			PID: uint64(83 + i%o.Pools), Enabled: true})
	}
	for n := 2; n <= o.Bridges; n++ {
		addFurther(w, o, n, node, dp)
	}
	if o.V0Workers > 0 {
		addV0Fleet(w, o, node)
	}
	if o.V3Workers > 0 {
		addV3Fleet(w, o, node)
	}
	if o.Solo > 0 {
		addSoloFleet(w, o, node)
	}
	for i := range o.Spare {
		w.AddPruntime(fmt.Sprintf("http://127.%d.%d.%d:8000", o.Net, 220+i/250, 1+i%250), network)
	}
	w.AddRobot("ops", RobotOptions{Token: "sim-token", Secret: "SECsim"})
	for _, c := range h.Containers() {
		if c.Name != "bridge_arena_1" {
			c.BootRunning()
		}
	}
	w.Settle()
}

// addFurther adds the n-th v2 bridge.
func addFurther(w *World, o FleetOptions, n int, node *Node, dp *DataProvider) {
	b := w.AddBridge(BridgeSpec{Name: fmt.Sprintf("prb-%03d", n), Host: node.Host, Project: fmt.Sprintf("bridge_%03d", n), Node: node,
		Providers: []*DataProvider{dp}})
	first := uint64(1000 * n)
	for i := range o.Pools {
		pid := first + uint64(i)
		b.addPool(Pool{Name: fmt.Sprintf("pool-%d", pid), PID: pid, Seed: fmt.Sprintf("sim operator %d", pid), Enabled: true})
	}
	for i := range o.Workers {
		endpoint := fmt.Sprintf("http://10.%d.%d.%d:8000", n, i/250, 1+i%250)
		stake := w.AddPruntime(endpoint, node.Network).staked()
		b.addWorker(Worker{Name: fmt.Sprintf("w-%03d-%03d", n, i+1), Endpoint: endpoint, Stake: stake, PID: first + uint64(i%o.Pools), Enabled: true})
	}
}

// addPool and addWorker write a row as it stood in the database before the world began.
func (b *Bridge) addPool(p Pool) {
	p.UUID = b.nextUUID()
	b.pools = append(b.pools, p)
}

func (b *Bridge) addWorker(w Worker) {
	w.UUID = b.nextUUID()
	b.workers = append(b.workers, w)
}
