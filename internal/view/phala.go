package view

// PhalaState says of which block Phala's state was read.
type PhalaState struct {
	ChainState
	Era         string `json:"era"`          // v1 | v2
	Time        string `json:"time"`         // the block's own
	RelayHeight uint32 `json:"relay_height"` // relay chain block that it was built on; 0: not told
}

// PhalaTotals are sums of the whole network: numbers, and PHA as decimal text, by the names that docs/chain.md lists.
type PhalaTotals struct {
	PhalaState
	Totals map[string]any `json:"totals"`
	Checks []PhalaCheck   `json:"checks"`
}

// PhalaCheck is a comparison of what was derived with what the chain has bound.
type PhalaCheck struct {
	What   string   `json:"what"`
	Agreed int      `json:"agreed"`
	Odd    int      `json:"odd"`
	Names  []string `json:"names"` // of what is odd, at most 20
}

// PhalaWorkers are sessions with their workers.
type PhalaWorkers struct {
	PhalaState
	Workers []PhalaWorker `json:"workers"`
}

// PhalaWorker is a session with its worker. PHA, V and Ve are decimal text.
type PhalaWorker struct {
	Worker     string  `json:"worker"`
	Account    string  `json:"account"`
	Pool       *uint64 `json:"pool"` // null: in none
	Bound      bool    `json:"bound"`
	State      string  `json:"state"`
	ChainState string  `json:"chain_state"` // the era's own name
	V          string  `json:"v"`
	Ve         string  `json:"ve"`
	PInit      uint32  `json:"p_init"`
	PInstant   uint32  `json:"p_instant"`
	Iterations uint64  `json:"iterations"`
	Stake      string  `json:"stake"`
	Reward     string  `json:"reward"`
	Daily      *string `json:"daily"` // null: not asked for
	Cores      uint32  `json:"cores"`
	CPULevel   uint32  `json:"cpu_level"`
	Confidence uint8   `json:"confidence"`
	Score      uint32  `json:"score"`
	Operator   string  `json:"operator"`
	Added      string  `json:"added"`
	Challenged string  `json:"challenged"`
	VUpdated   string  `json:"v_updated"`
	Cooling    string  `json:"cooling_since"`
	Registered string  `json:"registered"`
}

// PhalaPools are stake pools and vaults.
type PhalaPools struct {
	PhalaState
	Pools []PhalaPool `json:"pools"`
}

// PhalaPool is a stake pool or a vault. PHA is decimal text.
type PhalaPool struct {
	Pool        uint64            `json:"pool"`
	Kind        string            `json:"kind"`
	Owner       string            `json:"owner"`
	OwnerGas    string            `json:"owner_gas"`
	Commission  string            `json:"commission"` // percent
	Value       string            `json:"value"`
	Shares      string            `json:"shares"`
	Free        string            `json:"free"`
	Used        string            `json:"used"`
	Releasing   string            `json:"releasing"`
	Cap         *string           `json:"cap"`       // null: none
	Remaining   *string           `json:"remaining"` // below the cap, negative above it; null: no cap
	OwnerReward string            `json:"owner_reward"`
	Claimable   string            `json:"claimable"`
	PerShare    string            `json:"per_share"`   // first era: reward since the pool began
	SharePrice  string            `json:"share_price"` // what a share is worth now
	Workers     int               `json:"workers"`
	States      map[string]int    `json:"states"`
	V           string            `json:"v"`
	Ve          string            `json:"ve"`
	PInit       uint64            `json:"p_init"`
	PInstant    uint64            `json:"p_instant"`
	Reward      string            `json:"reward"`
	RewardShare *string           `json:"reward_share"` // percent of all sessions'; null: the network was not read
	Daily       *string           `json:"daily"`        // null: not asked for
	DailyShare  *string           `json:"daily_share"`  // percent of the network's; null: not known
	Queued      string            `json:"queued"`
	ForceStop   bool              `json:"force_stop_due"`
	ForceStopAt string            `json:"force_stop_at"` // "": nothing uncovered waits
	Locked      bool              `json:"locked"`        // a vault whose stake is being taken out of its pools
	Invests     []uint64          `json:"invests"`
	Queue       []PhalaWithdrawal `json:"queue"`
}

// PhalaWithdrawal waits in a pool's queue.
type PhalaWithdrawal struct {
	User     string `json:"user"`
	Shares   string `json:"shares"`
	Amount   string `json:"amount"`
	Start    string `json:"start"`
	Deadline string `json:"deadline"`
}

// PhalaStakers are who has staked in pools and vaults.
type PhalaStakers struct {
	PhalaState
	Stakers []PhalaStaker `json:"stakers"`
}

// PhalaStaker is somebody's stake in a pool. PHA and shares are decimal text.
type PhalaStaker struct {
	Pool      uint64  `json:"pool"`
	Kind      string  `json:"kind"`
	Staker    string  `json:"staker"`
	Shares    *string `json:"shares"` // null: the chain does not tell
	Value     *string `json:"value"`  // of the shares, at their present price
	Part      *string `json:"part"`   // percent of the pool's shares
	Queued    string  `json:"queued"` // shares that wait in the pool's queue: in v1 part of shares, in v2 beside them
	Locked    string  `json:"locked"` // v1: paid in; v2: locked by the account's votes, over all pools
	Available string  `json:"available"`
	Pending   string  `json:"pending"`
	Debt      string  `json:"debt"`
	Claimable string  `json:"claimable"`
}

// Estimate is what a worker would earn.
type Estimate struct {
	Params   string         `json:"params"` // their name, or the block they are of
	Results  []EstimateLine `json:"results"`
	Problems []string       `json:"problems"`
}

// EstimateLine is one result.
type EstimateLine struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Formula string `json:"formula"`
}
