package substrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Number is a block number as nodes write it: a JSON number, or hex text with or without zero padding.
type Number uint64

// UnmarshalJSON takes 38, "0x26", "0x00000026" and "38"; null is an error. Nothing above 2⁶³-1 is a block number.
func (n *Number) UnmarshalJSON(raw []byte) error {
	s := string(raw)
	if len(s) >= 2 && s[0] == '"' {
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
	}
	base := 10
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = hex, 16
	}
	v, err := strconv.ParseUint(s, base, 64)
	if err != nil || v > math.MaxInt64 {
		return fmt.Errorf("not a block number: %s", clip(string(raw)))
	}
	*n = Number(v)
	return nil
}

// Health is a node's own view of itself. A node may say that it is not syncing while it is stuck: only blocks prove progress.
type Health struct {
	Peers           *int  `json:"peers"`
	IsSyncing       *bool `json:"isSyncing"`
	ShouldHavePeers *bool `json:"shouldHavePeers"`
}

// Health asks system_health.
func (c *Client) Health(ctx context.Context) (Health, error) {
	var h Health
	err := c.Call(ctx, &h, "system_health")
	if h.Peers != nil && *h.Peers < 0 {
		h.Peers = nil
	}
	return h, err
}

// SyncState is how far a node has come. Highest is nil where the node leaves it out, which is usual at the tip of builds
// before August 2022; later ones write their own best block when they know nothing higher (paritytech/substrate#11979).
type SyncState struct {
	Starting Number  `json:"startingBlock"`
	Current  *Number `json:"currentBlock"`
	Highest  *Number `json:"highestBlock"`
}

// SyncState asks system_syncState. Current is never nil.
func (c *Client) SyncState(ctx context.Context) (SyncState, error) {
	const method = "system_syncState"
	var s SyncState
	if err := c.Call(ctx, &s, method); err != nil {
		return SyncState{}, err
	}
	if s.Current == nil {
		return SyncState{}, badReply(method, 200, "no currentBlock")
	}
	return s, nil
}

// Header is the part of a block header that everybody needs.
type Header struct {
	ParentHash string `json:"parentHash"`
	Number     Number `json:"number"`
}

// ErrNoBlock is returned for a hash that the node does not know.
var ErrNoBlock = errors.New("no such block")

// Header asks for the header of a block; hash "" is the best one.
func (c *Client) Header(ctx context.Context, hash string) (Header, error) {
	const method = "chain_getHeader"
	var params []any
	if hash != "" {
		params = []any{hash}
	}
	var h *struct {
		ParentHash string  `json:"parentHash"`
		Number     *Number `json:"number"`
	}
	switch err := c.Call(ctx, &h, method, params...); {
	case err != nil:
		return Header{}, err
	case h == nil:
		return Header{}, fmt.Errorf("%s %s: %w", method, clip(hash), ErrNoBlock)
	case h.Number == nil:
		return Header{}, badReply(method, 200, "no number")
	}
	return Header{ParentHash: h.ParentHash, Number: *h.Number}, nil
}

// Finalized is the number of the newest finalized block (chain_getFinalizedHead, then its header).
func (c *Client) Finalized(ctx context.Context) (uint64, error) {
	hash, err := c.FinalizedHead(ctx)
	if err != nil {
		return 0, err
	}
	h, err := c.Header(ctx, hash)
	return uint64(h.Number), err
}

// Chain is the chain's name, for example "Khala".
func (c *Client) Chain(ctx context.Context) (string, error) {
	var s string
	err := c.Call(ctx, &s, "system_chain")
	return s, err
}

// Version is the node's build, for example "0.1.24-3a2d0f9-x86_64-linux-gnu".
func (c *Client) Version(ctx context.Context) (string, error) {
	var s string
	err := c.Call(ctx, &s, "system_version")
	return s, err
}

// IsMissing reports whether err says that the node does not have, or does not offer, an optional method. That is no failure
// of the node.
func IsMissing(err error) bool {
	var e *RPCError
	return errors.As(err, &e) && e.Missing()
}
