package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"phalops/internal/sim/world"
)

// keysAtOnce is how many keys state_getKeysPaged gives at most.
const keysAtOnce = 1000

// keptHashes is how many block hashes the storage holds; a real chain keeps blockHashCount of them.
const keptHashes = 64

// item is one key of the storage.
type item struct{ key, value []byte }

// storage is the whole state after block h.
func (v chainView) storage(h int64) *state {
	return v.states.of(stateID{v.Chain, h}, func() *state { return v.newState(h) })
}

func (v chainView) newState(h int64) *state {
	st := &state{}
	put := func(pallet, name string, it item) {
		st.own = append(st.own, item{append(storagePrefix(pallet, name), it.key...), it.value})
	}
	plain := func(pallet, name string, write func(*scale)) { put(pallet, name, item{nil, encoded(write)}) }
	plain("System", "Number", func(s *scale) { s.u32(uint32(h)) })
	plain("System", "ParentHash", func(s *scale) { s.byte(rawHash(v.parentHash(h))...) })
	plain("System", "Events", writeEvents)
	plain("Timestamp", "Now", func(s *scale) { s.u64(millis(v.Chain.Made(h))) })
	var issued uint64
	for _, id := range v.Chain.Accounts() {
		a := v.Chain.Account(id)
		issued += a.Free + a.Reserved
		put("System", "Account", accountItem(id, a))
	}
	plain("Balances", "TotalIssuance", func(s *scale) { s.u128(issued) })
	for i := max(0, h-keptHashes); i < h; i++ {
		put("System", "BlockHash", item{twox64Concat(number32(uint32(i))), rawHash(v.Chain.Hash(i))})
	}
	if v.era() != "" {
		st.phala, st.pools = v.world.Phala(v.node.Network, h), map[int]world.ChainPool{}
		st.crowd = v.states.crowdOf(st.phala)
		putPhala(st.phala, st.crowd, put)
	}
	slices.SortStableFunc(st.own, func(a, b item) int { return bytes.Compare(a.key, b.key) })
	st.own = slices.CompactFunc(st.own, func(a, b item) bool { return bytes.Equal(a.key, b.key) }) // an owner of several pools
	return st
}

// era is which of Phala's pallets the chain has, "" for none of them.
func (v chainView) era() world.Era {
	if !v.isPara() || v.node.OneChain {
		return ""
	}
	return v.node.Network.Era
}

// writeEvents writes what every block has: its timestamp was set.
func writeEvents(s *scale) {
	s.compact(1)
	s.byte(0) // ApplyExtrinsic
	s.u32(0)
	s.byte(palletSystem, 0) // ExtrinsicSuccess
	s.compact(200_000_000)
	s.compact(1_500)
	s.byte(2, 0) // Mandatory, pays
	s.compact(0) // topics
}

// timestampSet is the one extrinsic of every block.
func timestampSet(now uint64) []byte {
	var body, s scale
	body.byte(4, palletTimestamp, 0) // unsigned, format 4
	body.compact(now)
	s.bytes(body)
	return s
}

func rawHash(text string) []byte {
	raw, _ := hex.DecodeString(strings.TrimPrefix(text, "0x")) // the world's own hashes
	return raw
}

func hexOf(b []byte) string { return "0x" + hex.EncodeToString(b) }

// stateAt is the height at which a state method looks: that of the hash in parameter i, or the best one. What it does not
// know is refused (paritytech/polkadot-sdk substrate/client/rpc-api/src/state/error.rs).
func (v chainView) stateAt(i int) (int64, *rpcError) {
	hash, failed := v.hashParam(i)
	if failed != nil || hash == "" {
		return v.Best(v.now), failed
	}
	h, ok := v.Chain.Number(hash)
	if !ok || !v.Knows(v.now, h) {
		return 0, &rpcError{Code: 4003, Message: "Client error: UnknownBlock: Header was not found in the database: " + hash}
	}
	return h, nil
}

