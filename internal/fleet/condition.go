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

// Severity is how loudly a person is told.
type Severity string

// Severities, quietest first.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)
