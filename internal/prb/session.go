package prb

import (
	"encoding/json"
	"math/big"
	"strings"

	"phalops/internal/fleet"
)

// session is what the bridge relays of the chain's record. Beside the values for people there is `raw`, with exact ones:
// numbers, or hex Text where JavaScript's numbers end.
type session struct {
	State     Text           `json:"state"`
	V         Text           `json:"v"`
	Ve        Text           `json:"ve"`
	Benchmark sessionScore   `json:"benchmark"`
	Stats     sessionRewards `json:"stats"`
}

type sessionScore struct {
	PInit    Text `json:"pInit"`
	PInstant Text `json:"pInstant"`
}

type sessionRewards struct {
	TotalReward Text `json:"totalReward"`
}

func (s *sessionScore) UnmarshalJSON(raw []byte) error {
	type plain sessionScore
	_ = json.Unmarshal(raw, (*plain)(s))
	return nil
}

func (s *sessionRewards) UnmarshalJSON(raw []byte) error {
	type plain sessionRewards
	_ = json.Unmarshal(raw, (*plain)(s))
	return nil
}

// decodeSession fills in what the session Text says; a Text that is no JSON says nothing.
func decodeSession(body []byte, w *fleet.WorkerStatus) {
	var human struct {
		session
		Raw  json.RawMessage `json:"raw"`
		Info json.RawMessage `json:"runtimeInfo"` // v2 since 2022-05: the pRuntime's own words, as old as the session
	}
	if json.Unmarshal(body, &human) != nil {
		return
	}
	decodeInfo(human.Info, w)
	var raw session
	_ = json.Unmarshal(human.Raw, &raw)
	w.Session = string(raw.State)
	if w.Session == "" {
		w.Session = string(human.State)
	}
	w.V, w.Ve = fixedPoint(raw.V, human.V), fixedPoint(raw.Ve, human.Ve)
	w.PInit = count(raw.Benchmark.PInit, human.Benchmark.PInit)
	w.PInstant = count(raw.Benchmark.PInstant, human.Benchmark.PInstant)
	if n := integer(raw.Stats.TotalReward); n != nil {
		if reward, err := fleet.ParseAmount(n.String()); err == nil {
			w.TotalReward = reward
		}
	}
}

// decodeInfo reads what the pRuntime said of itself. Its heights are left out: they are old, and those beside are not.
func decodeInfo(body []byte, w *fleet.WorkerStatus) {
	var info struct {
		Registered OptBool         `json:"registered"`
		Version    Text            `json:"version"`
		Revision   Text            `json:"gitRevision"`
		System     json.RawMessage `json:"system"`
	}
	var system struct {
		Registered OptBool `json:"registered"`
	}
	_ = json.Unmarshal(body, &info)
	_ = json.Unmarshal(info.System, &system)
	if w.Registered = system.Registered.Value; w.Registered == nil {
		w.Registered = info.Registered.Value
	}
	w.Version, w.Revision = Redact(string(info.Version)), Redact(string(info.Revision))
}

// integer reads a whole number ≥ 0 of up to 128 bits, written in decimal or as 0x….
func integer(t Text) *big.Int {
	s, base := string(t), 10
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = hex, 16
	}
	if s == "" || len(s) > 40 || s[0] == '+' || strings.Contains(s, "_") {
		return nil
	}
	n, ok := new(big.Int).SetString(s, base)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return nil
	}
	return n
}

// fixedPoint writes the chain's U64F64 with eight places, as the bridge writes it for people; without a raw value the
// bridge's own Text is taken when it is a number.
func fixedPoint(raw, human Text) string {
	if n := integer(raw); n != nil {
		return new(big.Rat).SetFrac(n, new(big.Int).Lsh(big.NewInt(1), 64)).FloatString(8)
	}
	s := strings.ReplaceAll(string(human), ",", "")
	if len(s) > 40 || strings.Trim(s, "0123456789.") != "" {
		return ""
	}
	return s
}

func count(raw, human Text) int64 {
	n := integer(raw)
	if n == nil {
		n = integer(Text(strings.ReplaceAll(string(human), ",", "")))
	}
	if n == nil || !n.IsInt64() {
		return 0
	}
	return n.Int64()
}
