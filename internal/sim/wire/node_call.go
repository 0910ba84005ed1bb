package wire

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/sim/world"
)

// chainView is one chain of a node at one moment.
type chainView struct {
	node *world.Node
	*world.NodeChain
	now    time.Time
	params []json.RawMessage
}

// nodeMethods are what the node answers, without subscriptions (those work over WebSocket only).
func nodeMethods() map[string]func(chainView) (any, *rpcError) {
	return map[string]func(chainView) (any, *rpcError){
		"system_health":                  chainView.health,
		"system_syncState":               chainView.syncState,
		"system_chain":                   func(v chainView) (any, *rpcError) { return v.Chain.Name, nil },
		"system_chainType":               func(chainView) (any, *rpcError) { return "Live", nil },
		"system_name":                    func(v chainView) (any, *rpcError) { return v.implementation(), nil },
		"system_version":                 func(v chainView) (any, *rpcError) { return v.node.Version, nil },
		"system_properties":              chainView.properties,
		"system_nodeRoles":               func(chainView) (any, *rpcError) { return []string{"Full"}, nil },
		"system_localPeerId":             func(v chainView) (any, *rpcError) { return v.peerID(0), nil },
		"system_peers":                   chainView.peers,
		"chain_getHeader":                chainView.header,
		"chain_getBlockHash":             chainView.blockHash,
		"chain_getHead":                  chainView.blockHash,
		"chain_getFinalizedHead":         chainView.finalizedHead,
		"chain_getFinalisedHead":         chainView.finalizedHead,
		"state_getRuntimeVersion":        chainView.runtimeVersion,
		"rpc_methods":                    func(chainView) (any, *rpcError) { return rpcMethodList(), nil },
		"chain_subscribeNewHeads":        overHTTP,
		"chain_subscribeNewHead":         overHTTP,
		"chain_subscribeAllHeads":        overHTTP,
		"state_subscribeStorage":         overHTTP,
		"state_subscribeRuntimeVersion":  overHTTP,
		"chain_subscribeFinalizedHeads":  overHTTP,
		"author_submitAndWatchExtrinsic": overHTTP,
	}
}

func overHTTP(chainView) (any, *rpcError) { return nil, &rpcInternal }

type methodList struct {
	Version int      `json:"version"`
	Methods []string `json:"methods"`
}

// rpcMethodList is built apart from nodeMethods, which it would otherwise contain.
func rpcMethodList() methodList {
	return methodList{1, slices.Sorted(maps.Keys(nodeMethods()))}
}

func callNode(n *world.Node, c *world.NodeChain, now time.Time, method string, params json.RawMessage) (any, *rpcError) {
	m, ok := nodeMethods()[method]
	if !ok {
		return nil, &rpcUnknown
	}
	v := chainView{node: n, NodeChain: c, now: now}
	if len(params) > 0 && string(params) != "null" && json.Unmarshal(params, &v.params) != nil {
		return nil, &rpcParams
	}
	return m(v)
}

func (v chainView) isPara() bool { return v.node.Para() == v.NodeChain }

func (v chainView) implementation() string {
	if v.isPara() {
		return "Phala Node"
	}
	return "Parity Polkadot"
}

func (v chainView) health() (any, *rpcError) {
	return struct {
		Peers           int  `json:"peers"`
		IsSyncing       bool `json:"isSyncing"`
		ShouldHavePeers bool `json:"shouldHavePeers"`
	}{v.PeerCount(), v.Syncing(v.now), true}, nil
}

func (v chainView) syncState() (any, *rpcError) {
	state := struct {
		Starting int64  `json:"startingBlock"`
		Current  int64  `json:"currentBlock"`
		Highest  *int64 `json:"highestBlock,omitempty"`
	}{Starting: v.Start(), Current: v.Best(v.now)}
	if target, ok := v.Target(v.now); ok {
		state.Highest = &target
	}
	return state, nil
}

func (v chainView) properties() (any, *rpcError) {
	p := struct {
		Format   int    `json:"ss58Format"`
		Decimals int    `json:"tokenDecimals"`
		Symbol   string `json:"tokenSymbol"`
	}{30, 12, "PHA"}
	if !v.isPara() {
		p.Format, p.Symbol = 2, "KSM"
	}
	return p, nil
}

func (v chainView) peerID(i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", v.node.Name, v.Chain.ID, i))
	return world.Base58(append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, sum[:]...)) // an ed25519 key: 12D3KooW…
}

