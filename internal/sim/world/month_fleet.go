package world

import (
	"fmt"
	"time"
)

// Generations of the bridges of MonthFleet, in their order.
const monthGenerations = "2232022303"

// MonthFleet fills an empty world with the fleet of a campaign, already in step: nodes node-1 to node-4, each on a host of its own with
// a data provider (dp-1 to dp-4), and ten bridges prb-01 to prb-10 spread over them: five v2, two v0 and three v3, the last one v3.0. The
// workers, prb-01/w-0001 and so on, are dealt out to the bridges in turn; their pRuntimes have addresses in 10.0.0.0/8.
func MonthFleet(w *World, workers int) {
	network := w.AddNetwork("khala")
	var nodes []*Node
	var providers []*DataProvider
	for i := range 4 {
		h := w.AddHost(fmt.Sprintf("node-%d", i+1))
		node := w.AddNode(NodeSpec{Name: h.Name, Host: h.Name, Container: "phala-node", Network: network}, Container{Image: "phalanetwork/khala-node:latest"})
		nodes = append(nodes, node)
		providers = append(providers, w.AddDataProvider(DataProviderSpec{Name: fmt.Sprintf("dp-%d", i+1), Host: h.Name,
			Container: "bridge_dp_data_provider_1", Node: node}, Container{Image: "phalanetwork/prb:next", Project: "bridge_dp", Service: "data_provider"}))
	}
	stopped := map[string]bool{}
	for i, generation := range monthGenerations {
		w.addMonthBridge(i+1, generation, nodes[i%len(nodes)], providers[i%len(nodes)], workers, stopped)
	}
	w.AddRobot("ops", RobotOptions{Token: "sim-token", Secret: "SECsim"})
	for _, h := range w.Hosts() {
		for _, c := range h.Containers() {
			if !stopped[c.Name] {
				c.BootRunning()
			}
		}
	}
	w.Settle()
}

// addMonthBridge adds the n-th bridge with its share of the workers, in one pool.
func (w *World) addMonthBridge(n int, generation rune, node *Node, dp *DataProvider, workers int, stopped map[string]bool) {
	name, project, pid := fmt.Sprintf("prb-%02d", n), fmt.Sprintf("bridge_%02d", n), uint64(100+n)
	pool, seed := fmt.Sprintf("pool-%d", pid), fmt.Sprintf("sim operator %d", pid)
	var put func(Worker)
	switch generation {
	case '0':
		b := w.AddV0Bridge(V0Spec{Name: name, Host: node.Host, Project: project, Node: node})
		owner, err := newOwner(&V0OwnerInput{Mnemonic: new(seed)})
		if err != nil {
			panic(err) // the text is a seed
		}
		id := b.nextUUID(pool)
		b.pools.put(id, V0Pool{UUID: id, Name: pool, PID: pid, Enabled: true, Owner: owner})
		put = func(row Worker) {
			row.UUID = b.nextUUID(row.Name)
			b.workers.put(row.UUID, row)
		}
	case '2':
		b := w.AddBridge(BridgeSpec{Name: name, Host: node.Host, Project: project, Node: node, Providers: []*DataProvider{dp}})
		w.Host(node.Host).Add(&Container{Name: project + "_arena_1", Image: "phalanetwork/prb:next", Project: project, Service: "arena",
			StartTakes: time.Second, StopTakes: time.Second})
		stopped[project+"_arena_1"] = true
		b.addPool(Pool{Name: pool, PID: pid, Seed: seed, Enabled: true})
		put = b.addWorker
	default:
		b := w.AddV3Bridge(V3Spec{Name: name, Host: node.Host, Project: project, Nodes: []*Node{node}, V30: n == len(monthGenerations)})
		b.pools = []V3Pool{{ID: b.nextID(), Name: pool, PID: pid, Enabled: true}}
		b.operators = []V3Operator{{PID: pid, Seed: seed}}
		put = func(row Worker) {
			b.rows = append(b.rows, V3Row{ID: b.nextID(), Name: row.Name, Endpoint: row.Endpoint + "/", Stake: row.Stake, PID: pid, Enabled: true})
		}
	}
	for i := n - 1; i < workers; i += len(monthGenerations) {
		endpoint := fmt.Sprintf("http://10.%d.%d.%d:8000", n, i/2500, 1+i/10%250)
		stake := w.AddPruntime(endpoint, node.Network).staked()
		put(Worker{Name: fmt.Sprintf("w-%04d", i+1), Endpoint: endpoint, Stake: stake, PID: pid, Enabled: true})
	}
}

// Targets are the names of everything that a kind of fault can strike at present, in a fixed order.
func (w *World) Targets(kind string) []string {
	var names []string
	for _, v := range w.victims(kind) {
		names = append(names, v.name)
	}
	return names
}
