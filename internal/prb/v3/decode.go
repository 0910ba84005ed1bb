package v3

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// Pool is a pool's record.
type Pool struct {
	ID       string // uuid
	PID      uint64
	Name     string
	Enabled  bool // has no effect at run time
	SyncOnly bool
	Workers  []Worker
}

// Worker is a worker's record.
type Worker struct {
	ID         string // uuid
	Name       string
	Endpoint   string
	Stake      fleet.Amount
	StakeOK    bool   // false: what is stored is not a number; prb-wm's own UpdateWorker takes any text
	PID        uint64 // 0 when not Pooled
	Pooled     bool   // it hangs on a pool
	Enabled    bool
	SyncOnly   bool // the worker's own flag
	Gatekeeper bool
}

// Spec is the record as it would be written.
func (w Worker) Spec() WorkerSpec {
	return WorkerSpec{
		Name: w.Name, Endpoint: w.Endpoint, Stake: w.Stake, PID: w.PID,
		Enabled: w.Enabled, SyncOnly: w.SyncOnly, Gatekeeper: w.Gatekeeper,
	}
}

func (w Worker) status() fleet.WorkerStatus {
	return fleet.WorkerStatus{
		ID: w.ID, Name: w.Name, PID: w.PID, Endpoint: w.Endpoint,
		Stake: w.Stake, StakeOK: w.StakeOK, Enabled: w.Enabled, SyncOnly: w.SyncOnly, Gatekeeper: w.Gatekeeper,
	}
}

// Context is what prb-wm tells of a worker that it runs.
//
// State is its own word. With HasError, Message is the text of the error, which last_message need not repeat; MessageAt
// then is known only when it does. Heights are the last ones that the pRuntime has, as in v2: prb-wm tells the next ones
// that it wants. Session is the chain's own state, and it is needed: v3.2 says Working for cooling and unresponsive
// sessions, too.
type Context struct {
	fleet.WorkerStatus
	LastMessage string // without its time stamp, in every state
	Pooled      bool   // its record hangs on a pool
}

// The states of a worker (worker.rs). HasError carries a text.
const (
	stateRestarting        = "Restarting"
	stateWorking           = "Working"
	stateGatekeeperWorking = "GatekeeperWorking" // v3.0
	stateDisabled          = "Disabled"          // v3.2
	stateHasError          = "HasError"
)

type workerRecord struct {
	ID         prb.Text `json:"id"`
	Name       prb.Text `json:"name"`
	Endpoint   prb.Text `json:"endpoint"`
	Stake      prb.Text `json:"stake"`
	PID        prb.Text `json:"pid"`
	Enabled    prb.Flag `json:"enabled"`
	SyncOnly   prb.Flag `json:"sync_only"`
	Gatekeeper prb.Flag `json:"gatekeeper"`
}

func (r workerRecord) worker() Worker {
	w := Worker{
		ID: string(r.ID), Name: string(r.Name), Endpoint: string(r.Endpoint),
		Enabled: bool(r.Enabled), SyncOnly: bool(r.SyncOnly), Gatekeeper: bool(r.Gatekeeper),
	}
	if pid, err := strconv.ParseUint(string(r.PID), 10, 64); err == nil {
		w.PID, w.Pooled = pid, true
	}
	if stake, err := fleet.ParseAmount(string(r.Stake)); err == nil {
		w.Stake, w.StakeOK = stake, true
	}
	return w
}

func decodeWorker(raw []byte) (Worker, bool) {
	var r workerRecord
	if json.Unmarshal(raw, &r) != nil || r.ID == "" {
		return Worker{}, false
	}
	return r.worker(), true
}

// decodePool reads one pool. Its workers hang on it, whatever their own records say.
func decodePool(raw []byte) (Pool, bool) {
	var r struct {
		ID       prb.Text        `json:"id"`
		PID      prb.Text        `json:"pid"`
		Name     prb.Text        `json:"name"`
		Enabled  prb.Flag        `json:"enabled"`
		SyncOnly prb.Flag        `json:"sync_only"`
		Workers  json.RawMessage `json:"workers"`
	}
	if json.Unmarshal(raw, &r) != nil || r.ID == "" {
		return Pool{}, false
	}
	pid, err := strconv.ParseUint(string(r.PID), 10, 64)
	if err != nil {
		return Pool{}, false
	}
	p := Pool{ID: string(r.ID), PID: pid, Name: string(r.Name), Enabled: bool(r.Enabled), SyncOnly: bool(r.SyncOnly)}
	var list []json.RawMessage
	_ = json.Unmarshal(r.Workers, &list) // null where they were not asked for
	for _, raw := range list {
		if w, ok := decodeWorker(raw); ok {
			w.PID, w.Pooled = pid, true
			p.Workers = append(p.Workers, w)
		}
	}
	return p, true
}

