package wire

import (
	"slices"

	"phalops/internal/sim/world"
)

// Pallets of Khala's that only a parachain has.
const (
	palletParachain      = 21
	palletRegistry       = 86
	palletComputation    = 87
	palletStakePool      = 88
	palletAssets         = 89
	palletRMRK           = 102
	palletStakePoolV2    = 93
	palletVault          = 94
	palletWrapped        = 95
	palletBasePool       = 96
	minContribution      = 10_000_000_000
	maxPoolWorkers       = 200
	initialVaultPrice    = world.PHA
	coolDownSeconds      = uint64(world.CoolDown / 1e9)
	gracePeriodSeconds   = uint64(world.GracePeriod / 1e9)
	computingStartBlock  = 414_189
	computingHalvingTime = 1_296_000
)

// phalaPallets are what a parachain stores beyond what every chain does.
func (b *runtimeTypes) phalaPallets(era world.Era) []metaPallet {
	if era == "" {
		return nil
	}
	pallets := []metaPallet{b.parachainPallet(), b.registryPallet(era)}
	if era == world.EraV1 {
		return append(pallets, b.miningPallet(), b.stakePoolPallet())
	}
	return append(pallets, b.computationPallet(), b.assetsPallet(), b.rmrkPallet(), b.stakePoolV2Pallet(), b.vaultPallet(), b.wrappedPallet(),
		b.basePoolPallet())
}

// phalaTypes are the types that several of these pallets name.
type phalaTypes struct {
	bool, text, blob, none        typeID
	publicKey, bounded, tokenomic typeID
	u64s, keys, accounts          typeID
	permill, perhaps              typeID // perhaps is a balance, or none
}

func (b *runtimeTypes) prepare(era world.Era) {
	b.bool, b.text, b.blob, b.none = b.primitive(primBool), b.primitive(primText), b.sequence(b.u8), b.tuple()
	b.publicKey = b.wrap([]string{"sp_core", "sr25519", "Public"}, b.array(32, b.u8))
	crate := []string{"bounded_collections", "bounded_vec", "BoundedVec"}
	if era == world.EraV1 {
		crate = []string{"sp_core", "bounded", "bounded_vec", "BoundedVec"}
	}
	b.bounded = b.wrap(crate, b.blob)
	b.u64s, b.keys, b.accounts = b.sequence(b.u64), b.sequence(b.publicKey), b.sequence(b.accountID)
	b.permill = b.option(b.wrap([]string{"sp_arithmetic", "per_things", "Permill"}, b.u32))
	b.perhaps = b.option(b.u128)
	var fields []metaField
	for _, name := range []string{"pha_rate", "rho", "budget_per_block", "v_max", "cost_k", "cost_b", "slash_rate", "treasury_ratio",
		"heartbeat_window", "rig_k", "rig_b", "re", "k", "kappa"} {
		fields = append(fields, metaField{name, b.u128})
	}
	fields[8].typ = b.u32
	b.tokenomic = b.composite([]string{"phala_types", "messaging", "TokenomicParameters"}, fields...)
}

func (r *registry) option(of typeID) typeID {
	return r.variant([]string{"Option"}, []metaParam{{"T", of}}, metaVariant{name: "None"}, metaVariant{"Some", 1, []metaField{{"", of}}})
}

// Entries in the three forms that Phala uses: a plain value with a default, a plain one that may be absent, a map.
func plain(name string, value typeID, instead ...byte) metaEntry {
	return metaEntry{name: name, value: value, instead: instead}
}

func perhaps(name string, value typeID) metaEntry {
	return metaEntry{name: name, value: value, optional: true, instead: []byte{0}}
}

func twoxMap(name string, key, value typeID) metaEntry {
	return metaEntry{name: name, key: key, value: value, hasher: hasherTwoxConcat, optional: true, instead: []byte{0}}
}

func (b *runtimeTypes) blakeMap(name string, value typeID, keys ...typeID) metaEntry {
	return metaEntry{name: name, key: b.tuple(keys...), value: value, hasher: hasherBlake2Concat, parts: len(keys), optional: true, instead: []byte{0}}
}

