package world

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// parts are the chains, nodes, data providers, bridges and pRuntimes of the world by name.
type parts struct {
	networks  map[string]*Network
	nodes     map[string]*Node
	providers map[string]*DataProvider
	bridges   map[string]*Bridge
	pruntimes map[string]*Pruntime // by endpoint
	kin       map[string]kin       // bridges of other versions
	v3s       map[string]*V3Bridge
	pherries  map[string]*Pherry
	caches    map[string]*HeadersCache
}

func newParts() parts {
	return parts{networks: map[string]*Network{}, nodes: map[string]*Node{}, providers: map[string]*DataProvider{},
		bridges: map[string]*Bridge{}, pruntimes: map[string]*Pruntime{}, kin: map[string]kin{}, v3s: map[string]*V3Bridge{},
		pherries: map[string]*Pherry{}, caches: map[string]*HeadersCache{}}
}

// inOrder are m's values in the order of their keys, so that nothing depends on the order of a map.
func inOrder[K cmp.Ordered, V any](m map[K]V) []V {
	all := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[k])
	}
	return all
}

// Networks are all networks in the order of their names.
func (w *World) Networks() []*Network { return inOrder(w.parts.networks) }

// Nodes are all nodes in the order of their names.
func (w *World) Nodes() []*Node { return inOrder(w.parts.nodes) }

// DataProviders are all data providers in the order of their names.
func (w *World) DataProviders() []*DataProvider { return inOrder(w.parts.providers) }

// Bridges are all bridges in the order of their names.
func (w *World) Bridges() []*Bridge { return inOrder(w.parts.bridges) }

// Node finds a node; nil when there is none of that name.
func (w *World) Node(name string) *Node { return w.parts.nodes[name] }

// DataProvider finds a data provider; nil when there is none of that name.
func (w *World) DataProvider(name string) *DataProvider { return w.parts.providers[name] }

// Bridge finds a bridge; nil when there is none of that name.
func (w *World) Bridge(name string) *Bridge { return w.parts.bridges[name] }

// Settle makes the world as if everything that runs had been running for long: nodes in step, data providers indexed,
// every enabled worker with a context in its last state.
func (w *World) Settle() {
	for _, n := range w.Nodes() {
		n.settle()
		n.refresh()
	}
	for _, d := range w.DataProviders() {
		d.settle()
		d.refresh()
	}
	for _, b := range w.Bridges() {
		b.settle()
	}
	for _, k := range w.kin() {
		k.settle()
	}
}

// nodeLink tells everything with a socket to n that it is there again, or gone.
func (w *World) nodeLink(n *Node, linked bool) {
	if linked {
		return // what lost it has exited and comes back by itself
	}
	for _, d := range w.DataProviders() {
		if d.Node == n && d.up {
			d.later(linkLostAfter, func() { d.container.Exit(255) })
		}
	}
	for _, b := range w.Bridges() {
		if b.Node == n && b.lifecycleUp {
			b.later(linkLostAfter, func() { b.lifecycle.Exit(255) })
		}
		if b.Node == n && b.tradeUp {
			b.trade.after(linkLostAfter, func() { b.trade.Exit(255) })
		}
	}
	for _, k := range w.kin() {
		k.unlinked(n)
	}
}

// fedBy reports whether a lifecycle with working contexts gets its blocks, by whatever way, from n.
func (w *World) fedBy(n *Node) bool {
	if slices.ContainsFunc(w.kin(), func(k kin) bool { return k.fedBy(n) }) {
		return true
	}
	return slices.ContainsFunc(w.Bridges(), func(b *Bridge) bool {
		return b.lifecycleUp && slices.ContainsFunc(b.contexts, func(c *Context) bool {
			return c.feeding && slices.ContainsFunc(b.Providers, func(d *DataProvider) bool { return d.Node == n })
		})
	})
}

// keepNotices writes down what the lifecycles have noticed by now, before heights that depend on n move again.
func (w *World) keepNotices(n *Node) {
	for _, b := range w.Bridges() {
		if slices.ContainsFunc(b.Providers, func(d *DataProvider) bool { return d.Node == n }) {
			b.keepNotices()
		}
	}
	for _, k := range w.kin() {
		k.keepNotices(n)
	}
}

// beforeProviderFalls fixes the heights of everything that follows d, because d's own are about to start over.
func (w *World) beforeProviderFalls(d *DataProvider) {
	for _, b := range w.Bridges() {
		if slices.Contains(b.Providers, d) {
			b.rebase()
		}
	}
}

func (w *World) providerReady(d *DataProvider) {
	for _, b := range w.Bridges() {
		if slices.Contains(b.Providers, d) {
			b.rebase()
			b.form()
		}
	}
}

// peerUp makes the running monitors of d's or b's bridges shake hands with a peer that has come up.
func (w *World) peerUp(p Peer) {
	for _, b := range w.Bridges() {
		if b.monitorUp && b.meets(p) {
			b.monitorLater(monitorMeets, func() { b.meet(p) })
		}
	}
}

// peerID makes a libp2p identity: Qm… in base58, as a SHA-256 multihash looks.
func (w *World) peerID(name string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", w.seed, name))
	return Base58(append([]byte{0x12, 0x20}, sum[:]...))
}

// Base58 is the Bitcoin alphabet's notation, as libp2p and Substrate use it.
func Base58(b []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	var out []byte
	n, radix, digit := new(big.Int).SetBytes(b), big.NewInt(58), new(big.Int)
	for n.Sign() > 0 {
		n.DivMod(n, radix, digit)
		out = append(out, alphabet[digit.Int64()])
	}
	for _, zero := range b {
		if zero != 0 {
			break
		}
		out = append(out, alphabet[0])
	}
	slices.Reverse(out)
	return string(out)
}

// uuid makes the n-th identity of a name, in the shape of a random UUID.
func (w *World) uuid(name string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/uuid/%s/%d", w.seed, name, n))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
