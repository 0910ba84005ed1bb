package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"phalops/internal/sim/world"
)

// benchmark and session come twice: as people read them (text), and raw.
type v2Benchmark[N any] struct {
	PInit        N `json:"pInit"`
	PInstant     N `json:"pInstant"`
	Iterations   N `json:"iterations"`
	WorkingStart N `json:"workingStartTime"`
	Challenge    N `json:"challengeTimeLast"`
}

type v2Stats[N any] struct {
	TotalReward N `json:"totalReward"`
}

type v2SessionPart[N any] struct {
	State         string         `json:"state"`
	Ve            string         `json:"ve"`
	V             string         `json:"v"`
	UpdatedAt     N              `json:"vUpdatedAt"`
	Benchmark     v2Benchmark[N] `json:"benchmark"`
	CoolDownStart N              `json:"coolDownStart"`
	Stats         v2Stats[N]     `json:"stats"`
}

type v2Session struct {
	v2SessionPart[string]
	Raw     v2SessionPart[uint64] `json:"raw"`
	Runtime v2Runtime             `json:"runtimeInfo"`
}

type v2Runtime struct {
	Initialized      bool         `json:"initialized"`
	Registered       bool         `json:"registered"`
	Genesis          string       `json:"genesisBlockHash"`
	PublicKey        string       `json:"publicKey"`
	ECDHPublicKey    string       `json:"ecdhPublicKey"`
	HeaderNum        int64        `json:"headernum"`
	ParaHeaderNum    int64        `json:"paraHeadernum"`
	BlockNum         int64        `json:"blocknum"`
	StateRoot        string       `json:"stateRoot"`
	DevMode          bool         `json:"devMode"`
	PendingMessages  int          `json:"pendingMessages"`
	Score            uint64       `json:"score"`
	Gatekeeper       v2Gatekeeper `json:"gatekeeper"`
	Version          string       `json:"version"`
	GitRevision      string       `json:"gitRevision"`
	RunningSideTasks int          `json:"runningSideTasks"`
	MemoryUsage      v2Memory     `json:"memoryUsage"`
	NumberOfClusters int          `json:"numberOfClusters"`
	Waiting          bool         `json:"waitingForParaheaders"`
}

type v2Gatekeeper struct {
	Role      string `json:"role"`
	MasterKey string `json:"masterPublicKey"`
}

type v2Memory struct {
	Used      int `json:"rustUsed"`
	PeakUsed  int `json:"rustPeakUsed"`
	TotalPeak int `json:"totalPeakUsed"`
}

// showSession is sessionInfoJson: JSON text, indented by two.
func showSession(c *world.Context) string {
	s, known := c.Session()
	if !known {
		return "{\n  \"runtimeInfo\": {}\n}"
	}
	raw := v2SessionPart[uint64]{
		State: s.State, Ve: fixedHex(s.Ve), V: fixedHex(s.V), UpdatedAt: uint64(s.UpdatedAt.Unix()),
		Benchmark: v2Benchmark[uint64]{s.PInit, s.PInstant, s.Iterations, uint64(s.WorkingStart.Unix()), uint64(s.ChallengeLast.Unix())},
		Stats:     v2Stats[uint64]{s.TotalReward},
	}
	b := raw.Benchmark
	human := v2SessionPart[string]{
		State: s.State, Ve: fixedText(s.Ve), V: fixedText(s.V), UpdatedAt: commas(raw.UpdatedAt),
		Benchmark:     v2Benchmark[string]{commas(b.PInit), commas(b.PInstant), commas(b.Iterations), commas(b.WorkingStart), commas(b.Challenge)},
		CoolDownStart: "0", Stats: v2Stats[string]{balance(s.TotalReward)},
	}
	var out bytes.Buffer
	if err := json.Indent(&out, marshal(v2Session{human, raw, showRuntime(c, s)}), "", "  "); err != nil {
		panic(err) // it was JSON a moment ago
	}
	return out.String()
}

func showRuntime(c *world.Context, s world.Session) v2Runtime {
	p := c.Pruntime()
	of := func(what string) string {
		sum := sha256.Sum256([]byte(what))
		return hex.EncodeToString(sum[:])
	}
	return v2Runtime{
		Initialized: true, Registered: true, Genesis: of("genesis"), PublicKey: p.PublicKey, ECDHPublicKey: of("ecdh" + p.PublicKey),
		HeaderNum: s.RelayHeader, ParaHeaderNum: s.ParaNum, BlockNum: s.ParaNum, StateRoot: of("state/" + strconv.FormatInt(s.ParaNum, 10)),
		Score: s.PInit, Gatekeeper: v2Gatekeeper{Role: "None"}, Version: "2.0.1", GitRevision: of("revision")[:40],
		MemoryUsage: v2Memory{81_234_567, 123_456_789, 234_567_890},
	}
}

// fixed is the chain's 64.64 fixed-point number.
func fixed(f float64) *big.Int {
	n, _ := new(big.Float).SetMantExp(big.NewFloat(f), 64).Int(nil)
	return n
}

func fixedHex(f float64) string { return fmt.Sprintf("0x%032x", fixed(f)) }

// fixedText has 8 decimal places, the rest cut off.
func fixedText(f float64) string {
	n := fixed(f)
	n.Mul(n, big.NewInt(100_000_000)).Rsh(n, 64)
	digits := fmt.Sprintf("%09d", n)
	return digits[:len(digits)-8] + "." + digits[len(digits)-8:]
}

// commas is 1234567 as 1,234,567.
func commas(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var parts []string
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		parts = append(parts, digits[len(digits)-3:])
	}
	parts = append(parts, digits)
	slices.Reverse(parts)
	return strings.Join(parts, ",")
}

// balance is a truncated amount with a unit, as the bridge shows it: 12.3456 PHA, 1.2345 kPHA.
func balance(n uint64) string {
	unit := ""
	for _, u := range []string{"k", "M"} {
		if n >= 1e15 {
			n, unit = n/1000, u
		}
	}
	return fmt.Sprintf("%s.%04d %sPHA", commas(n/1e12), n%1e12/1e8, unit)
}
