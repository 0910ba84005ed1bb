package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"phalops/internal/sim/world"
)

// ErrNoCall is found in the error of Sign about data that is no call of a pool's owner.
var ErrNoCall = errors.New("no call of a pool's owner")

// maxCalls bounds a batch, maxNested what calls hold in turn.
const maxCalls, maxNested = 1000, 4

// Sign is what happens after somebody has signed encoded call data in a wallet and the block was made: the calls of the owner of a pool
// about its workers, one or a batch_all, by the owner, or through Proxy.proxy by anybody whom the owner trusts. Call it within Face.Do.
// Errors are ErrNoCall and world.ErrOwner; after one nothing has changed.
func Sign(w *world.World, n *world.Network, signer world.AccountID, data []byte) error {
	r := callReader{rest: data, era: n.Era, signer: signer}
	r.call(0)
	if r.err == nil && len(r.rest) > 0 {
		r.fail("bytes are left over")
	}
	if r.err != nil {
		return r.err
	}
	return w.Sign(n, r.signer, r.calls)
}

// callReader reads calls by the numbers of meta_calls.go.
type callReader struct {
	rest   []byte
	era    world.Era
	signer world.AccountID
	calls  []world.OwnerCall
	err    error
}

func (r *callReader) fail(why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrNoCall, why)
	}
	r.rest = nil
}

// take gives the next n bytes, zeros where there are not so many.
func (r *callReader) take(n int) []byte {
	if len(r.rest) < n {
		r.fail("it ends too early")
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *callReader) call(depth int) {
	if depth > maxNested || len(r.calls) > maxCalls {
		r.fail("too many calls")
	}
	pallet, pools := [2]byte(r.take(2)), byte(palletStakePoolV2)
	if r.era == world.EraV1 {
		pools = palletStakePool
	}
	switch {
	case r.err != nil:
	case pallet == [2]byte{palletProxy, 0}:
		r.proxy(depth)
	case pallet == [2]byte{palletUtility, 2}:
		for range r.count() {
			if r.err == nil {
				r.call(depth + 1)
			}
		}
	case pallet[0] == pools:
		r.pool(pallet[1])
	default:
		r.fail(fmt.Sprintf("pallet %d, call %d", pallet[0], pallet[1]))
	}
}

// proxy reads Proxy.proxy: for whom, by which type of proxy, what.
func (r *callReader) proxy(depth int) {
	if r.take(1)[0] != 0 || depth > 0 {
		r.fail("another form of address, or a proxy within a call")
	}
	copy(r.signer[:], r.take(len(r.signer)))
	if r.take(1)[0] != 0 {
		r.take(1)
	}
	r.call(depth + 1)
}

// count reads a compact length.
func (r *callReader) count() int {
	first := r.take(1)[0]
	switch first & 3 {
	case 0:
		return int(first >> 2)
	case 1:
		return int(binary.LittleEndian.Uint16([]byte{first, r.take(1)[0]}) >> 2)
	}
	r.fail("too many calls")
	return 0
}

func (r *callReader) pool(number byte) {
	names := map[byte]string{1: "add_worker", 2: "remove_worker", 13: "start_computing", 14: "stop_computing", 15: "reclaim_pool_worker", 17: "restart_computing"}
	if r.era == world.EraV1 {
		names = map[byte]string{1: "add_worker", 2: "remove_worker", 14: "start_mining", 15: "stop_mining", 16: "reclaim_pool_worker", 19: "restart_mining"}
	}
	c := world.OwnerCall{Name: names[number], PID: binary.LittleEndian.Uint64(r.take(8))}
	copy(c.Worker[:], r.take(len(c.Worker)))
	switch c.Name {
	case "":
		r.fail(fmt.Sprintf("call %d of the pools", number))
	case "start_computing", "start_mining", "restart_computing", "restart_mining":
		stake := r.take(16)
		if c.Stake = binary.LittleEndian.Uint64(stake); binary.LittleEndian.Uint64(stake[8:]) != 0 {
			r.fail("more stake than there is")
		}
	}
	r.calls = append(r.calls, c)
}
