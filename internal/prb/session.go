package prb

import (
	"bytes"
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
	decodeInfo(parsers, human.Get("runtimeInfo"), w)
	raw := human.Get("raw")
	if w.Session = parsers.word(raw.Get("state")); w.Session == "" {
		w.Session = parsers.word(human.Get("state"))
	}
	w.V, w.Ve = fixedPoint(raw.Get("v"), human.Get("v")), fixedPoint(raw.Get("ve"), human.Get("ve"))
	exact, shown := raw.Get("benchmark"), human.Get("benchmark")
	w.PInit = count(exact.Get("pInit"), shown.Get("pInit"))
	w.PInstant = count(exact.Get("pInstant"), shown.Get("pInstant"))
	w.TotalReward = fleet.Amount{}
	if n, ok := raw.Get("stats").Get("totalReward").integer(); ok {
		w.TotalReward.SetUint128(n.hi, n.lo)
	}
}

// decodeInfo reads what the pRuntime said of itself (v2 since 2022-05), as old as the session. Its heights are left out: they
// are old, and those beside are not.
func decodeInfo(parsers *Parsers, info Value, w *fleet.WorkerStatus) {
	if w.Registered = info.Get("system").Get("registered").Bool(); w.Registered == nil {
		w.Registered = info.Get("registered").Bool()
	}
	w.Version, w.Revision = Redact(parsers.word(info.Get("version"))), Redact(parsers.word(info.Get("gitRevision")))
}

// u128 is a number of 128 bits.
type u128 struct{ hi, lo uint64 }

func (v Value) integer() (u128, bool) {
	var digits [40]byte
	return integer(v.written(digits[:0]))
}

// integer reads a whole number ≥ 0 of up to 128 bits, written in decimal or as 0x….
func integer(s []byte) (u128, bool) {
	hex, isHex := bytes.CutPrefix(s, []byte("0x"))
	switch {
	case isHex && len(hex) > 0 && len(hex) <= 40:
		return fromHex(hex)
	case len(s) == 0 || isHex || len(s) > 40:
		return u128{}, false
	}
	var n u128
	for _, c := range s {
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

func fromHex(digits []byte) (n u128, ok bool) {
	for _, c := range digits {
		var d byte
		switch {
		case c >= '0' && c <= '9':
			d = c - '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			d = c | 0x20 - 'a' + 10
		default:
			return u128{}, false
		}
		if n.hi>>60 != 0 {
			return u128{}, false // more than 128 bits
		}
		n.hi, n.lo = n.hi<<4|n.lo>>60, n.lo<<4|uint64(d)
	}
	return n, true
}

// fixedPoint writes the chain's U64F64 with eight places, as the bridge writes it for people; without a raw value the
// bridge's own text is taken when it is a number.
func fixedPoint(raw, human Value) string {
	if n, ok := raw.integer(); ok {
		return places(n)
	}
	s := strings.ReplaceAll(human.Text(), ",", "")
	if len(s) > 40 || strings.Trim(s, "0123456789.") != "" {
		return ""
	}
	return s
}

// places is n / 2⁶⁴, rounded half up to eight decimal places.
func places(n u128) string {
	const unit = 1e8
	part, rest := bits.Mul64(n.lo, unit)
	part, _ = bits.Add64(part, rest>>63, 0)
	whole, over := bits.Add64(n.hi, part/unit, 0)
	out := make([]byte, 0, 32)
	if over == 1 {
		out = append(out, "18446744073709551616"...)
	} else {
		out = strconv.AppendUint(out, whole, 10)
	}
	at := len(out)
	out = strconv.AppendUint(out, unit+part%unit, 10)
	out[at] = '.' // in place of the unit's 1
	return string(out)
}

func count(raw, human Value) int64 {
	n, ok := raw.integer()
	if !ok {
		n, ok = integer(bytes.ReplaceAll(human.written(nil), []byte(","), nil))
	}
	if !ok || n.hi != 0 || n.lo > math.MaxInt64 {
		return 0
	}
	return int64(n.lo)
}
