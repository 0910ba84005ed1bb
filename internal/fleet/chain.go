package fleet

import "time"

// ChainView is what one network's chain says at one finalized block about the network as a whole and about what is ours on it.
// It is read by the daemon every few minutes; times in it are the chain's own clock unless said otherwise.
type ChainView struct {
	Probe
	Ref    Ref       `json:"ref"` // network/<name>
	Source string    `json:"source"`
	Era    string    `json:"era"` // v1: PhalaMining and PhalaStakePool; v2: PhalaComputation, StakePoolv2, Vault
	Height uint64    `json:"height"`
	Hash   string    `json:"hash"`
	Time   time.Time `json:"time"`           // of the block
	Moved  time.Time `json:"moved,omitzero"` // when we first saw this Height, by our own clock; zero: not told
	Spec   uint32    `json:"spec"`           // version of the runtime

	CoolDown time.Duration `json:"cool_down,omitzero"` // from the stop of a worker until its stake can be reclaimed, by Time; 0: not told

	Genesis string    `json:"genesis"`          // hash of block 0: which chain it is
	Watched time.Time `json:"watched,omitzero"` // since when this history is kept, by our own clock; another chain has another one
	Whole   bool      `json:"whole"`            // the whole network was read; else Totals have no more than Online, Pools and what is ours

	Upgrade *RuntimeUpgrade `json:"upgrade,omitempty"` // one that is authorized or scheduled, nil: none
	Totals  ChainTotals     `json:"totals"`
	Pools   []ChainPool     `json:"pools,omitempty"`   // ours: configured, or known to one of our bridges; by PID
	Workers []ChainWorker   `json:"workers,omitempty"` // ours: those whose keys our bridges show, and all of our pools; by key

	// Others are the workers of the network that are not ours, by key; only where the configuration asks for them. They are not
	// written down.
	Others []ChainWorker `json:"-"`
}

// RuntimeUpgrade is a runtime that the chain has been told to take.
type RuntimeUpgrade struct {
	Hash string `json:"hash,omitempty"` // of its code
	From uint64 `json:"from,omitempty"` // relay chain height at which it may be applied; 0: not told
	At   string `json:"at"`             // where the chain says so: authorized, pending
}

// ChainTotals are the network's. Amounts are PHA in 10⁻¹².
type ChainTotals struct {
	Sessions      map[string]int `json:"sessions"` // by state, in phala's words: Idle, Unresponsive, CoolingDown, Ready
	Online        uint32         `json:"online"`   // Idle and Unresponsive, as the chain counts
	Workers       int            `json:"workers"`  // registered
	Pools         int            `json:"pools"`
	Stake         Amount         `json:"stake"`                   // on workers
	Value         Amount         `json:"value"`                   // of all pools
	Free          Amount         `json:"free"`                    // of all pools
	Shares        Amount         `json:"shares"`                  // of all pools
	Reward        Amount         `json:"reward"`                  // all sessions' so far
	Earned        Amount         `json:"earned"`                  // what they got since ChainView.Watched: unlike Reward it never falls
	RewardMoved   time.Time      `json:"reward_moved,omitzero"`   // when we last saw Reward grow, or first saw it, by our own clock; zero: not told
	RewardResumed time.Time      `json:"reward_resumed,omitzero"` // when we last saw Reward grow after an hour or more without growth; zero: never
	Ve            string         `json:"ve"`                      // sum over computing sessions, PHA as a decimal
	V             string         `json:"v"`
	Daily         Amount         `json:"daily"`              // output of the last 24 h, scaled from DailyFor; 0 while not known
	DailyFor      time.Duration  `json:"daily_for,omitzero"` // how much time Daily was measured over; 0: not known yet
}

