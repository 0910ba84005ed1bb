package fleet

import "time"

// Height is a number that is expected to grow, as one source tells it: a block height, or -1 where the source says "none
// yet". The zero Height is unknown.
type Height struct {
	Value   int64     `json:"value"`
	Known   bool      `json:"known"`    // false: the source did not say, and Value means nothing
	MovedAt time.Time `json:"moved_at"` // when we last saw another value (or the first); frozen since then
}

// Next merges a new reading into the history of the old one: MovedAt changes only when the value does. An unknown reading
// keeps the last known value and MovedAt, so that a source that is silent for a beat does not look as if it moved.
func (h Height) Next(value int64, known bool, at time.Time) Height {
	if !known {
		return Height{Value: h.Value, MovedAt: h.MovedAt}
	}
	if h.MovedAt.IsZero() || h.Value != value {
		return Height{Value: value, Known: true, MovedAt: at}
	}
	return Height{Value: value, Known: true, MovedAt: h.MovedAt}
}

// FrozenFor is how long the value has stood still at now; 0 for an unknown height.
func (h Height) FrozenFor(now time.Time) time.Duration {
	if !h.Known {
		return 0
	}
	return now.Sub(h.MovedAt)
}

// MissedLimit is the number of beats without an answer after which what a source said last is no longer a fact.
const MissedLimit = 3

// Probe is the history of asking one source. The zero Probe was never asked.
type Probe struct {
	At     time.Time `json:"at"`               // when the newest answer was true; zero: it never answered
	Failed time.Time `json:"failed,omitzero"`  // when the present run of failures began; zero: the last question was answered
	Missed int       `json:"missed,omitempty"` // length of that run
	Cause  Reason    `json:"cause,omitzero"`   // why the newest question failed
}

// Answered is the Probe after an answer that was true at t.
func (p Probe) Answered(t time.Time) Probe { return Probe{At: t} }

// Silent is the Probe after a question that failed at t.
func (p Probe) Silent(t time.Time, cause Reason) Probe {
	if p.Missed == 0 {
		p.Failed = t
	}
	p.Missed++
	p.Cause = cause
	return p
}

// Fresh reports whether the source's last words may still be taken as true: it answered, and not more than MissedLimit
// beats went by without an answer since.
func (p Probe) Fresh() bool { return !p.At.IsZero() && p.Missed < MissedLimit }

// ChainStatus is one chain of a node (the parachain or the relay chain) as its RPC tells it.
type ChainStatus struct {
	Probe
	URL       string `json:"url"`
	Best      Height `json:"best"`      // newest imported block
	Target    Height `json:"target"`    // highestBlock; unknown where the node leaves it out (usual at the tip before 2022-08)
	Finalized Height `json:"finalized"` // newest finalized block
	Peers     int    `json:"peers"`     // -1: unknown
	Syncing   *bool  `json:"syncing,omitempty"`
	Chain     string `json:"chain,omitempty"`
	Version   string `json:"version,omitempty"`

	PeersBest    Height    `json:"peers_best,omitzero"`    // highest block that at least two of its peers claim; unknown where it does not tell strangers
	PeersAsked   time.Time `json:"peers_asked,omitzero"`   // when PeersBest was asked for last, which is done rarely
	Genesis      string    `json:"genesis,omitempty"`      // hash of block 0: which chain it is
	GenesisAsked time.Time `json:"genesis_asked,omitzero"` // when that was asked for last
	GenesisWas   string    `json:"genesis_was,omitempty"`  // another chain's, which it told here before
	GenesisSince time.Time `json:"genesis_since,omitzero"` // when it changed from GenesisWas
	Falls        int       `json:"falls,omitempty"`        // how often in a row Best was seen well below what it had been, see FallWindow
	FellAt       time.Time `json:"fell_at,omitzero"`       // when that was last
	FromHost     HostView  `json:"from_host,omitzero"`     // while it does not answer us: what its own host sees
}

