package campaign

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"phalops/internal/sim/world"
)

// places are the addresses of what has one. Nothing listens there.
type places struct {
	chains     map[string]chainPlace // by URL
	caches     map[string]*world.HeadersCache
	hosts      map[string]string // addresses of hosts by name
	bridges    map[string]string // URLs by name
	nodes      map[string][2]string
	references []string
}

type chainPlace struct {
	node  *world.Node
	chain *world.NodeChain
}

// place gives everything in the world its address.
func place(w *world.World, references []string) places {
	p := places{chains: map[string]chainPlace{}, caches: map[string]*world.HeadersCache{}, hosts: map[string]string{},
		bridges: map[string]string{}, nodes: map[string][2]string{}}
	n := 0
	address := func() string {
		n++
		return fmt.Sprintf("127.1.%d.%d", n/250, 1+n%250)
	}
	for _, h := range w.Hosts() {
		p.hosts[h.Name] = address()
	}
	foreign := map[string]bool{}
	for _, name := range references {
		foreign[name] = true
	}
	for _, node := range w.Nodes() {
		at := address()
		para, relay := "http://"+at+":9944", "http://"+at+":9945"
		p.chains[para], p.chains[relay] = chainPlace{node, node.Para()}, chainPlace{node, node.Relay()}
		if foreign[node.Name] {
			p.references = append(p.references, para)
			continue
		}
		p.nodes[node.Name] = [2]string{para, relay}
	}
	for _, c := range w.HeadersCaches() {
		url := fmt.Sprintf("http://%s:%d", address(), c.Port)
		p.caches[url] = c
	}
	for _, b := range w.Bridges() {
		p.bridges[b.Name] = "http://" + address() + ":3000"
	}
	for _, b := range w.V0Bridges() {
		p.bridges[b.Name] = "http://" + address() + ":3000"
	}
	for _, b := range w.V3Bridges() {
		p.bridges[b.Name] = "http://" + address() + ":3001"
	}
	return p
}

// yaml is the configuration of the world: what an operator would have written for it.
func (s *Sim) yaml(o Options) []byte {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w := o.World
	if len(s.places.references) > 0 {
		p("networks: { khala: { reference: [%q] } }", strings.Join(s.places.references, `", "`))
	}
	p("hosts:")
	for _, h := range w.Hosts() {
		p("  %s: { address: %s, docker: \"tcp://%s:2375\" }", h.Name, s.places.hosts[h.Name], s.places.hosts[h.Name])
	}
	p("sites:\n  - name: sim\n    nodes:")
	for _, n := range w.Nodes() {
		if at, ours := s.places.nodes[n.Name]; ours {
			rpc := fmt.Sprintf("para: %q, relay: %q", at[0], at[1])
			if n.OneChain {
				rpc = fmt.Sprintf("rpc: %q", at[0])
			}
			p("      - { name: %s, host: %s, %s, container: %s }", n.Name, n.Host, rpc, n.Container)
		}
	}
	p("    data_providers:")
	for _, d := range w.DataProviders() {
		p("      - { name: %s, host: %s, node: %s, project: %s }", d.Name, d.Host, d.Node.Name, d.Project())
	}
	p("    headers_caches:")
	for _, url := range slices.Sorted(maps.Keys(s.places.caches)) {
		c := s.places.caches[url]
		p("      - { name: %s, url: %q, node: %s }", c.Name, url, c.Node.Name)
	}
	s.bridgesYAML(p, w)
	if robots := w.Robots(); len(robots) > 0 {
		p("alerts:\n  channels:")
		for _, r := range robots {
			p("    %s: { type: dingtalk, token: env:TOKEN }", r.Name)
		}
	}
	b.WriteString(o.Settings)
	return []byte(b.String())
}

func (s *Sim) bridgesYAML(p func(string, ...any), w *world.World) {
	p("    bridges:")
	for _, x := range w.Bridges() {
		var providers []string
		for _, d := range x.Providers {
			providers = append(providers, d.Name)
		}
		p("      - { name: %s, version: v2, url: %q, lifecycle: %s, data_providers: [%s], node: %s, host: %s, project: %s }", x.Name, s.places.bridges[x.Name],
			x.LifecyclePeer, strings.Join(providers, ", "), x.Node.Name, x.Host, x.Project)
	}
	for _, x := range w.V0Bridges() {
		p("      - { name: %s, version: v0, url: %q, node: %s, host: %s, project: %s }", x.Name, s.places.bridges[x.Name], x.Node.Name, x.Host, x.Project)
	}
	for _, x := range w.V3Bridges() {
		p("      - { name: %s, version: v3, url: %q, node: %s, host: %s, project: %s }", x.Name, s.places.bridges[x.Name], x.Nodes[0].Name, x.Host, x.Project)
	}
	p("    solo:")
	for _, x := range w.Pherries() {
		p("      - { name: %s, pruntime: %q, node: %s, host: %s, pherry: %s }", x.Name, x.Pruntime, x.Node.Name, x.Host, x.Container)
	}
}