func zeros(n int) []byte { return make([]byte, n) }

func number32(n uint32) (s scale)  { s.u32(n); return s }
func number64(n uint64) (s scale)  { s.u64(n); return s }
func number128(n uint64) (s scale) { s.u128(n); return s }

func (b *runtimeTypes) parachainPallet() metaPallet {
	head := b.wrap([]string{"polkadot_parachain", "primitives", "HeadData"}, b.blob)
	data := b.composite([]string{"polkadot_primitives", "v2", "PersistedValidationData"}, metaField{"parent_head", head},
		metaField{"relay_parent_number", b.u32}, metaField{"relay_parent_storage_root", b.hash}, metaField{"max_pov_size", b.u32})
	return metaPallet{name: "ParachainSystem", index: palletParachain, entries: []metaEntry{
		perhaps("ValidationData", data), plain("LastRelayChainBlockNumber", b.u32, zeros(4)...)}}
}

func (b *runtimeTypes) registryPallet(era world.Era) metaPallet {
	name := "WorkerInfoV2"
	fields := []metaField{{"pubkey", b.publicKey}, {"ecdh_pubkey", b.publicKey}, {"runtime_version", b.u32}, {"last_updated", b.u64},
		{"operator", b.option(b.accountID)}}
	if era == world.EraV1 {
		name = "WorkerInfo"
	} else {
		provider := b.enum([]string{"phala_types", "AttestationProvider"}, "Root", "Ias")
		fields = append(fields, metaField{"attestation_provider", b.option(provider)})
	}
	fields = append(fields, metaField{"confidence_level", b.u8}, metaField{"initial_score", b.option(b.u32)}, metaField{"features", b.sequence(b.u32)})
	info := b.composite([]string{"phala_pallets", "registry", "pallet", name}, fields...)
	p := metaPallet{name: "PhalaRegistry", index: palletRegistry, entries: []metaEntry{
		twoxMap("Workers", b.publicKey, info), perhaps("BenchmarkDuration", b.u32)}}
	if era == world.EraV2 {
		p.entries = append(p.entries, twoxMap("WorkerAddedAt", b.publicKey, b.u32))
	}
	return p
}

// session is the record of a worker that computes, in the words of either era.
func (b *runtimeTypes) session(path []string, info, state, stats, start string, states ...string) typeID {
	in := func(name string) []string { return append(slices.Clip(path), name) }
	s := b.enum(in(state), states...)
	bench := b.composite(in("Benchmark"), metaField{"p_init", b.u32}, metaField{"p_instant", b.u32}, metaField{"iterations", b.u64},
		metaField{start, b.u64}, metaField{"challenge_time_last", b.u64})
	total := b.composite(in(stats), metaField{"total_reward", b.u128})
	return b.composite(in(info), metaField{"state", s}, metaField{"ve", b.u128}, metaField{"v", b.u128}, metaField{"v_updated_at", b.u64},
		metaField{"benchmark", bench}, metaField{"cool_down_start", b.u64}, metaField{"stats", total})
}

func (b *runtimeTypes) miningPallet() metaPallet {
	info := b.session([]string{"phala_pallets", "mining", "pallet"}, "MinerInfo", "MinerState", "MinerStats", "mining_start_time",
		"Ready", "MiningIdle", "_Unused", "MiningUnresponsive", "MiningCoolingDown")
	return metaPallet{name: "PhalaMining", index: palletComputation, entries: []metaEntry{
		perhaps("TokenomicParameters", b.tokenomic), perhaps("ScheduledTokenomicUpdate", b.tokenomic),
		plain("OnlineMiners", b.u32, zeros(4)...), perhaps("ExpectedHeartbeatCount", b.u32),
		twoxMap("Miners", b.accountID, info), twoxMap("MinerBindings", b.accountID, b.publicKey), twoxMap("WorkerBindings", b.publicKey, b.accountID),
		plain("CoolDownPeriod", b.u64, zeros(8)...), plain("NextSessionId", b.u32, zeros(4)...),
		perhaps("MiningStartBlock", b.u32), perhaps("MiningHalvingInterval", b.u32), twoxMap("Stakes", b.accountID, b.u128),
	}}
}

