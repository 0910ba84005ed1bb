package metrics

import "slices"

// family is one metric as it is documented.
type family struct {
	name   string
	kind   string
	labels []string
	help   string
}

// What is read from the Source.
var (
	nodeUp          = family{"phalops_node_up", "gauge", []string{"node"}, "1 while the node's RPC answers."}
	nodeHeight      = family{"phalops_node_height", "gauge", []string{"node", "chain"}, "Newest imported block. chain is para or relay."}
	nodeFinalized   = family{"phalops_node_finalized_height", "gauge", []string{"node", "chain"}, "Newest finalized block."}
	nodeLag         = family{"phalops_node_lag_blocks", "gauge", []string{"node", "chain"}, "Blocks between the newest imported block and the target that the node knows."}
	nodePeers       = family{"phalops_node_peers", "gauge", []string{"node", "chain"}, "Peers of the node."}
	nodeCondition   = family{"phalops_node_condition", "gauge", []string{"node", "condition"}, "1 for the condition that the node is in, 0 for all others."}
	bridgeUp        = family{"phalops_bridge_up", "gauge", []string{"bridge"}, "1 while the bridge's monitor answers."}
	bridgeCondition = family{"phalops_bridge_condition", "gauge", []string{"bridge", "condition"}, "1 for the condition that the bridge is in, 0 for all others."}
	workers         = family{"phalops_workers", "gauge", []string{"bridge", "condition"}, "Workers by condition."}
	dpHeight        = family{"phalops_dp_height", "gauge", []string{"bridge", "dp", "chain", "stage"}, "Blocks of a data provider. stage is target, fetched or processed."}
	plansByState    = family{"phalops_plans", "gauge", []string{"state"}, "Plans that have not ended, by state."}
	incidentsOpen   = family{"phalops_incidents_open", "gauge", []string{"severity"}, "Open incidents by severity."}
	leaseHeld       = family{"phalops_lease_held", "gauge", []string{"site"}, "1 while this process holds the site's lease and executes its plans."}
	configReloaded  = family{"phalops_config_last_reload_successful", "gauge", nil, "1 while the newest configuration file is the one in use."}
	storeFull       = family{"phalops_store_full", "gauge", nil, "1 while the store works from its reserve because the disk is full: no new plan starts."}
)

// What is counted when it happens.
var (
	buildInfo       = family{"phalops_build_info", "gauge", []string{"version", "goversion"}, "1, with the program's version."}
	actionsTotal    = family{"phalops_actions_total", "counter", []string{"kind", "outcome"}, "Plans that ended, by kind and final state."}
	messagesTotal   = family{"phalops_messages_total", "counter", []string{"channel", "state"}, "Alerts by channel: sent or failed for good."}
	beatDuration    = family{"phalops_beat_duration_seconds", "histogram", []string{"controller"}, "How long a controller's beat took, in real time."}
	beatErrorsTotal = family{"phalops_beat_errors_total", "counter", []string{"controller"}, "Beats that ended with an error."}
	lastBeatTime    = family{"phalops_last_beat_timestamp_seconds", "gauge", []string{"controller"}, "When a controller's newest beat ended, on the fleet's clock."}
)

// pulledFamilies are those that the Source gives.
func pulledFamilies() []family {
	return slices.Concat([]family{
		nodeUp, nodeHeight, nodeFinalized, nodeLag, nodePeers, nodeCondition, bridgeUp, bridgeCondition, workers, dpHeight,
		plansByState, incidentsOpen, leaseHeld, configReloaded, storeFull,
	}, chainFamilies(), poolFamilies(), chainWorkerFamilies(), oldFamilies())
}

// families are all of ours, in the order of the documentation.
func families() []family {
	return append(pulledFamilies(), actionsTotal, messagesTotal, beatDuration, beatErrorsTotal, lastBeatTime, buildInfo)
}
