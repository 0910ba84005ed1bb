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
	node   *world.Node
	world  *world.World
	states *states
	*world.NodeChain
	now     time.Time
	trouble world.RPCTrouble
	params  []json.RawMessage
}

// nodeMethods are what the node answers with a single reply.
func nodeMethods() map[string]func(chainView) (any, *rpcError) {
	return map[string]func(chainView) (any, *rpcError){
		"system_health":           chainView.health,
		"system_syncState":        chainView.syncState,
		"system_chain":            func(v chainView) (any, *rpcError) { return v.Chain.Name, nil },
		"system_chainType":        func(chainView) (any, *rpcError) { return "Live", nil },
		"system_name":             func(v chainView) (any, *rpcError) { return v.implementation(), nil },
		"system_version":          func(v chainView) (any, *rpcError) { return v.node.Version, nil },
		"system_properties":       chainView.properties,
		"system_nodeRoles":        func(chainView) (any, *rpcError) { return []string{"Full"}, nil },
		"system_localPeerId":      func(v chainView) (any, *rpcError) { return v.peerID(0), nil },
		"system_peers":            chainView.peers,
		"chain_getBlock":          chainView.block,
		"chain_getHeader":         chainView.header,
		"chain_getBlockHash":      chainView.blockHash,
		"chain_getHead":           chainView.blockHash,
		"chain_getFinalizedHead":  chainView.finalizedHead,
		"chain_getFinalisedHead":  chainView.finalizedHead,
		"state_getMetadata":       chainView.metadata,
		"state_getRuntimeVersion": chainView.runtimeVersion,
		"chain_getRuntimeVersion": chainView.runtimeVersion,
		"state_getStorage":        chainView.getStorage,
		"state_getStorageAt":      chainView.getStorage,
		"state_getStorageSize":    chainView.storageSize,
		"state_getStorageHash":    chainView.storageHash,
		"state_getKeysPaged":      chainView.keysPaged,
		"state_getKeysPagedAt":    chainView.keysPaged,
		"state_queryStorageAt":    chainView.queryStorageAt,
		"rpc_methods":             func(chainView) (any, *rpcError) { return rpcMethodList(), nil },
	}
}

type methodList struct {
	Version int      `json:"version"`
	Methods []string `json:"methods"`
}

// rpcMethodList is built apart from nodeMethods, which it would otherwise contain.
func rpcMethodList() methodList {
	all := slices.Collect(maps.Keys(nodeMethods()))
	for _, s := range subscriptionSorts() {
		all = append(all, s.methods()...)
	}
	slices.Sort(all)
	return methodList{1, all}
}

// call answers one method. Subscriptions work over WebSocket only.
func (v chainView) call(method string, params json.RawMessage) (any, *rpcError) {
	if v.trouble.Code != 0 {
		return nil, &rpcError{Code: v.trouble.Code, Message: v.trouble.Message}
	}
	m, ok := nodeMethods()[method]
	if _, subscription := subscriptionOf(method); subscription {
		return nil, &rpcInternal
	}
	if !ok {
		return nil, &rpcUnknown
	}
	if !v.read(params) {
		return nil, &rpcParams
	}
	return m(v)
}

// read takes the parameters of a call; false when they are no list.
func (v *chainView) read(params json.RawMessage) bool {
	v.params = nil
	return len(params) == 0 || string(params) == "null" || json.Unmarshal(params, &v.params) == nil
}

// best is the best block as the node tells it, which rpc.lie bends.
func (v chainView) best() int64 { return max(0, v.Best(v.now)+v.trouble.Lie) }

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
	type heights struct {
		Starting int64 `json:"startingBlock"`
		Current  int64 `json:"currentBlock"`
	}
	own := heights{Starting: v.Start(), Current: v.best()}
	target, known := v.Target(v.now)
	switch {
	case known:
		return struct {
			heights
			Highest int64 `json:"highestBlock"`
		}{own, max(target, own.Current)}, nil
	case v.node.NullTarget:
		return struct {
			heights
			Highest *int64 `json:"highestBlock"`
		}{own, nil}, nil
	default:
		return own, nil
	}
}

func (v chainView) properties() (any, *rpcError) {
	p := struct {
		Format   int    `json:"ss58Format"`
		Decimals int    `json:"tokenDecimals"`
		Symbol   string `json:"tokenSymbol"`
	}{int(v.ss58()), 12, "PHA"}
	if !v.isPara() {
		p.Symbol = "KSM"
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
	h, known, failed := v.blockAt(0)
	if failed != nil || !known {
		return nil, failed
	}
	if v.param(0) == nil {
		h = v.best()
	}
	return v.headerOf(h), nil
}

// headerOf is the header of block h. Unlike on a real chain its hash is not that of its encoding: a client must ask for hashes
// (chain_getBlockHash) and not compute them.
func (v chainView) headerOf(h int64) header {
	root := func(what string) string {
		return fmt.Sprintf("0x%x", sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", v.Chain.ID, what, h)))
	}
	engine := "61757261" // aura
	if !v.isPara() {
		engine = "42414245" // BABE
	}
	slot := sha256.Sum256(fmt.Appendf(nil, "slot/%d", h))
	return header{v.parentHash(h), "0x" + strconv.FormatInt(h, 16), root("state"), root("extrinsics"),
		digest{[]string{fmt.Sprintf("0x06%s20%x", engine, slot[:8])}}}
}

func (v chainView) parentHash(h int64) string {
	if h == 0 {
		return "0x" + strings.Repeat("0", 64)
	}
	return v.Chain.Hash(h - 1)
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
	if _, failed := v.stateAt(0); failed != nil {
		return nil, failed
	}
	return v.runtime(), nil
}

func (v chainView) runtime() runtimeVersion {
	apis := [][2]any{{"0xdf6acb689907609b", 4}, {"0x37e397fc7c91f5e4", 1}, {"0x40fe3ad401f8959a", 6}}
	if v.isPara() {
		spec := 1241
		if v.era() == world.EraV1 {
			spec = 1190
		}
		return runtimeVersion{"khala", "khala", 1, spec, 0, apis, 8, 0}
	}
	return runtimeVersion{"kusama", "parity-kusama", 2, 9420, 0, apis, 22, 1}
}
