package v3

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// decodeSession reads session_info, null while the worker is not registered or bound. ve, v and total_reward are 128-bit
// numbers, bare in the JSON: they are read digit by digit.
func decodeSession(raw []byte, w *fleet.WorkerStatus) {
	var s struct {
		State     prb.Text        `json:"state"`
		V         prb.Text        `json:"v"`
		Ve        prb.Text        `json:"ve"`
		Benchmark json.RawMessage `json:"benchmark"`
		Stats     json.RawMessage `json:"stats"`
	}
	if json.Unmarshal(raw, &s) != nil {
		return
	}
	var benchmark struct {
		PInit    prb.Int `json:"p_init"`
		PInstant prb.Int `json:"p_instant"`
	}
	var stats struct {
		TotalReward prb.Text `json:"total_reward"`
	}
	_ = json.Unmarshal(s.Benchmark, &benchmark)
	_ = json.Unmarshal(s.Stats, &stats)
	w.Session = prb.Redact(string(s.State))
	w.V, w.Ve = fixedPoint(string(s.V)), fixedPoint(string(s.Ve))
	w.PInit, w.PInstant = max(0, benchmark.PInit.Value), max(0, benchmark.PInstant.Value)
	if reward, err := fleet.ParseAmount(string(stats.TotalReward)); err == nil {
		w.TotalReward = reward
	}
}

// fixedPoint writes the bits of a U64F64 as a number with eight places; "" for what is none.
func fixedPoint(s string) string {
	bits, err := fleet.ParseAmount(s) // the same 128 bits
	if err != nil {
		return ""
	}
	n, _ := new(big.Int).SetString(bits.String(), 10)
	return new(big.Rat).SetFrac(n, new(big.Int).Lsh(big.NewInt(1), 64)).FloatString(8)
}

// yearsBack is how far the year of a stamp is looked for: February 29 may be eight years old.
const yearsBack = 8

// parseMessage splits last_message into text and time stamp. v3.2 writes "[MM-DD HH:MM:SS] text" in UTC without a year, the
// newest that is not ahead of now by more than a day; v3.0 a whole date with the zone of its machine, as Rust's chrono
// writes it. Without a stamp the text is all; a stamp without a zone is taken off, but tells no time.
func parseMessage(s string, now time.Time) (string, time.Time) {
	stamp, rest, ok := strings.Cut(s, "] ")
	if !ok || !strings.HasPrefix(stamp, "[") {
		return s, time.Time{}
	}
	stamp = strings.TrimSpace(stamp[1:])
	for _, layout := range []string{"2006-01-02 15:04:05.999999999 -07:00", time.RFC3339Nano} {
		if at, err := time.Parse(layout, stamp); err == nil && plausible(at) {
			return rest, at.UTC()
		}
	}
	if _, err := time.Parse("2006-01-02 15:04:05.999999999", stamp); err == nil {
		return rest, time.Time{}
	}
	if len(stamp) != len("01-02 15:04:05") {
		return s, time.Time{}
	}
	latest := now.Add(24 * time.Hour)
	for year := latest.Year(); year >= latest.Year()-yearsBack; year-- {
		at, err := time.Parse("2006-01-02 15:04:05", strconv.Itoa(year)+"-"+stamp)
		if err == nil && plausible(at) && !at.After(latest) {
			return rest, at
		}
	}
	return s, time.Time{}
}

// plausible keeps out what is no time of a bridge and what JSON could not write again.
func plausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 9000 }
