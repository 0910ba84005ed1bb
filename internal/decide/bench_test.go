package decide_test

import (
	"testing"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// BenchmarkBridge is one cycle of a bridge with a hundred workers. Two hundred of them must fit into a beat on a small CPU. What the
// chain says of a thousand workers must cost next to nothing while all is well.
func BenchmarkBridge(b *testing.B) {
	b.Run("healthy", func(b *testing.B) {
		in := healthyBridge(100)
		for b.Loop() {
			decide.Bridge(in)
		}
	})
	b.Run("healthy on chain", func(b *testing.B) {
		in, others := healthyBridge(100), healthyBridge(900)
		in.Chain = onChain(&in.Status, &others.Status)
		all := decide.NetworkInput{Ref: khala, View: in.Chain, Bridges: []fleet.BridgeStatus{in.Status}, Policy: defaults, Now: now}
		in.ChainOdd = all.Odd()
		for b.Loop() {
			decide.Bridge(in)
		}
	})
	b.Run("failed", func(b *testing.B) {
		in := healthyBridge(100)
		badWorkers(0, 100, h, `"Error: the moon is in the wrong place"`)(&in)
		for b.Loop() {
			decide.Bridge(in)
		}
	})
}

// BenchmarkNetwork is what follows each reading of a chain, for ten bridges with a hundred workers each, all of which turned bad.
func BenchmarkNetwork(b *testing.B) {
	in := networkOf(10, 100)
	for i := range in.View.Workers {
		is("Unresponsive", 2*h)(&in.View.Workers[i])
	}
	for b.Loop() {
		decide.Network(in)
	}
}
