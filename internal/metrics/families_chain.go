package metrics

// What a network's chain says of itself. PHA is in whole PHA, as a float: for charts, not for accounts.
var (
	chainUp       = family{"phalops_chain_up", "gauge", []string{"network"}, "1 while the network's chain is read."}
	chainRead     = family{"phalops_chain_read_timestamp_seconds", "gauge", []string{"network"}, "When the chain was read last, on the fleet's clock."}
	chainHeight   = family{"phalops_chain_height", "gauge", []string{"network"}, "Finalized block at which the chain was read."}
	chainBlock    = family{"phalops_chain_block_timestamp_seconds", "gauge", []string{"network"}, "The time of that block."}
	chainSpec     = family{"phalops_chain_spec_version", "gauge", []string{"network"}, "Version of the chain's runtime."}
	chainUpgrade  = family{"phalops_chain_upgrade_pending", "gauge", []string{"network"}, "1 while a runtime upgrade is authorized or scheduled."}
	chainOnline   = family{"phalops_chain_online_workers", "gauge", []string{"network"}, "Sessions that compute or are unresponsive, as the chain counts them."}
	chainPools    = family{"phalops_chain_pools", "gauge", []string{"network"}, "Stake pools."}
	chainSessions = family{"phalops_chain_sessions", "gauge", []string{"network", "state"}, "Sessions by state, those of workers that left included."}
	chainWorkers  = family{"phalops_chain_registered_workers", "gauge", []string{"network"}, "Workers of the registry."}
	chainStake    = family{"phalops_chain_stake_pha", "gauge", []string{"network"}, "Stake of workers."}
	chainValue    = family{"phalops_chain_pool_value_pha", "gauge", []string{"network"}, "Stake of pools."}
	chainFree     = family{"phalops_chain_free_stake_pha", "gauge", []string{"network"}, "Stake of pools that no worker has."}
	chainV        = family{"phalops_chain_v", "gauge", []string{"network"}, "Sum of V of the sessions that compute or are unresponsive."}
	chainVe       = family{"phalops_chain_ve", "gauge", []string{"network"}, "Sum of their V at the start."}
	chainReward   = family{"phalops_chain_reward_pha", "gauge", []string{"network"}, "Rewards of all sessions. Falls when a worker is bound anew."}
	chainEarned   = family{"phalops_chain_earned_pha_total", "counter", []string{"network"}, "Rewards of all sessions since phalops watches the network."}
	chainDaily    = family{"phalops_chain_daily_reward_pha", "gauge", []string{"network"}, "Rewards of the last 24 hours, or of less time in proportion."}
)

func chainFamilies() []family {
	return []family{
		chainUp, chainRead, chainHeight, chainBlock, chainSpec, chainUpgrade, chainOnline, chainPools, chainSessions, chainWorkers, chainStake, chainValue,
		chainFree, chainV, chainVe, chainReward, chainEarned, chainDaily,
	}
}

// What a chain says of our stake pools.
var (
	poolValue      = family{"phalops_pool_value_pha", "gauge", []string{"network", "pid"}, "Stake of one of our pools."}
	poolFree       = family{"phalops_pool_free_stake_pha", "gauge", []string{"network", "pid"}, "Its stake that no worker has."}
	poolUsed       = family{"phalops_pool_used_stake_pha", "gauge", []string{"network", "pid"}, "Its stake on workers."}
	poolReleasing  = family{"phalops_pool_releasing_stake_pha", "gauge", []string{"network", "pid"}, "Its stake on workers that cool down."}
	poolCap        = family{"phalops_pool_cap_pha", "gauge", []string{"network", "pid"}, "Its cap. No series without one."}
	poolCommission = family{"phalops_pool_commission_ratio", "gauge", []string{"network", "pid"}, "Its commission, 0 to 1."}
	poolOwed       = family{"phalops_pool_owner_reward_pha", "gauge", []string{"network", "pid"}, "What its owner can claim."}
	poolGas        = family{"phalops_pool_gas_pha", "gauge", []string{"network", "pid", "account"}, "What the accounts that sign for it, the owner first, have for fees."}
	poolWorkers    = family{"phalops_pool_workers", "gauge", []string{"network", "pid", "state"}, "Its workers by the state of their sessions."}
	poolReward     = family{"phalops_pool_reward_pha", "gauge", []string{"network", "pid"}, "Rewards of its sessions. Falls when a worker is bound anew."}
	poolDaily      = family{"phalops_pool_daily_reward_pha", "gauge", []string{"network", "pid"}, "Their rewards of the last 24 hours, or of less time in proportion."}
	poolQueued     = family{"phalops_pool_queued_pha", "gauge", []string{"network", "pid"}, "Withdrawals that wait."}
	poolStop       = family{"phalops_pool_force_stop_timestamp_seconds", "gauge", []string{"network", "pid"}, "When all its workers will be stopped for withdrawals that nothing covers. No series while nothing is due."}
)

