package campaign

import (
	"context"
	"net/http"
	"time"

	"phalops/internal/observe"
	"phalops/internal/sim/world"
	"phalops/internal/substrate"
	"phalops/internal/wire"
)

// lookLimit is how long the client of a chain, or of a headers-cache, waits for one look.
const lookLimit = 10 * time.Second

// chain answers as a node's JSON-RPC does. Both chains of a node are asked at the same time: see delay.
type chain struct {
	*reach
	*world.NodeChain
	url  string
	node *world.Node
}

var (
	_ observe.ChainSource   = (*chain)(nil)
	_ observe.PeerSource    = (*chain)(nil)
	_ observe.GenesisSource = (*chain)(nil)
)

// URL is where it asks.
func (c *chain) URL() string { return c.url }

// Look asks once.
func (c *chain) Look(ctx context.Context) (observe.ChainReading, error) {
	if err := c.answers(ctx, lookLimit, "system_syncState"); err != nil {
		return observe.ChainReading{}, err
	}
	now := c.World.Now()
	peers, syncing := c.PeerCount(), c.Syncing(now)
	best := max(0, c.Best(now)+c.RPC().Lie)
	r := observe.ChainReading{Best: height(best), Finalized: height(c.Finalized(now)), Peers: &peers, Syncing: &syncing,
		Chain: c.NodeChain.Chain.Name, Version: c.node.Version}
	if target, told := c.Target(now); told {
		r.Target = height(max(target, best))
	}
	return r, nil
}

// answers is nil when a question is answered; what is wrong with the answer, or that there is none, is the error.
func (c *chain) answers(ctx context.Context, limit time.Duration, method string) error {
	trouble := c.RPC()
	limit = allowed(ctx, limit)
	switch {
	case c.node == nil || !c.node.Listening():
		return refused(c.url)
	case c.node.Hung() || trouble.Slow >= limit:
		delay(ctx, limit)
		return timedOut(c.url)
	}
	delay(ctx, trouble.Slow)
	switch {
	case trouble.Garbage == world.GarbageHTML:
		return badReply(method, http.StatusBadGateway, "no JSON")
	case trouble.Garbage == world.GarbageStranger:
		return badReply(method, http.StatusOK, "the answer belongs to another question")
	case trouble.Garbage != "":
		return badReply(method, http.StatusOK, "no JSON: unexpected end of JSON input")
	case trouble.Huge:
		return failed(wire.TooLarge, "wire.too_large", c.url, true)
	case trouble.Code != 0:
		return &substrate.RPCError{Method: method, Code: trouble.Code, Message: trouble.Message}
	}
	return nil
}

func badReply(method string, status int, what string) error {
	return &substrate.ReplyError{Method: method, Status: status, What: what}
}

// rareLimit bounds what is asked rarely.
const rareLimit = 5 * time.Second

// PeersBest is the highest block that at least two of its peers claim; few nodes tell.
func (c *chain) PeersBest(ctx context.Context) (int64, bool) {
	if !c.node.UnsafeRPC || c.PeerCount() < 2 || c.answers(ctx, rareLimit, "system_peers") != nil {
		return 0, false
	}
	return c.NodeChain.Chain.Head(c.World.Now()), true
}

// Genesis is the hash of its first block.
func (c *chain) Genesis(ctx context.Context) (string, error) {
	if err := c.answers(ctx, rareLimit, "chain_getBlockHash"); err != nil {
		return "", err
	}
	return c.NodeChain.Chain.Hash(0), nil
}

// cache answers as a headers-cache does.
type cache struct {
	*reach
	name, url string
	world     *world.HeadersCache
}

// Name is its name in the configuration.
func (c *cache) Name() string { return c.name }

// URL is where it asks.
func (c *cache) URL() string { return c.url }

// Read asks for its heights. It keeps the relay chain's headers only.
func (c *cache) Read(context.Context) (substrate.CacheState, error) {
	if c.world == nil || !c.world.Listening() {
		return substrate.CacheState{}, refused(c.url + "/state")
	}
	n := substrate.Number(c.world.Highest())
	has := substrate.CacheHeights{Header: &n}
	return substrate.CacheState{Genesis: []substrate.Number{substrate.Number(c.world.Genesis())}, Imported: has, Highest: has}, nil
}
