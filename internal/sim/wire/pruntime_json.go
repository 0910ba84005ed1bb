package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"phalops/internal/sim/world"
)

// phactoryInfo is GetInfo's reply in the order of its fields, as serde writes it.
type phactoryInfo struct {
	Initialized      bool        `json:"initialized"`
	Registered       bool        `json:"registered"`
	Genesis          *string     `json:"genesis_block_hash"`
	PublicKey        *string     `json:"public_key"`
	ECDHPublicKey    *string     `json:"ecdh_public_key"`
	HeaderNum        int64       `json:"headernum"`
	ParaHeaderNum    int64       `json:"para_headernum"`
	BlockNum         int64       `json:"blocknum"`
	StateRoot        string      `json:"state_root"`
	DevMode          bool        `json:"dev_mode"`
	PendingMessages  uint64      `json:"pending_messages"`
	Score            uint64      `json:"score"`
	Gatekeeper       gatekeeper  `json:"gatekeeper"`
	Version          string      `json:"version"`
	GitRevision      string      `json:"git_revision"`
	MemoryUsage      memoryUsage `json:"memory_usage"`
	Waiting          bool        `json:"waiting_for_paraheaders"`
	System           *systemInfo `json:"system"`
	CanLoadState     bool        `json:"can_load_chain_state"`
	SafeMode         uint64      `json:"safe_mode_level"`
	CurrentBlockTime uint64      `json:"current_block_time"` // ms
	PinkVersion      string      `json:"max_supported_pink_runtime_version"`
	Attestations     []string    `json:"supported_attestation_methods"`
	Sidevms          uint64      `json:"live_sidevm_instances"`
	QueryTimeout     uint64      `json:"query_timeout"`
}

type gatekeeper struct {
	Role      uint64 `json:"role"`
	MasterKey string `json:"master_public_key"`
}

type memoryUsage struct {
	Used      uint64 `json:"rust_used"`
	PeakUsed  uint64 `json:"rust_peak_used"`
	TotalPeak uint64 `json:"total_peak_used"`
	Free      uint64 `json:"free"`
	Spike     uint64 `json:"rust_spike"`
}

type systemInfo struct {
	Registered       bool       `json:"registered"`
	PublicKey        string     `json:"public_key"`
	ECDHPublicKey    string     `json:"ecdh_public_key"`
	Gatekeeper       gatekeeper `json:"gatekeeper"`
	Clusters         uint64     `json:"number_of_clusters"`
	Contracts        uint64     `json:"number_of_contracts"`
	ConsensusVersion uint64     `json:"max_supported_consensus_version"`
	GenesisBlock     uint64     `json:"genesis_block"`
}

const pruntimeRevision = "6f2d1c7a3b904e58a1c0d9b7e6f5a4c3b2d1e0f9-20240201000000"

// digest is 64 hex digits that stand for something.
func digestOf(what string) string {
	sum := sha256.Sum256([]byte(what))
	return hex.EncodeToString(sum[:])
}

// showPhactory is what a pRuntime says of itself. The numbers are those of the blocks that it wants next.
func showPhactory(p *world.Pruntime) phactoryInfo {
	i := phactoryInfo{
		Score: p.Score(), Version: "2.2.0", GitRevision: pruntimeRevision,
		MemoryUsage:  memoryUsage{182_452_224, 301_989_888, 420_478_976, 1_520_435_200, 190_840_832},
		CanLoadState: p.Uninitialized, PinkVersion: "1.2", Attestations: []string{"none", "dcap"}, QueryTimeout: 10,
	}
	if p.Uninitialized {
		i.Score = 0
		return i
	}
	para, relay := p.Heights()
	genesis, key, ecdh := digestOf("genesis"), p.PublicKey, digestOf("ecdh"+p.PublicKey)
	i.Initialized, i.Registered, i.Genesis, i.PublicKey, i.ECDHPublicKey = true, p.Registered(), &genesis, &key, &ecdh
	i.HeaderNum, i.ParaHeaderNum, i.BlockNum = relay+1, para+1, para+1
	i.StateRoot = digestOf("state/" + strconv.FormatInt(para, 10))
	i.CurrentBlockTime = uint64(p.BlockTime().UnixMilli())
	i.System = &systemInfo{Registered: i.Registered, PublicKey: key, ECDHPublicKey: ecdh, Clusters: 1, Contracts: 41}
	return i
}

// pretty is JSON indented by two, as serde_json writes it for people.
func pretty(v any) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, marshal(v), "", "  "); err != nil {
		panic(err) // it was JSON a moment ago
	}
	return b.Bytes()
}
