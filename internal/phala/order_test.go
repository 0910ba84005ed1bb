package phala

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestInOrder: also keys that begin alike stand in their order.
func TestInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := map[Key]*Worker{}
		for _, k := range rapid.SliceOf(rapid.SliceOfN(rapid.ByteRange(0, 1), 12, 12)).Draw(t, "keys") {
			var key Key
			copy(key[:], k)
			all[key] = &Worker{Key: key}
		}
		got := inOrder(all, func(w *Worker) Key { return w.Key })
		if len(got) != len(all) || !slices.IsSortedFunc(got, func(a, b *Worker) int { return bytes.Compare(a.Key[:], b.Key[:]) }) {
			t.Fatalf("%d of %d, or not in order", len(got), len(all))
		}
	})
}
