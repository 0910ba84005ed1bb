// The records of v0 and v2 have one origin (runtime-bridge-proto) and are read in one place.

package prb

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// DecodePools reads a list of pools. A record without a uuid is left out, and keys are left behind.
func DecodePools(list []Value) []fleet.Pool {
	var pools []fleet.Pool
	for _, p := range list {
		id := p.Get("uuid").Text()
		if id == "" {
			continue
		}
		pools = append(pools, fleet.Pool{ // polkadotJson and mnemonic are left behind here
			ID: id, PID: poolID(p), Name: p.Get("name").Text(), Enabled: p.Get("enabled").Flag(), SyncOnly: p.Get("syncOnly").Flag(),
			Operator: p.Get("owner").Get("ss58Phala").Text(), Proxied: p.Get("realPhalaSs58").Text(),
		})
	}
	return pools
}

// poolID reads a pid; the bridge stores what is no number as 0.
func poolID(record Value) uint64 {
	n, _ := strconv.ParseUint(record.Get("pid").Text(), 10, 64)
	return n
}

// DecodeWorkers reads the inventory and counts each pool's workers. A worker is sync-only when it or its pool says so. A
// record without a uuid, or with one that came before, is left out.
func DecodeWorkers(list []Value, pools []fleet.Pool) []fleet.WorkerStatus {
	byPID := make(map[uint64]*fleet.Pool, len(pools))
	for i := range pools {
		byPID[pools[i].PID] = &pools[i]
	}
	seen := make(map[string]bool, len(list))
	workers := make([]fleet.WorkerStatus, 0, len(list))
	for _, r := range list {
		id := r.Get("uuid").Text()
		if id == "" || seen[id] {
			continue
		}
		seen[id] = true
		w := fleet.WorkerStatus{
			ID: id, Name: r.Get("name").Text(), PID: poolID(r), Endpoint: r.Get("endpoint").Text(),
			Enabled: r.Get("enabled").Flag(), SyncOnly: r.Get("syncOnly").Flag(),
		}
		if stake, err := fleet.ParseAmount(r.Get("stake").Text()); err == nil {
			w.Stake, w.StakeOK = stake, true
		}
		if p := byPID[w.PID]; p != nil {
			p.Workers++
			w.SyncOnly = w.SyncOnly || p.SyncOnly
		}
		workers = append(workers, w)
	}
	return workers
}

// DecodeState reads one running context; false when there is none in it: no worker with a uuid. It knows the field names of
// every walkie version; they depend on the monitor's, not on the bridge's.
func DecodeState(parsers *Parsers, s Value) (fleet.WorkerStatus, bool) {
	w := fleet.WorkerStatus{ID: s.Get("worker").Get("uuid").Text()}
	if w.ID == "" {
		return w, false
	}
	decodeState(parsers, s, &w)
	return w, true
}

// decodeState fills in what one running context says. PublicKey may hold the key that is expected: the same text again is the same
// memory.
func decodeState(parsers *Parsers, s Value, w *fleet.WorkerStatus) {
	w.Running, w.Initialized = true, s.Get("initialized").Bool()
	w.State = Redact(parsers.word(s.Get("status")))
	w.PublicKey = publicKey(s.Get("publicKey").bytes(), w.PublicKey)
	w.Relay, w.ParaHeader, w.Para = s.Get("parentHeaderSynchedTo").Height(), s.Get("paraHeaderSynchedTo").Height(), s.Get("paraBlockDispatchedTo").Height()
	message, at := parseMessage(s.Get("lastMessage").written(nil))
	w.Message, w.MessageAt = Redact(parsers.words.of(message)), at
	for _, name := range [...]string{"sessionInfoJson", "workerInfoJson", "minerInfoJson"} { // walkie 1.3.1, 1.3.0, until 1.2.8
		if session := s.Get(name).bytes(); len(session) > 0 {
			decodeSession(parsers, session, w)
			break
		}
	}
}

// publicKey is 64 hex digits in lower case, or "". A key that is the expected one is that text itself.
func publicKey(t []byte, expected string) string {
	t = bytes.TrimPrefix(t, []byte("0x"))
	switch {
	case len(t) != 64:
		return ""
	case string(t) == expected:
		return expected
	}
	k := strings.ToLower(string(t))
	if strings.Trim(k, "0123456789abcdef") != "" {
		return ""
	}
	return k
}

// parseMessage splits lastMessage into text and time stamp: "<epoch ms> - <text>" before 2022-05-31, since then
// "[<RFC 3339>] <text>" (runtime-bridge a7bac11). Without a stamp the text is all. The text is a part of s.
func parseMessage(s []byte) ([]byte, time.Time) {
	if stamp, rest, ok := bytes.Cut(s, []byte("] ")); ok && bytes.HasPrefix(stamp, []byte("[")) {
		if at, err := time.Parse(time.RFC3339, string(stamp[1:])); err == nil && plausible(at) {
			return rest, at.UTC()
		}
	}
	if stamp, rest, ok := bytes.Cut(s, []byte(" - ")); ok && len(stamp) >= 12 && len(stamp) <= 14 {
		if ms, err := strconv.ParseUint(string(stamp), 10, 63); err == nil && plausible(time.UnixMilli(int64(ms))) {
			return rest, time.UnixMilli(int64(ms)).UTC()
		}
	}
	return s, time.Time{}
}

// plausible keeps out what is no time of a bridge and what JSON could not write again.
func plausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 9000 }

// Join adds the running state to the inventory. States come in any order and may belong to workers that were deleted while
// their context runs on; those are not ours to treat.
func Join(workers, states []fleet.WorkerStatus) {
	byID := make(map[string]int, len(states))
	for i := range states {
		byID[states[i].ID] = i
	}
	for i := range workers {
		w := &workers[i]
		at, ok := byID[w.ID]
		if !ok {
			continue
		}
		s := states[at]
		s.ID, s.Name, s.PID, s.Endpoint = w.ID, w.Name, w.PID, w.Endpoint
		s.Stake, s.StakeOK, s.Enabled, s.SyncOnly = w.Stake, w.StakeOK, w.Enabled, w.SyncOnly
		*w = s
	}
}
