package world

import "fmt"

// addSoloFleet adds machines that mine alone.
func addSoloFleet(w *World, o FleetOptions, node *Node) {
	digits := max(2, len(fmt.Sprint(o.Solo)))
	for i := range o.Solo {
		name := fmt.Sprintf("solo-%0*d", digits, i+1)
		endpoint := fmt.Sprintf("http://127.%d.%d.%d:8000", o.Net, 90+i/250, 1+i%250)
		w.AddPruntime(endpoint, node.Network)
		w.AddPherry(PherrySpec{Name: name, Host: w.AddHost(name).Name, Container: "phala-pherry", Node: node, Pruntime: endpoint},
			Container{Image: "phalanetwork/phala-pherry:latest"}).container.BootRunning()
	}
}