func poolFamilies() []family {
	return []family{
		poolValue, poolFree, poolUsed, poolReleasing, poolCap, poolCommission, poolOwed, poolGas, poolWorkers, poolReward, poolDaily, poolQueued, poolStop,
	}
}

// What a chain says of workers: ours, and all where the configuration asks for them (chain.all_workers).
var (
	workerInfo       = family{"phalops_worker_chain_info", "gauge", []string{"network", "worker", "bridge", "name"}, "1; whose public key it is. Only of workers that a bridge of ours shows."}
	workerState      = family{"phalops_worker_chain_state", "gauge", []string{"network", "pid", "worker", "state"}, "1 for the state that the worker's session is in; the other states have no series."}
	workerV          = family{"phalops_worker_chain_v", "gauge", []string{"network", "pid", "worker"}, "V of the session."}
	workerVe         = family{"phalops_worker_chain_ve", "gauge", []string{"network", "pid", "worker"}, "V at its start."}
	workerPInit      = family{"phalops_worker_chain_p_init", "gauge", []string{"network", "pid", "worker"}, "Score at the start."}
	workerPInstant   = family{"phalops_worker_chain_p_instant", "gauge", []string{"network", "pid", "worker"}, "Score at the last heartbeat."}
	workerStake      = family{"phalops_worker_chain_stake_pha", "gauge", []string{"network", "pid", "worker"}, "Stake of the session."}
	workerReward     = family{"phalops_worker_chain_reward_pha", "gauge", []string{"network", "pid", "worker"}, "Its rewards. Falls when the worker is bound anew."}
	workerDaily      = family{"phalops_worker_chain_daily_reward_pha", "gauge", []string{"network", "pid", "worker"}, "Its rewards of the last 24 hours, or of less time in proportion."}
	workerChallenged = family{"phalops_worker_chain_challenged_timestamp_seconds", "gauge", []string{"network", "pid", "worker"}, "The last heartbeat that the chain asked for."}
	workersLeftOut   = family{"phalops_worker_chain_left_out", "gauge", []string{"network"}, "Workers that have no series because there are too many."}
)

func chainWorkerFamilies() []family {
	return []family{
		workerInfo, workerState, workerV, workerVe, workerPInit, workerPInstant, workerStake, workerReward, workerDaily, workerChallenged, workersLeftOut,
	}
}

// Metrics by the names, labels and units that the boards of wowvwow/Phala-Network ask for, with the network as a further label. job
// and instance are Prometheus's own. What is not of our pools has no miner_pid, so that sums are the network's.
var (
	oldMinted     = family{"phala_all_miners_minted_num", "gauge", []string{"network", "miner_pid"}, "Old name: rewards in PHA. Without miner_pid: of all that is not told by pool."}
	oldState      = family{"phala_all_miners_state_num", "gauge", []string{"network", "miner_pid", "state"}, "Old name: sessions by state (Ready, MiningIdle, MiningUnresponsive, MiningCoolingDown). Without miner_pid: of all that is not told by pool."}
	oldStakers    = family{"phala_all_user_staker_info_num", "gauge", []string{"network", "staker_info"}, "Old name: stakes of the network. staker_info is pools (a number), locked (PHA) or shares."}
	oldBalances   = family{"pid_owner_blances", "gauge", []string{"network", "pid", "owner"}, "Old name: what the owner of one of our pools has for fees, in PHA."}
	oldReward     = family{"pid_owner_reward_num", "gauge", []string{"network", "pid", "owner"}, "Old name: what the owner can claim, in PHA."}
	oldWorkers    = family{"pid_workers_num", "gauge", []string{"network", "pid", "owner"}, "Old name: workers of the pool."}
	oldCommission = family{"pid_payout_commission_num", "gauge", []string{"network", "pid", "owner"}, "Old name: commission in percent."}
	oldFree       = family{"pid_free_stake_num", "gauge", []string{"network", "pid", "owner"}, "Old name: free stake of the pool in PHA."}
	oldTotal      = family{"pid_total_stake_num", "gauge", []string{"network", "pid", "owner"}, "Old name: stake of the pool in PHA."}
)

func oldFamilies() []family {
	return []family{oldMinted, oldState, oldStakers, oldBalances, oldReward, oldWorkers, oldCommission, oldFree, oldTotal}
}
