package world

import "fmt"

func addV3Fleet(w *World, o FleetOptions, node *Node) {
	cache := w.AddHeadersCache(HeadersCacheSpec{Name: "cache-1", Host: node.Host, Container: "prb3_headers-cache_1", Node: node},
		Container{Project: "prb3", Service: "headers-cache"})
	b := w.AddV3Bridge(V3Spec{Name: "prb-v3", Host: node.Host, Project: "prb3", Nodes: []*Node{node}, Cache: cache, V30: o.V30})
	const pid = 90
	b.pools = []V3Pool{{ID: b.nextID(), Name: "pool-90", PID: pid, Enabled: true}}
	b.operators = []V3Operator{{PID: pid, Seed: "sim operator 90"}}
	digits := max(2, len(fmt.Sprint(o.V3Workers)))
	for i := range o.V3Workers {
		endpoint := fmt.Sprintf("http://127.%d.%d.%d:8000", o.Net, 150+i/250, 1+i%250)
		stake := w.AddPruntime(endpoint, node.Network).staked()
		b.rows = append(b.rows, V3Row{ID: b.nextID(), Name: fmt.Sprintf("v3-%0*d", digits, i+1), Endpoint: endpoint + "/",
			Stake: stake, PID: pid, Enabled: true})
	}
}
