package rule

import "time"

// Env is what a condition can see. It is filled by WorkerEnv, BridgeEnv and NodeEnv; a pointer to a number, text, duration
// or truth value is nil where nobody knows it. Durations count up to the moment at which the facts were true.
//
// Types here have no methods: expr would offer them to conditions.
type Env struct {
	Worker *Worker `expr:"worker"` // conditions about a bridge have none
	Bridge *Bridge `expr:"bridge"`
	Node   *Node   `expr:"node"`
	Site   string  `expr:"site"` // name of the site
}

// Worker is the worker that the condition is asked about.
type Worker struct {
	Name      string   `expr:"name"`
	ID        string   `expr:"id"`         // what its bridge calls it for ever
	PID       int64    `expr:"pid"`        // pool
	Endpoint  string   `expr:"endpoint"`   // of its pRuntime
	Stake     *float64 `expr:"stake"`      // PHA, as the bridge has it stored
	Enabled   bool     `expr:"enabled"`    //
	SyncOnly  bool     `expr:"sync_only"`  // its own flag or its pool's
	Running   bool     `expr:"running"`    // the bridge has a context for it
	PublicKey string   `expr:"public_key"` // 64 hex digits without 0x, "" where none was told

	State       string         `expr:"state"`       // the bridge's own word
	Message     string         `expr:"message"`     // lastMessage without its time stamp, at most MaxMessage bytes
	InState     *time.Duration `expr:"in_state"`    // how long it is in State
	MessageAge  *time.Duration `expr:"message_age"` // how long ago Message was last told anew
	Condition   string         `expr:"condition"`   // phalops' own reading: Working, Syncing …
	Rule        string         `expr:"rule"`        // the built-in rule that gave Condition
	Initialized *bool          `expr:"initialized"`

	Relay      *int64         `expr:"relay"`       // newest relay chain header
	ParaHeader *int64         `expr:"para_header"` // newest parachain header
	Para       *int64         `expr:"para"`        // newest executed block
	Lag        *int64         `expr:"lag"`         // blocks behind what its bridge can hand out
	Frozen     *time.Duration `expr:"frozen"`      // how long Para has stood still

	Session   string         `expr:"session"`    // the chain's word for it, "" where the bridge does not tell
	InSession *time.Duration `expr:"in_session"` // how long the chain says so
	V         *float64       `expr:"v"`
	Ve        *float64       `expr:"ve"`
	PInit     *int64         `expr:"p_init"`
	PInstant  *int64         `expr:"p_instant"`
	Reward    float64        `expr:"total_reward"` // PHA, 0 where the bridge does not tell

	Chain  *Chain  `expr:"chain"`  // what the chain itself says of it
	Bridge *Bridge `expr:"bridge"` // the same as Env.Bridge
}

// Chain is what a network's chain says of a worker. Everything is nil where the chain was not read lately or does not know its key.
type Chain struct {
	Age          *time.Duration `expr:"age"`           // how long ago the chain was read
	State        *string        `expr:"state"`         // Idle, Unresponsive, CoolingDown, Ready, Unknown
	InState      *time.Duration `expr:"in_state"`      // how long it was in State when it was read, as far as phalops saw
	Registered   *bool          `expr:"registered"`    //
	Operator     *string        `expr:"operator"`      // whom it is registered for; nil: nobody
	PID          *int64         `expr:"pid"`           // the pool that it is in; nil: none
	Stake        *float64       `expr:"stake"`         // PHA
	Reward       *float64       `expr:"reward"`        // of the session in PHA
	RewardFrozen *time.Duration `expr:"reward_frozen"` // how long Reward had not grown when it was read
	Daily        *float64       `expr:"daily"`         // growth of Reward in a day, PHA; nil while that is not known
	Confidence   *int64         `expr:"confidence"`
	V            *float64       `expr:"v"`
	Ve           *float64       `expr:"ve"`
	PInit        *int64         `expr:"p_init"`
	PInstant     *int64         `expr:"p_instant"`
	Challenged   *time.Duration `expr:"challenged"` // how long ago the chain had asked it for a heartbeat when it was read
}

// Bridge is the bridge of the worker, or the one that the condition is asked about.
type Bridge struct {
	Name      string            `expr:"name"`
	Version   string            `expr:"version"` // v0, v2, v3, solo
	Site      string            `expr:"site"`
	Condition string            `expr:"condition"` // phalops' reading of its own parts: Healthy, Blind …
	Labels    map[string]string `expr:"labels"`    // of the configuration; "" for a label that is not there
	Height    *int64            `expr:"height"`    // newest block that it can hand out

	Workers      int64    `expr:"workers"` // enabled ones; the numbers below are of these
	Working      int64    `expr:"working"`
	Syncing      int64    `expr:"syncing"`
	Starting     int64    `expr:"starting"`
	Failed       int64    `expr:"failed"`
	Unresponsive int64    `expr:"unresponsive"`
	Unknown      int64    `expr:"unknown"`
	CoolingDown  int64    `expr:"cooling_down"`
	WorkingRatio *float64 `expr:"working_ratio"` // shares of Workers, 0…1; nil without any
	FailedRatio  *float64 `expr:"failed_ratio"`
	Unresponding *float64 `expr:"unresponsive_ratio"`
	BadRatio     *float64 `expr:"bad_ratio"` // failed and unresponsive together
}

// Node is the node that the bridge hangs on. Without a configured node everything here is nil.
type Node struct {
	Name        *string        `expr:"name"`
	Condition   *string        `expr:"condition"` // phalops' reading: Healthy, Stalled …
	Container   *string        `expr:"container"` // state of its container: running, exited …
	Para        *int64         `expr:"para"`      // best block of the parachain
	ParaLag     *int64         `expr:"para_lag"`  // blocks behind the target that it tells
	ParaPeers   *int64         `expr:"para_peers"`
	ParaFrozen  *time.Duration `expr:"para_frozen"`
	Relay       *int64         `expr:"relay"`
	RelayLag    *int64         `expr:"relay_lag"`
	RelayPeers  *int64         `expr:"relay_peers"`
	RelayFrozen *time.Duration `expr:"relay_frozen"`
}
