package prb

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
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
	if n, ok := integer(raw.Get("stats").Get("totalReward").Text()); ok {
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

// u128 is a number of 128 bits.
type u128 struct{ hi, lo uint64 }

// integer reads a whole number ≥ 0 of up to 128 bits, written in decimal or as 0x….
func integer(s string) (u128, bool) {
	hex, isHex := strings.CutPrefix(s, "0x")
	switch {
	case isHex && hex != "" && len(hex) <= 40:
		return fromHex(strings.TrimLeft(hex, "0"))
	case s == "" || isHex || len(s) > 40:
		return u128{}, false
	}
	var n u128
	for _, c := range []byte(s) {
		over, hi := bits.Mul64(n.hi, 10)
		carry, lo := bits.Mul64(n.lo, 10)
		lo, c1 := bits.Add64(lo, uint64(c-'0'), 0)
		hi, c2 := bits.Add64(hi, carry, c1)
		if c < '0' || c > '9' || over != 0 || c2 != 0 {
			return u128{}, false
		}
		n = u128{hi, lo}
	}
	return n, true
}

func fromHex(digits string) (n u128, ok bool) {
	if len(digits) > 32 || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return n, false
	}
	if cut := len(digits) - 16; cut > 0 {
		n.hi, _ = strconv.ParseUint(digits[:cut], 16, 64)
		digits = digits[cut:]
	}
	n.lo, _ = strconv.ParseUint(digits, 16, 64) // "" is 0
	return n, true
}

// String is the number in decimal.
func (n u128) String() string {
	if n.hi == 0 {
		return strconv.FormatUint(n.lo, 10)
	}
	const chunk = 1e19
	top, rest := bits.Div64(n.hi%chunk, n.lo, chunk)
	head := u128{n.hi / chunk, top}
	return head.String() + fmt.Sprintf("%019d", rest)
}

// fixedPoint writes the chain's U64F64 with eight places, as the bridge writes it for people; without a raw value the
// bridge's own text is taken when it is a number.
func fixedPoint(raw, human string) string {
	if n, ok := integer(raw); ok {
		places, rest := bits.Mul64(n.lo, 1e8) // the fraction is lo / 2⁶⁴
		places, over := bits.Add64(places, rest>>63, 0)
		whole, _ := bits.Add64(n.hi, places/1e8, over)
		text := strconv.FormatUint(whole, 10)
		if whole < n.hi {
			text = "18446744073709551616"
		}
		digits := strconv.FormatUint(1e8+places%1e8, 10)
		return text + "." + digits[1:]
	}
	s := strings.ReplaceAll(human, ",", "")
	if len(s) > 40 || strings.Trim(s, "0123456789.") != "" {
		return ""
	}
	return s
}

func count(raw, human string) int64 {
	n, ok := integer(raw)
	if !ok {
		n, ok = integer(strings.ReplaceAll(human, ",", ""))
	}
	if !ok || n.hi != 0 || n.lo > math.MaxInt64 {
		return 0
	}
	return int64(n.lo)
}