// ContainerStatus is a container as its host's engine tells it.
type ContainerStatus struct {
	Probe
	ID       string            `json:"id"`
	Name     string            `json:"name"` // without the leading slash
	Image    string            `json:"image"`
	Project  string            `json:"project,omitempty"` // compose project label
	Service  string            `json:"service,omitempty"` // compose service label
	State    string            `json:"state"`             // created, running, paused, restarting, removing, exited, dead; "" unknown
	Health   string            `json:"health,omitempty"`  // healthy, unhealthy, starting; "" when the image has no check
	ExitCode int               `json:"exit_code"`
	Started  time.Time         `json:"started,omitzero"`
	Finished time.Time         `json:"finished,omitzero"`
	Restarts int               `json:"restarts"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// Running reports whether the container's process is there (a paused one is, a restarting one is not).
func (c ContainerStatus) Running() bool { return c.State == "running" || c.State == "paused" }

// NodeStatus is a node: one process with a parachain and a relay chain, or any Substrate node with one chain (Relay nil).
type NodeStatus struct {
	Ref       Ref              `json:"ref"`
	Site      string           `json:"site"`
	Para      *ChainStatus     `json:"para,omitempty"`
	Relay     *ChainStatus     `json:"relay,omitempty"`
	Container *ContainerStatus `json:"container,omitempty"` // nil where no container is configured
	Condition NodeCondition    `json:"condition"`           // what decide made of it
	Since     time.Time        `json:"since,omitzero"`      // since when it is in Condition

	Disk   *DiskStatus          `json:"disk,omitempty"`   // nil where nobody can look
	Log    *LogStatus           `json:"log,omitempty"`    // the newest lines of Container, read while something is wrong
	Caches []HeadersCacheStatus `json:"caches,omitempty"` // headers caches that read this node
}

// DataProviderStatus is a v2 data provider as the monitor relays it.
type DataProviderStatus struct {
	Probe
	PeerID        string `json:"peer_id"`
	Hostname      string `json:"hostname,omitempty"`
	Addr          string `json:"addr,omitempty"`   // multiaddr as the monitor dialled it; never an identity
	Status        string `json:"status,omitempty"` // S_UNKNOWN, S_SYHCHING (the source's spelling), S_IDLE
	ParentTarget  Height `json:"parent_target"`    // relay chain
	ParentFetched Height `json:"parent_fetched"`
	Parent        Height `json:"parent"` // relay chain, processed: what lifecycle can hand out
	ParaTarget    Height `json:"para_target"`
	ParaFetched   Height `json:"para_fetched"`
	Para          Height `json:"para"` // parachain, processed
}

// Pool is a stake pool as a bridge knows it. It never carries a key.
type Pool struct {
	ID        string `json:"id"` // the bridge's uuid
	PID       uint64 `json:"pid"`
	Name      string `json:"name"`
	Enabled   bool   `json:"enabled"` // changes nothing for its workers in v0 and v2
	SyncOnly  bool   `json:"sync_only"`
	Operator  string `json:"operator,omitempty"` // SS58, prefix 30
	Proxied   string `json:"proxied,omitempty"`  // realPhalaSs58: the pool owner when the operator is a proxy
	Workers   int    `json:"workers"`
	BridgeRef Ref    `json:"bridge"`
}

// WorkerStatus is a worker: its inventory record and its running context as its bridge tells them.
type WorkerStatus struct {
	Probe
	Ref      Ref    `json:"ref"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	PID      uint64 `json:"pid"`
	Endpoint string `json:"endpoint"`
	Stake    Amount `json:"stake"`
	StakeOK  bool   `json:"stake_ok"` // false: the stored stake is not a number ("" and "ten" are accepted by the bridge)
	Enabled  bool   `json:"enabled"`
	SyncOnly bool   `json:"sync_only"` // the worker's own flag or its pool's

	Running     bool      `json:"running"`               // the bridge has a context for it
	State       string    `json:"state"`                 // the bridge's own word, verbatim; "" when absent
	Message     string    `json:"message"`               // lastMessage without its time stamp
	MessageAt   time.Time `json:"message_at,omitzero"`   // the time stamp in lastMessage; zero when there is none
	MessageSeen time.Time `json:"message_seen,omitzero"` // when we first saw this message (with this time stamp)
	Hidden      string    `json:"hidden,omitempty"`      // what the message said in this State before a notice of being unresponsive took its place
	StateSince  time.Time `json:"state_since,omitzero"`  // when we first saw this State
	Initialized *bool     `json:"initialized,omitempty"`
	PublicKey   string    `json:"public_key,omitempty"` // 64 hex digits without 0x
	KnownKey    string    `json:"known_key,omitempty"`  // the key that belongs here: the first that was seen, or with which a person enabled the worker again
	OtherKey    string    `json:"other_key,omitempty"`  // seen in place of KnownKey: another key, or NoKey; "" while all is well
	OtherSince  time.Time `json:"other_since,omitzero"` // when OtherKey was first seen
	Relay       Height    `json:"relay"`                // parentHeaderSynchedTo
	ParaHeader  Height    `json:"para_header"`          // paraHeaderSynchedTo
	Para        Height    `json:"para"`                 // paraBlockDispatchedTo: the height that operators look at

	Session      string    `json:"session,omitempty"`      // chain state as the bridge relays it: Ready, WorkerIdle, MiningIdle, WorkerUnresponsive, …
	SessionSince time.Time `json:"session_since,omitzero"` // when we first saw this Session
	V            string    `json:"v,omitempty"`
	Ve           string    `json:"ve,omitempty"`
	PInit        int64     `json:"p_init,omitempty"`
	PInstant     int64     `json:"p_instant,omitempty"`
	TotalReward  Amount    `json:"total_reward,omitzero"`

	Gatekeeper bool   `json:"gatekeeper,omitempty"` // v3: it computes for no pool
	Registered *bool  `json:"registered,omitempty"` // on chain, as the pRuntime says through its bridge; nil: not told
	Version    string `json:"version,omitempty"`    // of the pRuntime, the newest that was told
	Revision   string `json:"revision,omitempty"`   // of git

	// Pruntime is what the pRuntime itself says, nil where nobody asks it. In a bare reading its Probe has nothing but the
	// Cause of a question that failed.
	Pruntime *PruntimeStatus `json:"pruntime,omitempty"`

	Condition Condition `json:"condition"`      // our neutral reading
	Since     time.Time `json:"since,omitzero"` // since when it is in Condition
}

