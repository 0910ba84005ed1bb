package wire

import "phalops/internal/sim/world"

// Pallets that only carry other calls, by Khala's numbers.
const (
	palletUtility = 3
	palletProxy   = 5
)

// callTypes are what accounts may sign, as far as the owner of a pool has to: the other calls of these pallets are left out, the
// numbers are those of Khala 1241, in v1 of 1190.
type callTypes struct {
	systemCall, timestampCall, utilityCall, proxyCall, poolCall typeID
	call                                                        typeID // any of them
}

// calls makes call, which utilityCall and proxyCall hold in turn.
func (b *runtimeTypes) calls(name string, era world.Era, bytes typeID) {
	pallet := func(of string) []string { return []string{of, "pallet", "Call"} }
	b.systemCall = b.variant(pallet("frame_system"), nil, metaVariant{"remark", 0, []metaField{{"remark", bytes}}})
	b.timestampCall = b.variant(pallet("pallet_timestamp"), nil, metaVariant{"set", 0, []metaField{{"now", b.compact(b.u64)}}})
	all := []metaVariant{{"System", palletSystem, []metaField{{"", b.systemCall}}}, {"Timestamp", palletTimestamp, []metaField{{"", b.timestampCall}}}}
	b.call = b.reserve()
	if era != "" {
		several := []metaField{{"calls", b.sequence(b.call)}}
		b.utilityCall = b.variant(pallet("pallet_utility"), nil,
			metaVariant{"batch", 0, several}, metaVariant{"batch_all", 2, several}, metaVariant{"force_batch", 4, several})
		kind := b.enum([]string{name + "_runtime", "ProxyType"}, "Any", "NonTransfer", "CancelProxy", "Governance", "Collator", "StakePoolManager")
		b.proxyCall = b.variant(pallet("pallet_proxy"), nil,
			metaVariant{"proxy", 0, []metaField{{"real", b.address}, {"force_proxy_type", b.option(kind)}, {"call", b.call}}})
		all = append(all, metaVariant{"Utility", palletUtility, []metaField{{"", b.utilityCall}}}, metaVariant{"Proxy", palletProxy, []metaField{{"", b.proxyCall}}},
			b.poolCalls(era))
	}
	b.fill(b.call, []string{name + "_runtime", "RuntimeCall"}, nil, writeVariants(all))
}

// poolCalls are those about stake pools and their workers.
func (b *runtimeTypes) poolCalls(era world.Era) metaVariant {
	worker := []metaField{{"pid", b.u64}, {"worker", b.publicKey}}
	stake := append(worker[:2:2], metaField{"stake", b.u128})
	path, name, index := []string{"phala_pallets", "compute", "stake_pool_v2", "pallet", "Call"}, "PhalaStakePoolv2", byte(palletStakePoolV2)
	verb, first, restart := "computing", byte(13), byte(17)
	if era == world.EraV1 {
		path, name, index = []string{"phala_pallets", "stakepool", "pallet", "Call"}, "PhalaStakePool", palletStakePool
		verb, first, restart = "mining", 14, 19
	}
	b.poolCall = b.variant(path, nil,
		metaVariant{name: "create"},
		metaVariant{"add_worker", 1, []metaField{{"pid", b.u64}, {"pubkey", b.publicKey}}},
		metaVariant{"remove_worker", 2, worker},
		metaVariant{"set_cap", 3, []metaField{{"pid", b.u64}, {"cap", b.u128}}},
		metaVariant{"start_" + verb, first, stake},
		metaVariant{"stop_" + verb, first + 1, worker},
		metaVariant{"reclaim_pool_worker", first + 2, worker},
		metaVariant{"restart_" + verb, restart, stake},
	)
	return metaVariant{name, index, []metaField{{"", b.poolCall}}}
}