func (b *runtimeTypes) computationPallet() metaPallet {
	info := b.session([]string{"phala_pallets", "compute", "computation", "pallet"}, "SessionInfo", "WorkerState", "SessionStats", "working_start_time",
		"Ready", "WorkerIdle", "_Unused", "WorkerUnresponsive", "WorkerCoolingDown")
	return metaPallet{name: "PhalaComputation", index: palletComputation, entries: []metaEntry{
		perhaps("TokenomicParameters", b.tokenomic), perhaps("ScheduledTokenomicUpdate", b.tokenomic),
		plain("OnlineWorkers", b.u32, zeros(4)...), perhaps("ExpectedHeartbeatCount", b.u32), plain("HeartbeatPaused", b.bool, 1),
		plain("MaxBudgetLimit", b.u128, append([]byte{7: 0xc0, 8: 0x5d}, zeros(7)...)...), plain("BudgetUpdateNonce", b.u64, zeros(8)...),
		plain("LastBugdetUpdateBlock", b.u32, zeros(4)...), // as Khala 1241 spells it
		twoxMap("Sessions", b.accountID, info), twoxMap("SessionBindings", b.accountID, b.publicKey), twoxMap("WorkerBindings", b.publicKey, b.accountID),
		plain("CoolDownPeriod", b.u64, zeros(8)...), plain("NextSessionId", b.u32, zeros(4)...),
		perhaps("ComputingStartBlock", b.u32), perhaps("ComputingHalvingInterval", b.u32), twoxMap("Stakes", b.accountID, b.u128),
	}}
}

func (b *runtimeTypes) stakePoolPallet() metaPallet {
	in := func(name string) []string { return []string{"phala_pallets", "stakepool", "pallet", name} }
	acc := b.wrap([]string{"phala_pallets", "utils", "fixed_point", "FixedPoint"}, b.u128)
	queue := b.composite(in("WithdrawInfo"), metaField{"user", b.accountID}, metaField{"shares", b.u128}, metaField{"start_time", b.u64})
	pool := b.composite(in("PoolInfo"), metaField{"pid", b.u64}, metaField{"owner", b.accountID}, metaField{"payout_commission", b.permill},
		metaField{"owner_reward", b.u128}, metaField{"cap", b.perhaps}, metaField{"reward_acc", acc}, metaField{"total_shares", b.u128},
		metaField{"total_stake", b.u128}, metaField{"free_stake", b.u128}, metaField{"releasing_stake", b.u128},
		metaField{"workers", b.keys}, metaField{"withdraw_queue", b.sequence(queue)})
	user := b.composite(in("UserStakeInfo"), metaField{"user", b.accountID}, metaField{"locked", b.u128}, metaField{"shares", b.u128},
		metaField{"available_rewards", b.u128}, metaField{"reward_debt", b.u128})
	return metaPallet{name: "PhalaStakePool", index: palletStakePool, calls: b.poolCall, entries: []metaEntry{
		twoxMap("StakePools", b.u64, pool), twoxMap("PoolStakers", b.tuple(b.u64, b.accountID), user), plain("PoolCount", b.u64, zeros(8)...),
		twoxMap("WorkerAssignments", b.publicKey, b.u64), twoxMap("SubAccountAssignments", b.accountID, b.u64), twoxMap("StakeLedger", b.accountID, b.u128),
		twoxMap("WithdrawalQueuedPools", b.u64, b.u64s), plain("WithdrawalTimestamps", b.u64s, 0), plain("MiningEnabled", b.bool, 0),
		twoxMap("SubAccountPreimages", b.accountID, b.tuple(b.u64, b.publicKey)),
		twoxMap("PoolContributionWhitelists", b.u64, b.accounts), twoxMap("PoolDescriptions", b.u64, b.bounded),
	}, constants: []metaConstant{{"MinContribution", b.u128, number128(minContribution)}, {"GracePeriod", b.u64, number64(gracePeriodSeconds)},
		{"MiningEnabledByDefault", b.bool, scale{0}}, {"MaxPoolWorkers", b.u32, number32(maxPoolWorkers)}}}
}