// hashParam is a block hash in parameter i; "" when there is none.
func (v chainView) hashParam(i int) (string, *rpcError) {
	p := v.param(i)
	if p == nil {
		return "", nil
	}
	var text string
	if json.Unmarshal(p, &text) != nil || len(text) != 66 || !strings.HasPrefix(text, "0x") || !isHex(text[2:]) {
		return "", &rpcParams
	}
	return strings.ToLower(text), nil
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

// bytesOf reads the bytes of a JSON text such as "0x26aa".
func bytesOf(p json.RawMessage) ([]byte, *rpcError) {
	var text string
	if json.Unmarshal(p, &text) != nil || !strings.HasPrefix(text, "0x") {
		return nil, &rpcParams
	}
	raw, err := hex.DecodeString(text[2:])
	if err != nil {
		return nil, &rpcParams
	}
	return raw, nil
}

func (v chainView) getStorage() (any, *rpcError) {
	if v.param(0) == nil {
		return nil, &rpcParams
	}
	key, failed := bytesOf(v.params[0])
	if failed != nil {
		return nil, failed
	}
	h, failed := v.stateAt(1)
	if failed != nil {
		return nil, failed
	}
	return v.storage(h).hexOrNull(key), nil
}

func (v chainView) storageSize() (any, *rpcError) {
	value, failed := v.getStorage()
	if text, ok := value.(string); ok {
		return len(text)/2 - 1, nil
	}
	return nil, failed
}

func (v chainView) storageHash() (any, *rpcError) {
	value, failed := v.getStorage()
	if text, ok := value.(string); ok {
		return hexOf(blake2_256(rawHash(text))), nil
	}
	return nil, failed
}

// keysPaged takes prefix (null: all), count, start key (null: from the beginning; a key that is not there will do) and hash.
func (v chainView) keysPaged() (any, *rpcError) {
	var prefix, start []byte
	var count uint32
	var failed *rpcError
	if p := v.param(0); p != nil {
		if prefix, failed = bytesOf(p); failed != nil {
			return nil, failed
		}
	}
	if p := v.param(1); p == nil || json.Unmarshal(p, &count) != nil {
		return nil, &rpcParams
	}
	if p := v.param(2); p != nil {
		if start, failed = bytesOf(p); failed != nil {
			return nil, failed
		}
	}
	if count > keysAtOnce {
		return nil, &rpcError{Code: 4002, Message: fmt.Sprintf("count exceeds maximum value. value: %d, max: %d", count, keysAtOnce)}
	}
	h, failed := v.stateAt(3)
	if failed != nil {
		return nil, failed
	}
	return v.storage(h).page(prefix, start, int(count)), nil
}

// changeSet is the value of some keys at a block; a value is hex text or null.
type changeSet struct {
	Block   string   `json:"block"`
	Changes [][2]any `json:"changes"`
}

// queryStorageAt answers for every key once, in the order of the question; no keys, no change set.
func (v chainView) queryStorageAt() (any, *rpcError) {
	if v.param(0) == nil {
		return nil, &rpcParams
	}
	keys, failed := keyList(v.params[0])
	if failed != nil {
		return nil, failed
	}
	hash, failed := v.hashParam(1)
	if failed != nil {
		return nil, failed
	}
	h, failed := v.stateAt(1)
	if failed != nil {
		return nil, &rpcError{Code: 4001, Message: fmt.Sprintf(`Cannot resolve a block range ['"%s"' ... '"Some(%s)"]. UnknownBlock: Header was not found in the database: %s`, hash, hash, hash)}
	}
	if len(keys) == 0 {
		return []changeSet{}, nil
	}
	return []changeSet{v.changes(h, keys)}, nil
}

func (v chainView) changes(h int64, keys [][]byte) changeSet {
	all, set := v.storage(h), changeSet{Block: v.Chain.Hash(h)}
	for _, key := range keys {
		set.Changes = append(set.Changes, [2]any{hexOf(key), all.hexOrNull(key)})
	}
	return set
}

// keyList reads a list of keys and leaves out what it has already.
func keyList(p json.RawMessage) ([][]byte, *rpcError) {
	var texts []json.RawMessage
	if json.Unmarshal(p, &texts) != nil {
		return nil, &rpcParams
	}
	var keys [][]byte
	seen := map[string]bool{}
	for _, text := range texts {
		key, failed := bytesOf(text)
		if failed != nil {
			return nil, failed
		}
		if !seen[string(key)] {
			seen[string(key)] = true
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (v chainView) metadata() (any, *rpcError) {
	if _, failed := v.stateAt(0); failed != nil {
		return nil, failed
	}
	r := v.runtime()
	return hexOf(metadata(r.SpecName, v.ss58(), uint64(v.Chain.Block.Milliseconds()), v.era())), nil
}

type signedBlock struct {
	Block struct {
		Header     header   `json:"header"`
		Extrinsics []string `json:"extrinsics"`
	} `json:"block"`
	Justifications *struct{} `json:"justifications"`
}

// block is chain_getBlock: null for a hash of no block.
func (v chainView) block() (any, *rpcError) {
	h, known, failed := v.blockAt(0)
	if failed != nil || !known {
		return nil, failed
	}
	var b signedBlock
	b.Block.Header = v.headerOf(h)
	b.Block.Extrinsics = []string{hexOf(timestampSet(millis(v.Chain.Made(h))))}
	return b, nil
}

// blockAt is the height of the block that parameter i names, or the best one; false when the node has no such block.
func (v chainView) blockAt(i int) (h int64, known bool, failed *rpcError) {
	hash, failed := v.hashParam(i)
	if failed != nil {
		return 0, false, failed
	}
	if hash == "" {
		return v.Best(v.now), true, nil
	}
	h, ok := v.Chain.Number(hash)
	return h, ok && v.Knows(v.now, h), nil
}

// ss58 is the prefix of the chain's addresses.
func (v chainView) ss58() uint16 {
	if v.isPara() {
		return 30
	}
	return 2
}