func badData(what string, err error) error {
	return &callError{faultGarbage, 0, fleet.FailWith(fleet.Unavailable, fleet.Because("prb3.bad_data", "what", what), err)}
}

// decodeEach reads a list; elements that make no sense are left out.
func decodeEach[T any](data []byte, what string, one func([]byte) (T, bool)) ([]T, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil || list == nil {
		return nil, badData(what, err)
	}
	var all []T
	for _, raw := range list {
		if v, ok := one(raw); ok {
			all = append(all, v)
		}
	}
	return all, nil
}

// decodeContexts reads the reply of workers/status. prb-wm's order is that of a hash map, so they are put in the order of
// name and id. now gives time stamps their year.
func decodeContexts(data []byte, now time.Time) ([]Context, error) {
	var reply struct {
		Workers json.RawMessage `json:"workers"`
	}
	if err := json.Unmarshal(data, &reply); err != nil {
		return nil, badData("workers/status", err)
	}
	all, err := decodeEach(reply.Workers, "workers/status", func(raw []byte) (Context, bool) { return decodeContext(raw, now) })
	slices.SortStableFunc(all, func(a, b Context) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all, err
}

func decodeContext(raw []byte, now time.Time) (Context, bool) {
	var s struct {
		Worker  json.RawMessage `json:"worker"`
		State   json.RawMessage `json:"state"`
		Info    json.RawMessage `json:"phactory_info"`
		Message prb.Text        `json:"last_message"`
		Session json.RawMessage `json:"session_info"`
	}
	if json.Unmarshal(raw, &s) != nil {
		return Context{}, false
	}
	w, ok := decodeWorker(s.Worker)
	if !ok {
		return Context{}, false
	}
	c := Context{WorkerStatus: w.status(), Pooled: w.Pooled}
	state, text := decodeState(s.State)
	c.Running, c.State = true, prb.Redact(state)
	last, at := parseMessage(string(s.Message), now)
	c.LastMessage = prb.Redact(last)
	c.Message, c.MessageAt = c.LastMessage, at
	if state == stateHasError && text != last {
		c.Message, c.MessageAt = prb.Redact(text), time.Time{}
	}
	decodeInfo(s.Info, &c)
	decodeSession(s.Session, &c.WorkerStatus)
	return c, true
}

// decodeState reads "Working" and {"HasError":"text"}.
func decodeState(raw []byte) (state, text string) {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		return word, ""
	}
	var object map[string]prb.Text
	if json.Unmarshal(raw, &object) != nil || len(object) != 1 {
		return "", ""
	}
	for state, t := range object {
		return state, string(t)
	}
	return "", ""
}

// decodeInfo reads PhactoryInfo; null until the first GetInfo came through.
func decodeInfo(raw []byte, c *Context) {
	var info *struct {
		Initialized prb.OptBool     `json:"initialized"`
		Registered  prb.OptBool     `json:"registered"`
		System      json.RawMessage `json:"system"`
		PublicKey   prb.Text        `json:"public_key"`
		Relay       prb.Int         `json:"headernum"`
		ParaHeader  prb.Int         `json:"para_headernum"`
		Para        prb.Int         `json:"blocknum"`
		Version     prb.Text        `json:"version"`
		Revision    prb.Text        `json:"git_revision"`
	}
	if json.Unmarshal(raw, &info) != nil || info == nil {
		return
	}
	c.Initialized, c.PublicKey = info.Initialized.Value, publicKey(string(info.PublicKey))
	c.Relay, c.ParaHeader, c.Para = last(info.Relay), last(info.ParaHeader), last(info.Para)
	c.Version, c.Revision = prb.Redact(string(info.Version)), prb.Redact(string(info.Revision))
	var system struct {
		Registered prb.OptBool `json:"registered"` // moved there in 2022
	}
	_ = json.Unmarshal(info.System, &system)
	if c.Registered = system.Registered.Value; c.Registered == nil {
		c.Registered = info.Registered.Value
	}
}

// last makes the last height that is there of the next one that is wanted: -1 when there is none.
func last(next prb.Int) fleet.Height {
	if !next.Known || next.Value < 0 {
		return fleet.Height{}
	}
	return fleet.Height{Value: next.Value - 1, Known: true}
}

// publicKey is 64 hex digits in lower case, or "".
func publicKey(s string) string {
	k := strings.ToLower(strings.TrimPrefix(s, "0x"))
	if len(k) != 64 || strings.Trim(k, "0123456789abcdef") != "" {
		return ""
	}
	return k
}