type peerInfo struct {
	PeerID     string `json:"peerId"`
	Roles      string `json:"roles"`
	BestHash   string `json:"bestHash"`
	BestNumber int64  `json:"bestNumber"`
}

func (v chainView) peers() (any, *rpcError) {
	if !v.node.UnsafeRPC {
		return nil, &rpcUnsafe
	}
	all := make([]peerInfo, v.PeerCount())
	for i := range all {
		best := v.Seen(v.now) - int64(i%3)
		all[i] = peerInfo{v.peerID(i + 1), "FULL", v.Chain.Hash(best), best}
	}
	return all, nil
}

type header struct {
	ParentHash     string `json:"parentHash"`
	Number         string `json:"number"`
	StateRoot      string `json:"stateRoot"`
	ExtrinsicsRoot string `json:"extrinsicsRoot"`
	Digest         digest `json:"digest"`
}

type digest struct {
	Logs []string `json:"logs"`
}

func (v chainView) header() (any, *rpcError) {
	h := v.Best(v.now)
	if hash := v.param(0); hash != nil {
		var text string
		if json.Unmarshal(hash, &text) != nil || len(text) != 66 || !strings.HasPrefix(text, "0x") {
			return nil, &rpcParams
		}
		n, ok := v.Chain.Number(text)
		if !ok || !v.Knows(v.now, n) {
			return nil, nil
		}
		h = n
	}
	root := func(what string) string {
		return fmt.Sprintf("0x%x", sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", v.Chain.ID, what, h)))
	}
	parent := "0x" + strings.Repeat("0", 64)
	if h > 0 {
		parent = v.Chain.Hash(h - 1)
	}
	engine := "61757261" // aura
	if !v.isPara() {
		engine = "42414245" // BABE
	}
	slot := sha256.Sum256(fmt.Appendf(nil, "slot/%d", h))
	return header{parent, "0x" + strconv.FormatInt(h, 16), root("state"), root("extrinsics"),
		digest{[]string{fmt.Sprintf("0x06%s20%x", engine, slot[:8])}}}, nil
}

// param is the i-th parameter; nil when it is absent or null.
func (v chainView) param(i int) json.RawMessage {
	if i >= len(v.params) || string(v.params[i]) == "null" {
		return nil
	}
	return v.params[i]
}

func (v chainView) blockHash() (any, *rpcError) {
	p := v.param(0)
	if p == nil {
		return v.Chain.Hash(v.Best(v.now)), nil
	}
	var list []json.RawMessage
	if json.Unmarshal(p, &list) != nil {
		return v.hashOf(p)
	}
	hashes := make([]any, len(list))
	for i, one := range list {
		hash, failed := v.hashOf(one)
		if failed != nil {
			return nil, failed
		}
		hashes[i] = hash
	}
	return hashes, nil
}

// hashOf takes a number or its hex text; a block that the node does not have is null.
func (v chainView) hashOf(p json.RawMessage) (any, *rpcError) {
	text := strings.Trim(string(p), `"`)
	var n uint64
	var err error
	if digits, hex := strings.CutPrefix(text, "0x"); hex {
		n, err = strconv.ParseUint(digits, 16, 32)
	} else {
		n, err = strconv.ParseUint(text, 10, 32)
	}
	if err != nil {
		return nil, &rpcParams
	}
	if !v.Knows(v.now, int64(n)) {
		return nil, nil
	}
	return v.Chain.Hash(int64(n)), nil
}

func (v chainView) finalizedHead() (any, *rpcError) { return v.Chain.Hash(v.Finalized(v.now)), nil }

type runtimeVersion struct {
	SpecName           string   `json:"specName"`
	ImplName           string   `json:"implName"`
	AuthoringVersion   int      `json:"authoringVersion"`
	SpecVersion        int      `json:"specVersion"`
	ImplVersion        int      `json:"implVersion"`
	APIs               [][2]any `json:"apis"`
	TransactionVersion int      `json:"transactionVersion"`
	StateVersion       int      `json:"stateVersion"`
}

func (v chainView) runtimeVersion() (any, *rpcError) {
	apis := [][2]any{{"0xdf6acb689907609b", 4}, {"0x37e397fc7c91f5e4", 1}, {"0x40fe3ad401f8959a", 6}}
	if v.isPara() {
		return runtimeVersion{"khala", "khala", 1, 1241, 0, apis, 8, 0}, nil
	}
	return runtimeVersion{"kusama", "parity-kusama", 2, 9420, 0, apis, 22, 1}, nil
}
