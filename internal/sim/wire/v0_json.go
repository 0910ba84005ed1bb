package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strconv"

	"phalops/internal/sim/world"
)

type v0List struct {
	Hostname string     `json:"hostname"`
	Pools    []v0Pool   `json:"pools,omitempty"`
	Workers  []v0Worker `json:"workers,omitempty"`
}

type v0Pool struct {
	UUID          string  `json:"uuid"`
	Owner         v0Owner `json:"owner"`
	PID           string  `json:"pid"`
	Name          string  `json:"name"`
	Enabled       bool    `json:"enabled"`
	Deleted       bool    `json:"deleted"`
	RealPhalaSs58 string  `json:"realPhalaSs58"`
}

type v0Owner struct {
	Mnemonic string `json:"mnemonic"`
	world.V0Owner
}

type v0Worker struct {
	UUID     string `json:"uuid"`
	PID      string `json:"pid"`
	Name     string `json:"name"`
	Endpoint string `json:"endpoint"`
	Enabled  bool   `json:"enabled"`
	Deleted  bool   `json:"deleted"`
	Stake    string `json:"stake"`
}

// showList is everything that is stored, deleted or not.
func showList(b *world.V0Bridge) v0Content {
	list := &v0List{Hostname: b.Hostname}
	for _, p := range b.Pools() {
		list.Pools = append(list.Pools, v0Pool{UUID: p.UUID, Owner: v0Owner{V0Owner: p.Owner}, PID: strconv.FormatUint(p.PID, 10), Name: p.Name,
			Enabled: p.Enabled, RealPhalaSs58: p.RealPhalaSs58})
	}
	for _, w := range b.Workers() {
		list.Workers = append(list.Workers, v0Worker{UUID: w.UUID, PID: strconv.FormatUint(w.PID, 10), Name: w.Name, Endpoint: w.Endpoint,
			Enabled: w.Enabled, Stake: w.Stake})
	}
	return v0Content{List: list}
}

type v0Fetcher struct {
	Hostname       string `json:"hostname"`
	ParaID         int64  `json:"paraId"`
	ParentStart    int64  `json:"parentStartHeader"`
	ParentKnown    int64  `json:"parentKnownHeight"`
	ParentBlob     int64  `json:"parentBlobHeight"`
	ParentArchived int64  `json:"parentArchivedHeight"`
	ParaKnown      int64  `json:"paraKnownHeight"`
	ParaBlob       int64  `json:"paraBlobHeight"`
	ParaArchived   int64  `json:"paraArchivedHeight"`
	Synched        bool   `json:"synched"`
}

func showFetcher(f world.V0Fetch) v0Content {
	return v0Content{Fetcher: &v0Fetcher{"fetch", f.ParaID, f.ParentStart, f.ParentKnown, f.ParentBlob, f.ParentArchived, f.ParaKnown, f.ParaBlob,
		f.ParaArchived, f.Synched}}
}

type v0States struct {
	States []v0State `json:"workerStates"`
}

type v0State struct {
	Status      string      `json:"status,omitempty"`
	Parent      *int64      `json:"parentHeaderSynchedTo,omitempty"`
	ParaHeader  *int64      `json:"paraHeaderSynchedTo,omitempty"`
	Para        *int64      `json:"paraBlockDispatchedTo,omitempty"`
	Initialized *bool       `json:"initialized,omitempty"`
	Worker      *v0Snapshot `json:"worker,omitempty"`
	PublicKey   string      `json:"publicKey,omitempty"`
	LastMessage string      `json:"lastMessage,omitempty"`
	Miner       string      `json:"minerInfoJson"`
	Account     string      `json:"minerAccountId,omitempty"`
}

// v0Snapshot is the worker's record as it was when its context was made.
type v0Snapshot struct {
	UUID     string `json:"uuid"`
	PID      string `json:"pid"`
	Name     string `json:"name"`
	Endpoint string `json:"endpoint"`
	Stake    string `json:"stake"`
}

// showV0States answers by position; who has no context has nothing but an empty miner.
func showV0States(b *world.V0Bridge, ids []string) v0Content {
	states := make([]v0State, len(ids))
	for i, id := range ids {
		states[i] = v0State{Miner: "{}"}
		if c := b.State(id); c != nil {
			states[i] = showV0State(c)
		}
	}
	return v0Content{States: &v0States{states}}
}

func showV0State(c *world.V0Context) v0State {
	w := c.Worker
	s := v0State{Status: c.State(), Worker: &v0Snapshot{w.UUID, strconv.FormatUint(w.PID, 10), w.Name, w.Endpoint, w.Stake}, Miner: "{}"}
	if text, at := c.Message(); text != "" {
		s.LastMessage = strconv.FormatInt(at.UnixMilli(), 10) + " - " + text
	}
	if yes, known := c.Initialized(); known {
		s.Initialized, s.PublicKey = &yes, c.Pruntime().PublicKey
	}
	if h, begun := c.Heights(); begun {
		s.Parent, s.ParaHeader, s.Para = &h.Parent, &h.ParaHeader, &h.Para
	}
	if known, bound := c.Bound(); known {
		account := sha256.Sum256([]byte("worker/" + s.PublicKey))
		if !bound {
			account = [32]byte{}
		}
		s.Account = world.SS58(30, account)
	}
	if session, known := c.Session(); known {
		s.Miner = showMiner(session)
	}
	return s
}

type v0Benchmark[N any] struct {
	PInit       N `json:"pInit"`
	PInstant    N `json:"pInstant"`
	Iterations  N `json:"iterations"`
	MiningStart N `json:"miningStartTime"`
	Challenge   N `json:"challengeTimeLast"`
}

type v0Miner[N any] struct {
	State         string         `json:"state"`
	Ve            string         `json:"ve"`
	V             string         `json:"v"`
	UpdatedAt     N              `json:"vUpdatedAt"`
	Benchmark     v0Benchmark[N] `json:"benchmark"`
	CoolDownStart N              `json:"coolDownStart"`
	Stats         v2Stats[N]     `json:"stats"`
}

// showMiner is minerInfoJson: JSON text, indented by two; once for people, once raw.
func showMiner(s world.Session) string {
	raw := v0Miner[uint64]{
		State: s.State, Ve: fixedHex(s.Ve), V: fixedHex(s.V), UpdatedAt: uint64(s.UpdatedAt.Unix()),
		Benchmark: v0Benchmark[uint64]{s.PInit, s.PInstant, s.Iterations, uint64(s.WorkingStart.Unix()), uint64(s.ChallengeLast.Unix())},
		Stats:     v2Stats[uint64]{s.TotalReward},
	}
	if !s.CoolDownStart.IsZero() {
		raw.CoolDownStart = uint64(s.CoolDownStart.Unix())
	}
	b := raw.Benchmark
	human := v0Miner[string]{
		State: s.State, Ve: fixedText(s.Ve), V: fixedText(s.V), UpdatedAt: commas(raw.UpdatedAt),
		Benchmark:     v0Benchmark[string]{commas(b.PInit), commas(b.PInstant), commas(b.Iterations), commas(b.MiningStart), commas(b.Challenge)},
		CoolDownStart: commas(raw.CoolDownStart), Stats: v2Stats[string]{balance(s.TotalReward)},
	}
	var out bytes.Buffer
	if err := json.Indent(&out, marshal(struct {
		v0Miner[string]
		Raw v0Miner[uint64] `json:"raw"`
	}{human, raw}), "", "  "); err != nil {
		panic(err) // it was JSON a moment ago
	}
	return out.String()
}
