package substrate

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"

	"phalops/internal/fleet"
)

// Ports of a node's RPC. Builds since May 2023 speak HTTP and WebSocket on one port; older ones speak only WebSocket there
// and HTTP on another (Phala-Network/khala-docker, change ff21d74).
const (
	PortPara, PortRelay       = 9944, 9945
	OldPortPara, OldPortRelay = 9933, 9934
)

// Found is where a node answers over HTTP. A node with one chain has no Relay.
type Found struct {
	Para, Relay           string // addresses, "": nobody answers
	ParaChain, RelayChain string // their names, "": the node does not tell
	Old                   bool   // a build with ports of their own for HTTP
}

// Probe looks for a node's RPC on a host: on the ports of newer builds, and on those of older ones where a newer port does not
// answer over HTTP. All four are asked at the same time; it blocks until they have answered or ctx is done. Without any
// answer it fails with the reason of the newer parachain port; errors.Is finds every cause.
func Probe(ctx context.Context, http Poster, host string) (Found, error) {
	type answer struct {
		url, chain string
		err        error
	}
	answers := make([]answer, 4)
	var asking sync.WaitGroup
	for i, port := range []int{PortPara, OldPortPara, PortRelay, OldPortRelay} {
		asking.Go(func() {
			a := &answers[i]
			a.url = "http://" + net.JoinHostPort(host, strconv.Itoa(port))
			a.chain, a.err = New(a.url, http).Chain(ctx)
			if _, ok := errors.AsType[*RPCError](a.err); ok { // a node, if an unfriendly one
				a.err = nil
			}
		})
	}
	asking.Wait()
	var f Found
	choose := func(newer, older answer) (url, chain string) {
		switch {
		case newer.err == nil:
			return newer.url, newer.chain
		case older.err == nil:
			f.Old = true
			return older.url, older.chain
		}
		return "", ""
	}
	f.Para, f.ParaChain = choose(answers[0], answers[1])
	f.Relay, f.RelayChain = choose(answers[2], answers[3])
	if f.Para == "" && f.Relay == "" {
		var causes []error
		for _, a := range answers {
			causes = append(causes, a.err)
		}
		why := fleet.Because("substrate.no_rpc", "host", host, "err", clip(answers[0].err.Error()))
		return Found{}, fleet.FailWith(fleet.Unavailable, why, errors.Join(causes...))
	}
	return f, nil
}

// PeerHeights are the best blocks that the node's peers claim, highest first (system_peers). Most nodes refuse it to strangers
// (IsMissing), which is no failure: do without.
func (c *Client) PeerHeights(ctx context.Context) ([]uint64, error) {
	var peers []struct {
		Best *Number `json:"bestNumber"`
	}
	if err := c.Call(ctx, &peers, "system_peers"); err != nil {
		return nil, err
	}
	var heights []uint64
	for _, p := range peers {
		if p.Best != nil {
			heights = append(heights, uint64(*p.Best))
		}
	}
	slices.Sort(heights)
	slices.Reverse(heights)
	return heights, nil
}

// Agreed is the highest block that at least two of the peers have, so that a single liar moves nothing; false when there are
// no two. heights are in any order.
func Agreed(heights []uint64) (uint64, bool) {
	if len(heights) < 2 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(heights))
	return sorted[len(sorted)-2], true
}
