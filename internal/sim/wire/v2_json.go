package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"phalops/internal/sim/world"
)

func sayHello(p world.Peer) any {
	role := "WR_DATA_PROVIDER_INT"
	if p.Role == world.RoleLifecycle {
		role = "WR_LIFECYCLE_MANAGER"
	}
	return struct {
		Hostname      string `json:"hostname"`
		PeerID        string `json:"peerId"`
		Role          string `json:"role"`
		ChainIdentity string `json:"chainIdentity"`
		Identity      string `json:"bridgeIdentity"`
	}{p.Hostname, p.ID, role, p.ChainIdentity, p.Identity}
}

func showInfo(i world.Info) any {
	status := i.Status
	return struct {
		Status          string `json:"status"`
		ParaID          int64  `json:"paraId"`
		StartHeader     int64  `json:"parentStartHeader"`
		ParentTarget    int64  `json:"parentTarget"`
		ParentFetched   int64  `json:"parentFetchedHeight"`
		ParentProcessed int64  `json:"parentProcessedHeight"`
		ParentCommitted int64  `json:"parentCommittedHeight"`
		ParaTarget      int64  `json:"paraTarget"`
		ParaFetched     int64  `json:"paraFetchedHeight"`
		ParaProcessed   int64  `json:"paraProcessedHeight"`
		ParaCommitted   int64  `json:"paraCommittedHeight"`
		BlobServerPort  int64  `json:"blobServerPort"`
	}{status, i.ParaID, i.StartHeader, i.ParentTarget, i.ParentFetched, i.ParentProcessed, i.ParentCommitted,
		i.ParaTarget, i.ParaFetched, i.ParaProcessed, i.ParaCommitted, i.BlobServerPort}
}

type v2Owner struct {
	PolkadotJSON string `json:"polkadotJson"`
	Phala        string `json:"ss58Phala"`
	Polkadot     string `json:"ss58Polkadot"`
}

type v2Pool struct {
	UUID          string  `json:"uuid"`
	Owner         v2Owner `json:"owner"`
	PID           string  `json:"pid"`
	Name          string  `json:"name"`
	Enabled       bool    `json:"enabled"`
	Deleted       bool    `json:"deleted"`
	RealPhalaSs58 string  `json:"realPhalaSs58"`
	SyncOnly      bool    `json:"syncOnly"`
}

func showPools(pools []world.Pool) any {
	if len(pools) == 0 {
		return nil
	}
	all := make([]v2Pool, len(pools))
	for i, p := range pools {
		key := sha256.Sum256([]byte("operator/" + p.Seed))
		all[i] = v2Pool{UUID: p.UUID, Owner: v2Owner{envelope(p.UUID + p.Seed), world.SS58(30, key), world.SS58(0, key)},
			PID: strconv.FormatUint(p.PID, 10), Name: p.Name, Enabled: p.Enabled, RealPhalaSs58: p.RealPhalaSs58, SyncOnly: p.SyncOnly}
	}
	return struct {
		Pools []v2Pool `json:"pools"`
	}{all}
}

// envelope looks like the encrypted keystore: a protobuf message of an IV, a wrapped key and a ciphertext, in hex. There is
// nothing in it.
func envelope(seed string) string {
	noise := make([]byte, 0, 640)
	for sum := sha256.Sum256([]byte("envelope/" + seed)); len(noise) < 592; sum = sha256.Sum256(sum[:]) {
		noise = append(noise, sum[:]...)
	}
	b := append([]byte{0x0a, 0x10}, noise[:16]...)
	b = append(append(b, 0x12, 0x80, 0x02), noise[16:272]...)
	b = append(append(b, 0x1a, 0xc0, 0x02), noise[272:592]...)
	return hex.EncodeToString(b)
}

type v2Worker struct {
	UUID     string `json:"uuid"`
	PID      string `json:"pid"`
	Name     string `json:"name"`
	Endpoint string `json:"endpoint"`
	Enabled  bool   `json:"enabled"`
	Deleted  bool   `json:"deleted"`
	Stake    string `json:"stake"`
	SyncOnly bool   `json:"syncOnly"`
}

func showWorker(w world.Worker) v2Worker {
	return v2Worker{UUID: w.UUID, PID: strconv.FormatUint(w.PID, 10), Name: w.Name, Endpoint: w.Endpoint, Enabled: w.Enabled,
		Stake: w.Stake, SyncOnly: w.SyncOnly}
}

func showWorkers(workers []world.Worker) any {
	if len(workers) == 0 {
		return nil
	}
	all := make([]v2Worker, len(workers))
	for i, w := range workers {
		all[i] = showWorker(w)
	}
	return struct {
		Workers []v2Worker `json:"workers"`
	}{all}
}

type v2State struct {
	Status      string   `json:"status,omitempty"`
	Relay       *int64   `json:"parentHeaderSynchedTo,omitempty"`
	ParaHeader  *int64   `json:"paraHeaderSynchedTo,omitempty"`
	Para        *int64   `json:"paraBlockDispatchedTo,omitempty"`
	Initialized *bool    `json:"initialized,omitempty"`
	Worker      v2Worker `json:"worker"`
	PublicKey   string   `json:"publicKey,omitempty"`
	LastMessage string   `json:"lastMessage"`
	Session     string   `json:"sessionInfoJson"`
	Account     string   `json:"workerAccountId,omitempty"`
}

// operatorsZone is where the containers' clocks are set.
func operatorsZone() *time.Location { return time.FixedZone("CST", 8*3600) }

func showStates(contexts []*world.Context) any {
	if len(contexts) == 0 {
		return nil
	}
	all := make([]v2State, len(contexts))
	for i, c := range contexts {
		all[i] = showState(c)
	}
	return struct {
		States []v2State `json:"workerStates"`
	}{all}
}

func showState(c *world.Context) v2State {
	s := v2State{Status: c.State(), Worker: showWorker(c.Worker), Session: showSession(c)}
	if text, at := c.Message(); text != "" {
		s.LastMessage = "[" + at.In(operatorsZone()).Format("2006-01-02T15:04:05-07:00") + "] " + text
	}
	if para, relay, known := c.Heights(); known {
		yes := true
		s.Relay, s.ParaHeader, s.Para, s.Initialized = &relay, &para, &para, &yes
		s.PublicKey = c.Pruntime().PublicKey
		s.Account = world.SS58(30, sha256.Sum256([]byte("worker/"+s.PublicKey)))
	}
	return s
}