// NoKey is the OtherKey of a pRuntime that answers and has none, although it had one before.
const NoKey = "none"

// BridgeStatus is a bridge with everything that hangs on it.
type BridgeStatus struct {
	Ref           Ref                  `json:"ref"`
	Site          string               `json:"site"`
	Version       string               `json:"version"` // v0, v2, v3
	Monitor       Probe                `json:"monitor"`
	Lifecycle     Probe                `json:"lifecycle"` // the inventory and the states, both answered
	LifecyclePeer string               `json:"lifecycle_peer,omitempty"`
	DataProviders []DataProviderStatus `json:"data_providers,omitempty"`
	Pools         []Pool               `json:"pools,omitempty"`
	Workers       []WorkerStatus       `json:"workers,omitempty"` // in the order of Name
	Condition     BridgeCondition      `json:"condition"`
	Since         time.Time            `json:"since,omitzero"`
}

// Worker finds a worker by its Ref; nil when there is none.
func (b *BridgeStatus) Worker(ref Ref) *WorkerStatus {
	for i := range b.Workers {
		if b.Workers[i].Ref == ref {
			return &b.Workers[i]
		}
	}
	return nil
}

// Fact is one change of one field that a rule can see, as kept in the fact log.
type Fact struct {
	Target Ref       `json:"target"`
	Field  string    `json:"field"` // for example "state", "message", "para.frozen"
	Value  string    `json:"value"`
	Source string    `json:"source"` // who said so, for example "prb-b lifecycle"
	At     time.Time `json:"at"`     // when it was true
}
