package v2

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// The lenient field types never fail: a field of another type than expected is an unknown field, not an unreadable worker.

// text takes a string, and a number as it is written; everything else is "".
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	switch {
	case json.Unmarshal(raw, &s) == nil:
		*t = text(s)
	case raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'):
		*t = text(raw)
	}
	return nil
}

// onlyTrue is true for true only, as absent is false to the servers.
type onlyTrue bool

func (f *onlyTrue) UnmarshalJSON(raw []byte) error {
	*f = string(raw) == "true"
	return nil
}

// optBool is nil unless it is true or false.
type optBool struct{ value *bool }

func (b *optBool) UnmarshalJSON(raw []byte) error {
	var v *bool
	if json.Unmarshal(raw, &v) == nil {
		b.value = v
	}
	return nil
}

// optInt takes a number or the same as a string.
type optInt struct {
	value int64
	known bool
}

func (n *optInt) UnmarshalJSON(raw []byte) error {
	var t text
	_ = t.UnmarshalJSON(raw)
	s := string(t)
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		*n = optInt{v, true}
	} else if f, err := strconv.ParseFloat(s, 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		*n = optInt{int64(f), true} // 1e3 and 1.0 are numbers, too
	}
	return nil
}

func (n optInt) height() fleet.Height { return fleet.Height{Value: n.value, Known: n.known} }

// decodeList finds a list in data. An empty one is absent.
func decodeList(data json.RawMessage, key string) ([]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	var list []json.RawMessage
	err := json.Unmarshal(data, &fields)
	if err == nil && fields[key] != nil {
		err = json.Unmarshal(fields[key], &list)
	}
	if err != nil || fields == nil {
		return nil, fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.bad_data", "what", key), err)
	}
	return list, nil
}

func decodePools(data json.RawMessage) ([]fleet.Pool, error) {
	list, err := decodeList(data, "pools")
	if err != nil {
		return nil, err
	}
	var pools []fleet.Pool
	for _, raw := range list {
		var p struct { // polkadotJson and mnemonic are left behind here
			UUID    text            `json:"uuid"`
			PID     text            `json:"pid"`
			Name    text            `json:"name"`
			Enabled onlyTrue        `json:"enabled"`
			Sync    onlyTrue        `json:"syncOnly"`
			Proxied text            `json:"realPhalaSs58"`
			Owner   json.RawMessage `json:"owner"`
		}
		var owner struct {
			SS58 text `json:"ss58Phala"`
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
	return pools, nil
}

// poolID reads a pid; the bridge stores what is no number as 0.
func poolID(t text) uint64 {
	n, _ := strconv.ParseUint(string(t), 10, 64)
	return n
}

type workerRecord struct {
	UUID     text     `json:"uuid"`
	PID      text     `json:"pid"`
	Name     text     `json:"name"`
	Endpoint text     `json:"endpoint"`
	Enabled  onlyTrue `json:"enabled"`
	Stake    text     `json:"stake"`
	Sync     onlyTrue `json:"syncOnly"`
}

// decodeWorkers reads the inventory and counts each pool's workers. A worker is sync-only when it or its pool says so.
func decodeWorkers(data json.RawMessage, pools []fleet.Pool) ([]fleet.WorkerStatus, error) {
	list, err := decodeList(data, "workers")
	if err != nil {
		return nil, err
	}
	byPID := make(map[uint64]*fleet.Pool, len(pools))
	for i := range pools {
		byPID[pools[i].PID] = &pools[i]
	}
	seen := make(map[text]bool, len(list))
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
	return workers, nil
}

// decodeStates reads running contexts. They come in any order: the uuid inside says whose they are, and one without it is
// nobody's.
func decodeStates(data json.RawMessage) ([]fleet.WorkerStatus, error) {
	list, err := decodeList(data, "workerStates")
	if err != nil {
		return nil, err
	}
	var states []fleet.WorkerStatus
	for _, raw := range list {
		if s, ok := decodeState(raw); ok {
			states = append(states, s)
		}
	}
	return states, nil
}

// decodeState knows the field names of every walkie version; they depend on the monitor's, not on the bridge's.
func decodeState(raw json.RawMessage) (fleet.WorkerStatus, bool) {
	var s struct {
		Status     text            `json:"status"`
		Relay      optInt          `json:"parentHeaderSynchedTo"`
		ParaHeader optInt          `json:"paraHeaderSynchedTo"`
		Para       optInt          `json:"paraBlockDispatchedTo"`
		Init       optBool         `json:"initialized"`
		Worker     json.RawMessage `json:"worker"`
		PublicKey  text            `json:"publicKey"`
		Message    text            `json:"lastMessage"`
		Session131 text            `json:"sessionInfoJson"` // walkie 1.3.1
		Session130 text            `json:"workerInfoJson"`  // 1.3.0
		Session128 text            `json:"minerInfoJson"`   // until 1.2.8
	}
	var record workerRecord
	if json.Unmarshal(raw, &s) != nil || json.Unmarshal(s.Worker, &record) != nil || record.UUID == "" {
		return fleet.WorkerStatus{}, false
	}
	w := fleet.WorkerStatus{
		ID: string(record.UUID), Running: true, State: prb.Redact(string(s.Status)), Initialized: s.Init.value,
		PublicKey: publicKey(s.PublicKey), Relay: s.Relay.height(), ParaHeader: s.ParaHeader.height(), Para: s.Para.height(),
	}
	w.Message, w.MessageAt = parseMessage(string(s.Message))
	w.Message = prb.Redact(w.Message)
	for _, session := range []text{s.Session131, s.Session130, s.Session128} {
		if session != "" {
			decodeSession([]byte(session), &w)
			break
		}
	}
	return w, true
}

// publicKey is 64 hex digits in lower case, or "".
func publicKey(t text) string {
	k := strings.ToLower(strings.TrimPrefix(string(t), "0x"))
	if len(k) != 64 || strings.Trim(k, "0123456789abcdef") != "" {
		return ""
	}
	return k
}

// parseMessage splits lastMessage into text and time stamp: "<epoch ms> - <text>" before 2022-05-31, since then
// "[<RFC 3339>] <text>" (runtime-bridge a7bac11). Without a stamp the text is all.
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

func decodeProvider(data json.RawMessage, s *fleet.DataProviderStatus) error {
	var info *struct {
		Status        text   `json:"status"`
		ParentTarget  optInt `json:"parentTarget"`
		ParentFetched optInt `json:"parentFetchedHeight"`
		Parent        optInt `json:"parentProcessedHeight"`
		ParaTarget    optInt `json:"paraTarget"`
		ParaFetched   optInt `json:"paraFetchedHeight"`
		Para          optInt `json:"paraProcessedHeight"`
	}
	if err := json.Unmarshal(data, &info); err != nil || info == nil {
		return fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.bad_data", "what", "GetDataProviderInfo"), err)
	}
	s.Status = prb.Redact(string(info.Status))
	s.ParentTarget, s.ParentFetched, s.Parent = info.ParentTarget.height(), info.ParentFetched.height(), info.Parent.height()
	s.ParaTarget, s.ParaFetched, s.Para = info.ParaTarget.height(), info.ParaFetched.height(), info.Para.height()
	return nil
}
