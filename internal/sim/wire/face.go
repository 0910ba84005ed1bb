// Package wire is the HTTP face of the simulated world: it serves the nodes' JSON-RPC, the bridges' monitors, container
// engines and chat robots on loopback addresses, written from the references and sharing no code with the clients.
package wire

import (
	"sync"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
)

// Face guards the world for the HTTP handlers.
type Face struct {
	mu     sync.Mutex
	world  *world.World
	clock  clock.Clock
	states states
}

// NewFace makes a Face of a world that lives on a clock.
func NewFace(w *world.World, c clock.Clock) *Face { return &Face{world: w, clock: c} }

// Do lets the world catch up with the clock and runs f alone with it. f must not block.
func (f *Face) Do(fn func(*world.World)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.world.Advance(f.clock.Now())
	fn(f.world)
}