// ChainPool is a stake pool as the chain knows it.
type ChainPool struct {
	Ref           Ref           `json:"ref"` // stakepool/<network>/<pid>
	PID           uint64        `json:"pid"`
	Kind          string        `json:"kind"`  // StakePool | Vault
	Owner         string        `json:"owner"` // SS58 of the network
	OwnerGas      Amount        `json:"owner_gas"`
	OwnerSpent    Amount        `json:"owner_spent"` // see GasAccount.Spent
	OwnerSpentFor time.Duration `json:"owner_spent_for,omitzero"`
	Operators     []GasAccount  `json:"operators,omitempty"` // who signs for it, as our bridges or the configuration say, when it is not the owner
	Commission    uint32        `json:"commission"`          // millionths
	Cap           *Amount       `json:"cap,omitempty"`       // nil: none

	Value       Amount `json:"value"`
	Free        Amount `json:"free"`
	Used        Amount `json:"used"`
	Releasing   Amount `json:"releasing"`
	OwnerReward Amount `json:"owner_reward"`
	Reward      Amount `json:"reward"` // its sessions' so far

	Daily    Amount        `json:"daily"` // see ChainTotals
	DailyFor time.Duration `json:"daily_for,omitzero"`

	Workers map[string]int `json:"workers,omitempty"` // by session state
	Queue   []ChainQueued  `json:"queue,omitempty"`   // withdrawals that wait, oldest first, at most 100
	Queued  Amount         `json:"queued"`            // all of the queue
	Due     bool           `json:"due"`               // the chain's next check stops all of its workers for the queue's sake
	DueAt   time.Time      `json:"due_at,omitzero"`   // when that will be, unless stake comes free; zero: nothing uncovered waits
}

// GasAccount pays the fees of a pool's workers.
type GasAccount struct {
	Address  string        `json:"address"` // SS58 of the network
	Free     Amount        `json:"free"`
	Spent    Amount        `json:"spent"`              // what left it in 24 h, what came in aside; scaled from SpentFor
	SpentFor time.Duration `json:"spent_for,omitzero"` // how much time Spent was measured over; 0: not known yet
	Proxy    *bool         `json:"proxy,omitempty"`    // whether the chain lets it sign for the owner; nil: not known
}

// ChainQueued is a withdrawal that waits for stake to come free.
type ChainQueued struct {
	User   string    `json:"user"`
	Amount Amount    `json:"amount"`
	Start  time.Time `json:"start"`
	Ends   time.Time `json:"ends"` // from then on the chain may stop the pool's workers
}

// ChainWorker is a worker as the chain knows it.
type ChainWorker struct {
	Key        string `json:"key"` // 64 hex digits without 0x, as WorkerStatus.PublicKey
	Registered bool   `json:"registered"`
	Operator   string `json:"operator,omitempty"` // SS58
	Confidence uint8  `json:"confidence,omitempty"`
	Score      uint32 `json:"score,omitempty"`

	PID   uint64 `json:"pid,omitempty"` // the pool that it is in; 0 with Pool false
	Pool  bool   `json:"pool"`          // it is in a pool (pool 0 exists)
	State string `json:"state"`         // Idle, Unresponsive, CoolingDown, Ready; Unknown without a session
	Stake Amount `json:"stake"`
	V     string `json:"v,omitempty"`
	Ve    string `json:"ve,omitempty"`

	PInit        uint32    `json:"p_init,omitempty"`
	PInstant     uint32    `json:"p_instant,omitempty"`
	ChallengedAt time.Time `json:"challenged_at,omitzero"`
	CoolingSince time.Time `json:"cooling_since,omitzero"`
	StateSince   time.Time `json:"state_since,omitzero"`  // when we first saw this State, by our own clock
	Reward       Amount    `json:"reward"`                // the session's so far
	RewardMoved  time.Time `json:"reward_moved,omitzero"` // when we last saw Reward grow, or first saw it, by our own clock

	Daily    Amount        `json:"daily"`
	DailyFor time.Duration `json:"daily_for,omitzero"`
}

// Worker finds a worker by its key (64 hex digits, with or without 0x); nil when the chain was not asked about it.
func (v *ChainView) Worker(key string) *ChainWorker {
	if len(key) == 66 {
		key = key[2:]
	}
	lo, hi := 0, len(v.Workers)
	for lo < hi {
		mid := (lo + hi) / 2
		if v.Workers[mid].Key < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if key == "" || lo == len(v.Workers) || v.Workers[lo].Key != key {
		return nil
	}
	return &v.Workers[lo]
}

// Pool finds a pool by its number; nil when it is none of ours.
func (v *ChainView) Pool(pid uint64) *ChainPool {
	for i := range v.Pools {
		if v.Pools[i].PID == pid {
			return &v.Pools[i]
		}
	}
	return nil
}

// ChainSample is what a network's counters showed at one time: from samples of a day follows what was earned and spent in it.
type ChainSample struct {
	Network Ref       `json:"network"` // network/<name>
	At      time.Time `json:"at"`      // when it was read, by our own clock

	Earned  Amount            `json:"earned"`            // ChainTotals.Earned
	Rewards map[string]Amount `json:"rewards,omitempty"` // of the sessions of our workers, by key
	Gas     map[string]Amount `json:"gas,omitempty"`     // of the accounts that pay our fees, by address
}
