// The records of v0 and v2 have one origin (runtime-bridge-proto) and are read in one place.

package prb

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// DecodePools reads a list of pools. A record without a uuid is left out, and keys are left behind.
func DecodePools(list []json.RawMessage) []fleet.Pool {
	var pools []fleet.Pool
	for _, raw := range list {
		var p struct { // polkadotJson and mnemonic are left behind here
			UUID    Text            `json:"uuid"`
			PID     Text            `json:"pid"`
			Name    Text            `json:"name"`
			Enabled Flag            `json:"enabled"`
			Sync    Flag            `json:"syncOnly"`
			Proxied Text            `json:"realPhalaSs58"`
			Owner   json.RawMessage `json:"owner"`
		}
		var owner struct {
			SS58 Text `json:"ss58Phala"`
		}
		if json.Unmarshal(raw, &p) != nil || p.UUID == "" {
			continue
		}
		_ = json.Unmarshal(p.Owner, &owner)
		pools = append(pools, fleet.Pool{
			ID: string(p.UUID), PID: poolID(p.PID), Name: string(p.Name), Enabled: bool(p.Enabled), SyncOnly: bool(p.Sync),
			Operator: string(owner.SS58), Proxied: string(p.Proxied),
		})
	}
	return pools
}

// poolID reads a pid; the bridge stores what is no number as 0.
func poolID(t Text) uint64 {
	n, _ := strconv.ParseUint(string(t), 10, 64)
	return n
}

type workerRecord struct {
	UUID     Text `json:"uuid"`
	PID      Text `json:"pid"`
	Name     Text `json:"name"`
	Endpoint Text `json:"endpoint"`
	Enabled  Flag `json:"enabled"`
	Stake    Text `json:"stake"`
	Sync     Flag `json:"syncOnly"`
}

// DecodeWorkers reads the inventory and counts each pool's workers. A worker is sync-only when it or its pool says so. A
// record without a uuid, or with one that came before, is left out.
func DecodeWorkers(list []json.RawMessage, pools []fleet.Pool) []fleet.WorkerStatus {
	byPID := make(map[uint64]*fleet.Pool, len(pools))
	for i := range pools {
		byPID[pools[i].PID] = &pools[i]
	}
	seen := make(map[Text]bool, len(list))
	var workers []fleet.WorkerStatus
	for _, raw := range list {
		var r workerRecord
		if json.Unmarshal(raw, &r) != nil || r.UUID == "" || seen[r.UUID] {
			continue
		}
		seen[r.UUID] = true
		w := fleet.WorkerStatus{
			ID: string(r.UUID), Name: string(r.Name), PID: poolID(r.PID), Endpoint: string(r.Endpoint),
			Enabled: bool(r.Enabled), SyncOnly: bool(r.Sync),
		}
		if stake, err := fleet.ParseAmount(string(r.Stake)); err == nil {
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

// DecodeState reads one running context; false when there is none in it: no worker with a uuid. It knows the field names of every walkie version; they depend on the monitor's, not on the bridge's.
func DecodeState(raw json.RawMessage) (fleet.WorkerStatus, bool) {
	var s struct {
		Status     Text            `json:"status"`
		Relay      Int             `json:"parentHeaderSynchedTo"`
		ParaHeader Int             `json:"paraHeaderSynchedTo"`
		Para       Int             `json:"paraBlockDispatchedTo"`
		Init       OptBool         `json:"initialized"`
		Worker     json.RawMessage `json:"worker"`
		PublicKey  Text            `json:"publicKey"`
		Message    Text            `json:"lastMessage"`
		Session131 Text            `json:"sessionInfoJson"` // walkie 1.3.1
		Session130 Text            `json:"workerInfoJson"`  // 1.3.0
		Session128 Text            `json:"minerInfoJson"`   // until 1.2.8
	}
	var record workerRecord
	if json.Unmarshal(raw, &s) != nil || json.Unmarshal(s.Worker, &record) != nil || record.UUID == "" {
		return fleet.WorkerStatus{}, false
	}
	w := fleet.WorkerStatus{
		ID: string(record.UUID), Running: true, State: Redact(string(s.Status)), Initialized: s.Init.Value,
		PublicKey: publicKey(s.PublicKey), Relay: s.Relay.Height(), ParaHeader: s.ParaHeader.Height(), Para: s.Para.Height(),
	}
	w.Message, w.MessageAt = parseMessage(string(s.Message))
	w.Message = Redact(w.Message)
	for _, session := range []Text{s.Session131, s.Session130, s.Session128} {
		if session != "" {
			decodeSession([]byte(session), &w)
			break
		}
	}
	return w, true
}

// publicKey is 64 hex digits in lower case, or "".
func publicKey(t Text) string {
	k := strings.ToLower(strings.TrimPrefix(string(t), "0x"))
	if len(k) != 64 || strings.Trim(k, "0123456789abcdef") != "" {
		return ""
	}
	return k
}

// parseMessage splits lastMessage into Text and time stamp: "<epoch ms> - <Text>" before 2022-05-31, since then
// "[<RFC 3339>] <Text>" (runtime-bridge a7bac11). Without a stamp the Text is all.
func parseMessage(s string) (string, time.Time) {
	if stamp, rest, ok := strings.Cut(s, "] "); ok && strings.HasPrefix(stamp, "[") {
		if at, err := time.Parse(time.RFC3339, stamp[1:]); err == nil && plausible(at) {
			return rest, at.UTC()
		}
	}
	if stamp, rest, ok := strings.Cut(s, " - "); ok && len(stamp) >= 12 && len(stamp) <= 14 {
		if ms, err := strconv.ParseUint(stamp, 10, 63); err == nil && plausible(time.UnixMilli(int64(ms))) {
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
	byID := make(map[string]fleet.WorkerStatus, len(states))
	for _, s := range states {
		byID[s.ID] = s
	}
	for i, w := range workers {
		s, ok := byID[w.ID]
		if !ok {
			continue
		}
		s.ID, s.Name, s.PID, s.Endpoint = w.ID, w.Name, w.PID, w.Endpoint
		s.Stake, s.StakeOK, s.Enabled, s.SyncOnly = w.Stake, w.StakeOK, w.Enabled, w.SyncOnly
		workers[i] = s
	}
}
