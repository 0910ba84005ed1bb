package decide_test

import (
	"testing"

	"phalops/internal/decide"
)

// BenchmarkBridge is one cycle of a bridge with a hundred workers. Two hundred of them must fit into a beat on a small CPU.
func BenchmarkBridge(b *testing.B) {
	b.Run("healthy", func(b *testing.B) {
		in := healthyBridge(100)
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
