package decide

import "time"

// txErrors are what the chain refused, the same words in every generation: the names of the pallets' errors (phala-blockchain
// pallets/phala: registry.rs, mq.rs, computation.rs, stake_pool_v2.rs) and what a node says of a transaction. They come
// before everything else, because a transaction's text carries a stack in which anything may stand.
var txErrors = []errorRule{
	{name: "tx.gas", any: []string{"inability to pay", "insufficientbalance", "balance too low", "fundsunavailable"},
		want: wantPerson, parent: true, cause: causeGas, code: "worker.error.gas"},
	{name: "tx.nonce", any: []string{"transaction is outdated", "1014: priority", "1013: transaction already imported", "transaction will be valid in the future"},
		want: wantRestart, hold: 2 * time.Minute, tries: 2, cause: causeGas, code: "worker.error.nonce"},
	{name: "tx.signature", any: []string{"transaction has a bad signature"}, want: wantRestart, hold: 2 * time.Minute, tries: 2, cause: causeRuntime,
		code: "worker.error.signature"},
	{name: "tx.stake", any: []string{"insufficientfreestake", "insufficientcontribution", "insufficientstake", "toomuchstake",
		"cannotrestartwithlessstake", "inadequatecapacity", "stakeexceedscapacity", "cannotstartwithexistingstake", "at least > 1pha"},
		want: wantPerson, cause: causePool, code: "worker.error.stake"},
	{name: "tx.operator", any: []string{"unauthorizedoperator", "unauthorizedpoolowner", "invalid pool operator", "proxy.notproxy", "proxy.nopermission", "proxy.unproxyable"},
		want: wantPerson, cause: causeOperator, code: "worker.error.operator"},
	{name: "tx.pool", any: []string{"workerinanotherpool", "pooldoesnotexist", "workersexceedlimit", "workerdoesnotexist", "duplicatebound",
		"failedtobindsessionandworker", "featurenotenabled", "assigned to other pool"}, want: wantPerson, cause: causePool,
		code: "worker.error.pool"},
	{name: "tx.cooling", any: []string{"cooldownnotready", "workeralreadystopped"}, want: wantPerson, cause: causePool, code: "worker.error.cooling"},
	{name: "tx.image", any: []string{"pruntimerejected", "pruntimenotfound", "pruntime is outdated", "consensus version requirement",
		"invalidconsensusversion", "invalidruntimeinfo"}, want: wantPerson, cause: causeAllowlist, code: "worker.error.image"},
	{name: "tx.chain", any: []string{"genesisblockhash", "parachainidmismatch"}, want: wantPerson, cause: causeImage, code: "worker.error.other_chain"},
	{name: "tx.metadata", any: []string{"invalid metadata"}, want: wantPerson, parent: true, cause: causeRuntime, code: "worker.error.metadata"},
	{name: "tx.attestation", any: []string{"iasreport", "iassigningcert", "invalidquotestatus", "invalidreport", "invaliddcapquote", "unknownquotebodyformat",
		"unsupportedattestationtype", "noneattestationdisabled", "invalidendpointsigningtime", "attestation report", "attestation_report"},
		want: wantPerson, cause: causePCCS, code: "worker.error.attestation"},
	{name: "tx.benchmark", any: []string{"benchmarkmissing", "benchmarktoolow", "workerisnotready", "workernotready", "invalidbenchreport"},
		want: wantRestart, hold: 10 * time.Minute, tries: 2, code: "worker.error.benchmark"},
	{name: "tx.registration", any: []string{"workernotregistered", "workernotfound", "workerreregisterneeded", "sessionnotfound", "sessionnotbound",
		"sessiondoesnotexist", "workernotbound", "workernotcomputing"}, want: wantRestart, hold: 2 * time.Minute, tries: 1,
		code: "worker.error.registration"},
	{name: "tx.exists", any: []string{"workerexists", "badsequence"}, want: wantRestart, hold: 2 * time.Minute, tries: 1, code: "worker.error.exists"},
}

// pruntimeErrors are what a pRuntime answered instead of doing what it was asked (phactory: storage_sync.rs,
// prpc_service.rs), the same in every generation.
var pruntimeErrors = []errorRule{
	{name: "block_number", any: []string{"blocknumbermismatch"}, want: wantRestart, hold: time.Minute, feeder: true, code: "worker.error.block_number"},
	{name: "other_chain", any: []string{"chainmodemismatch", "genesis block hash mismatches", "parachain id mismatches", "loading different parachain state"},
		want: wantPerson, cause: causeImage, code: "worker.error.other_chain"},
	{name: "validation", any: []string{"headerhashmismatch", "headervalidatefailed", "storageprooffailed", "missingjustification",
		"staterootmismatch", "state root mismatch", "decode input parameter failed", "decodeerror"}, want: wantPerson, parent: true, node: true,
		cause: causeSource, code: "worker.error.validation"},
	{name: "no_state", any: []string{"nostateroot", "relaychainheadernotsynced", "emptyrequest"}, want: wantRestart, hold: 2 * time.Minute,
		cause: causeSource, code: "worker.error.no_state"},
	{name: "uninitialized", any: []string{"runtime not initialized", "uninitiated runtime info", "system is uninitialized"},
		want: wantRestart, hold: time.Minute, code: "worker.error.uninitialized"},
	{name: "initialized", any: []string{"runtime already initialized"}, want: wantRestart, hold: time.Minute, feeder: true, code: "worker.error.initialized"},
	{name: "busy", any: []string{"rcu in progress", "failed to lock"}, want: wantRestart, hold: 5 * time.Minute, code: "worker.error.busy"},
	{name: "safe_mode", any: []string{"in safe mode", "safe_mode_level"}, want: wantPerson, code: "worker.error.safe_mode"},
	{name: "fast_sync", any: []string{"can not load chain state", "failed to load state", "cannotloadstateaftersyncing"}, want: wantPerson,
		code: "worker.error.fast_sync"},
	{name: "attestation", any: []string{"failed to create attestation", "ra is disallowed"}, want: wantPerson, cause: causePCCS,
		code: "worker.error.attestation"},
	{name: "provider", any: []string{"unsupported attestation provider"}, want: wantPerson, cause: causeImage, code: "worker.error.provider"},
	{name: "method", any: []string{"method not found", "not a gatekeeper"}, want: wantPerson, cause: causeImage, code: "worker.error.method"},
	{name: "checkpoint", any: []string{"failed to load checkpoint"}, want: wantPerson, code: "worker.error.checkpoint"},
}
