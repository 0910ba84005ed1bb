package fleet

// Condition is our neutral reading of a worker, the same for every bridge generation.
type Condition string

// Conditions of a worker. Unknown is neither healthy nor broken: nobody answered, or the answer made no sense.
const (
	Working      Condition = "Working"
	Syncing      Condition = "Syncing"
	Starting     Condition = "Starting"
	Failing      Condition = "Failed"
	Unresponsive Condition = "Unresponsive"
	CoolingDown  Condition = "CoolingDown"
	Leaving      Condition = "Leaving"
	Disabled     Condition = "Disabled"
	Unknown      Condition = "Unknown"
)

// Conditions lists every condition in the order in which people read them: the bad ones first.
func Conditions() []Condition {
	return []Condition{Failing, Unresponsive, Unknown, Starting, Syncing, CoolingDown, Leaving, Disabled, Working}
}

// NodeCondition is our reading of a node.
type NodeCondition string

// Conditions of a node (deciding.md, "Standing still").
const (
	NodeHealthy        NodeCondition = "Healthy"
	NodeSyncing        NodeCondition = "Syncing"        // behind, and growing
	NodeLagging        NodeCondition = "Lagging"        // growing, but the distance to its target grows too
	NodeStalled        NodeCondition = "Stalled"        // stands still while its witnesses move, or alone for long
	NodeStarved        NodeCondition = "Starved"        // stands still without peers
	NodeDown           NodeCondition = "Down"           // its host shows that it is not there
	NodeNetworkStalled NodeCondition = "NetworkStalled" // every independent witness stands still too
	NodeNetworkEnded   NodeCondition = "NetworkEnded"   // no head anywhere for 72 h
	NodeUnknown        NodeCondition = "Unknown"
)

// BridgeCondition is our reading of a bridge's own parts.
type BridgeCondition string

// Conditions of a bridge.
const (
	BridgeHealthy     BridgeCondition = "Healthy"
	BridgeBlind       BridgeCondition = "Blind"       // the monitor does not answer: we cannot see, which says nothing of the lifecycle
	BridgeNoLifecycle BridgeCondition = "NoLifecycle" // the monitor answers, the lifecycle does not
	BridgeStarved     BridgeCondition = "Starved"     // its data provider stands still or is gone
	BridgeUnknown     BridgeCondition = "Unknown"
)

// ParentCondition is our reading of what many hang on and nobody can ask: a site, a host, a pool, the fleet.
type ParentCondition string

// Conditions of a parent.
const (
	ParentClear   ParentCondition = "Clear"
	ParentSuspect ParentCondition = "Suspect"
)

// NetworkCondition is our reading of a network by what its chain says.
type NetworkCondition string

// Conditions of a network.
const (
	NetworkClear   NetworkCondition = "Clear"
	NetworkStands  NetworkCondition = "Stands"  // no new final block
	NetworkUnpaid  NetworkCondition = "Unpaid"  // nobody's reward grows
	NetworkUnheard NetworkCondition = "Unheard" // very many of everybody's sessions are marked unresponsive
	NetworkUpgrade NetworkCondition = "Upgrade" // a runtime upgrade is authorized or scheduled
	NetworkSuspect NetworkCondition = "Suspect" // many of our workers on it are in the same trouble on chain
	NetworkUnknown NetworkCondition = "Unknown" // the chain was not read, or what was read is old
)

// NetworkConditions lists every condition of a network.
func NetworkConditions() []NetworkCondition {
	return []NetworkCondition{NetworkStands, NetworkUnpaid, NetworkUnheard, NetworkSuspect, NetworkUpgrade, NetworkUnknown, NetworkClear}
}

// StakePoolCondition is our reading of a stake pool by what the chain says of it.
type StakePoolCondition string

// Conditions of a stake pool.
const (
	StakePoolClear     StakePoolCondition = "Clear"
	StakePoolForceStop StakePoolCondition = "ForceStop" // its workers are about to be stopped for the sake of its withdrawal queue
	StakePoolNoProxy   StakePoolCondition = "NoProxy"   // who signs for it has no right to
	StakePoolLowGas    StakePoolCondition = "LowGas"    // who signs for it runs out of fees
	StakePoolSuspect   StakePoolCondition = "Suspect"   // many of its workers are in the same trouble on chain
	StakePoolUnknown   StakePoolCondition = "Unknown"   // the chain was not read, or what was read is old
)

// StakePoolConditions lists every condition of a stake pool.
func StakePoolConditions() []StakePoolCondition {
	return []StakePoolCondition{StakePoolForceStop, StakePoolNoProxy, StakePoolLowGas, StakePoolSuspect, StakePoolUnknown, StakePoolClear}
}

// Severity is how loudly a person is told.
type Severity string

// Severities, quietest first.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)
