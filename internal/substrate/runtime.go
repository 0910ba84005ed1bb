package substrate

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// Version is a runtime's version, as far as a reader cares.
type Version struct {
	SpecName           string `json:"specName"`
	SpecVersion        uint32 `json:"specVersion"`
	TransactionVersion uint32 `json:"transactionVersion"`
}

// RuntimeVersion asks for the version of the code in a block's state: the code that runs the next block. hash "" is the best
// block.
func (c *Client) RuntimeVersion(ctx context.Context, hash string) (Version, error) {
	const method = "state_getRuntimeVersion"
	var v Version
	if err := c.Call(ctx, &v, method, at(hash)...); err != nil {
		return Version{}, stateOf(hash, err)
	}
	if v.SpecName == "" {
		return Version{}, badReply(method, 200, "no specName")
	}
	return v, nil
}

// Metadata asks for the metadata of the code in a block's state. hash "" is the best block.
func (c *Client) Metadata(ctx context.Context, hash string) (*scale.Metadata, error) {
	const method = "state_getMetadata"
	var text string
	if err := c.Call(ctx, &text, method, at(hash)...); err != nil {
		return nil, stateOf(hash, err)
	}
	blob, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return nil, badReply(method, 200, err.Error())
	}
	md, err := scale.Parse(blob)
	if err != nil {
		return nil, fleet.FailWith(fleet.Failed, fleet.Because("substrate.bad_metadata", "err", clip(err.Error())), err)
	}
	return md, nil
}

// BlockHash asks for the hash of the block at a height; ErrNoBlock when the node has none there.
func (c *Client) BlockHash(ctx context.Context, height uint64) (string, error) {
	const method = "chain_getBlockHash"
	var hash *string
	if err := c.Call(ctx, &hash, method, height); err != nil {
		return "", err
	}
	if hash == nil || *hash == "" {
		return "", fmt.Errorf("%s %d: %w", method, height, ErrNoBlock)
	}
	return *hash, nil
}

// FinalizedHead asks for the hash of the newest finalized block.
func (c *Client) FinalizedHead(ctx context.Context) (string, error) {
	const method = "chain_getFinalizedHead"
	var hash string
	if err := c.Call(ctx, &hash, method); err != nil {
		return "", err
	}
	if hash == "" {
		return "", badReply(method, 200, "no hash")
	}
	return hash, nil
}

func at(hash string) []any {
	if hash == "" {
		return nil
	}
	return []any{hash}
}

// Runtime is the program that wrote a block's state: what to read that state with.
type Runtime struct {
	Version
	Genesis  string // of the chain
	Metadata *scale.Metadata
}

// keptRuntimes is enough for both chains of a node across an upgrade.
const keptRuntimes = 4

// Runtimes remembers runtimes, so that metadata is asked for only when a chain's runtime has changed. The zero value is ready;
// it is safe for concurrent use and serves any number of nodes and chains.
type Runtimes struct {
	mu    sync.Mutex
	known []*Runtime // latest use first
}

// At is the runtime that wrote the state of a block. It asks at every call, so an upgrade is noticed with the first block that
// the new code wrote. That block's parent holds the new code already, but its state is still the old code's work: so the
// parent's code is the one to ask about. ErrNoBlock: the node does not know the block; ErrNoState: it has dropped its state.
func (r *Runtimes) At(ctx context.Context, c *Client, hash string) (*Runtime, error) {
	header, err := c.Header(ctx, hash)
	if err != nil {
		return nil, err
	}
	writer := header.ParentHash
	if header.Number == 0 {
		writer = hash
	}
	genesis, err := c.BlockHash(ctx, 0)
	if err != nil {
		return nil, err
	}
	version, err := c.RuntimeVersion(ctx, writer)
	if err != nil {
		return nil, err
	}
	if known := r.find(genesis, version); known != nil {
		return known, nil
	}
	md, err := c.Metadata(ctx, writer)
	if err != nil {
		return nil, err
	}
	return r.keep(&Runtime{version, genesis, md}), nil
}

func (r *Runtimes) find(genesis string, v Version) *Runtime {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.known, func(k *Runtime) bool { return k.Genesis == genesis && k.Version == v })
	if i < 0 {
		return nil
	}
	found := r.known[i]
	r.known = slices.Insert(slices.Delete(r.known, i, i+1), 0, found)
	return found
}

// keep remembers a runtime, unless somebody else was faster.
func (r *Runtimes) keep(rt *Runtime) *Runtime {
	if known := r.find(rt.Genesis, rt.Version); known != nil {
		return known
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = slices.Insert(r.known, 0, rt)
	r.known = r.known[:min(len(r.known), keptRuntimes)]
	return rt
}
