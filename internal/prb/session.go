package prb

import (
	"math/big"
	"strings"

	"phalops/internal/fleet"
)

// decodeSession fills in what the session text says: what the bridge relays of the chain's record. Beside the values for
// people there is `raw`, with exact ones: numbers, or hex text where JavaScript's numbers end. A text that is no JSON says
// nothing.
func decodeSession(parsers *Parsers, text []byte, w *fleet.WorkerStatus) {
	human, err := parsers.Parse(text)
	if err != nil {
		return
	}
	defer human.Free()
	decodeInfo(human.Get("runtimeInfo"), w)
	raw := human.Get("raw")
	if w.Session = raw.Get("state").Text(); w.Session == "" {
		w.Session = human.Get("state").Text()
	}
	w.V, w.Ve = fixedPoint(raw.Get("v").Text(), human.Get("v").Text()), fixedPoint(raw.Get("ve").Text(), human.Get("ve").Text())
	exact, shown := raw.Get("benchmark"), human.Get("benchmark")
	w.PInit = count(exact.Get("pInit").Text(), shown.Get("pInit").Text())
	w.PInstant = count(exact.Get("pInstant").Text(), shown.Get("pInstant").Text())
	if n := integer(raw.Get("stats").Get("totalReward").Text()); n != nil {
		if reward, err := fleet.ParseAmount(n.String()); err == nil {
			w.TotalReward = reward
		}
	}
}

// decodeInfo reads what the pRuntime said of itself (v2 since 2022-05), as old as the session. Its heights are left out: they
// are old, and those beside are not.
func decodeInfo(info Value, w *fleet.WorkerStatus) {
	if w.Registered = info.Get("system").Get("registered").Bool(); w.Registered == nil {
		w.Registered = info.Get("registered").Bool()
	}
	w.Version, w.Revision = Redact(info.Get("version").Text()), Redact(info.Get("gitRevision").Text())
}

// integer reads a whole number ≥ 0 of up to 128 bits, written in decimal or as 0x….
func integer(s string) *big.Int {
	base := 10
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
func fixedPoint(raw, human string) string {
	if n := integer(raw); n != nil {
		return new(big.Rat).SetFrac(n, new(big.Int).Lsh(big.NewInt(1), 64)).FloatString(8)
	}
	s := strings.ReplaceAll(human, ",", "")
	if len(s) > 40 || strings.Trim(s, "0123456789.") != "" {
		return ""
	}
	return s
}

func count(raw, human string) int64 {
	n := integer(raw)
	if n == nil {
		n = integer(strings.ReplaceAll(human, ",", ""))
	}
	if n == nil || !n.IsInt64() {
		return 0
	}
	return n.Int64()
}
