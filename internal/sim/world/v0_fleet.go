package world

import "fmt"

// MixedFleet is DefaultFleet with a v0 bridge beside the others, of 10 workers unless o says how many.
func MixedFleet(w *World, o FleetOptions) {
	o.V0Workers = or(o.V0Workers, 10)
	DefaultFleet(w, o)
}

func addV0Fleet(w *World, o FleetOptions, node *Node) {
	b := w.AddV0Bridge(V0Spec{Name: "prb-v0", Host: node.Host, Project: "bridge_v0", Node: node})
	const pid = 88
	owner, err := newOwner(&V0OwnerInput{Mnemonic: new("sim operator 88")})
	if err != nil {
		panic(err) // the text is a seed
	}
	id := b.nextUUID("88")
	b.pools.put(id, V0Pool{UUID: id, Name: "88", PID: pid, Enabled: true, Owner: owner})
	digits := max(2, len(fmt.Sprint(o.V0Workers)))
	for i := range o.V0Workers {
		endpoint := fmt.Sprintf("http://127.%d.%d.%d:8000", o.Net, 200+i/250, 1+i%250)
		stake := w.AddPruntime(endpoint, node.Network).staked()
		row := Worker{Name: fmt.Sprintf("v0-%0*d", digits, i+1), Endpoint: endpoint, Stake: stake, PID: pid, Enabled: true}
		row.UUID = b.nextUUID(row.Name)
		b.workers.put(row.UUID, row)
	}
}
