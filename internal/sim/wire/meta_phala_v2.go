package wire

import "phalops/internal/sim/world"

func (b *runtimeTypes) assetsPallet() metaPallet {
	reason := b.variant([]string{"pallet_assets", "types", "ExistenceReason"}, nil, metaVariant{name: "Consumer"}, metaVariant{name: "Sufficient", index: 1},
		metaVariant{"DepositHeld", 2, []metaField{{"", b.u128}}}, metaVariant{name: "DepositRefunded", index: 3})
	account := b.composite([]string{"pallet_assets", "types", "AssetAccount"}, metaField{"balance", b.u128}, metaField{"is_frozen", b.bool},
		metaField{"reason", reason}, metaField{"extra", b.none})
	return metaPallet{name: "Assets", index: palletAssets, entries: []metaEntry{b.blakeMap("Account", account, b.u32, b.accountID)}}
}

func (b *runtimeTypes) rmrkPallet() metaPallet {
	pair := b.tuple(b.u32, b.u32)
	nft := []string{"rmrk_traits", "nft"}
	owner := b.variant(append(nft[:2:2], "AccountIdOrCollectionNftTuple"), nil, metaVariant{"AccountId", 0, []metaField{{"", b.accountID}}},
		metaVariant{"CollectionAndNftTuple", 1, []metaField{{"", b.u32}, {"", b.u32}}})
	royalty := b.composite(append(nft[:2:2], "RoyaltyInfo"), metaField{"recipient", b.accountID},
		metaField{"amount", b.wrap([]string{"sp_arithmetic", "per_things", "Permill"}, b.u32)})
	info := b.composite(append(nft[:2:2], "NftInfo"), metaField{"owner", owner}, metaField{"royalty", b.option(royalty)}, metaField{"metadata", b.bounded},
		metaField{"equipped", b.option(pair)}, metaField{"pending", b.bool}, metaField{"transferable", b.bool})
	return metaPallet{name: "RmrkCore", index: palletRMRK, entries: []metaEntry{
		{name: "Nfts", key: pair, value: info, hasher: hasherTwoxConcat, parts: 2, optional: true, instead: []byte{0}},
		b.blakeMap("Properties", b.bounded, b.u32, b.option(b.u32), b.bounded)}}
}

func (b *runtimeTypes) stakePoolV2Pallet() metaPallet {
	return metaPallet{name: "PhalaStakePoolv2", index: palletStakePoolV2, calls: b.poolCall, entries: []metaEntry{
		twoxMap("LegacyRewards", b.tuple(b.accountID, b.u64), b.u128), twoxMap("WorkerAssignments", b.publicKey, b.u64),
		twoxMap("SubAccountAssignments", b.accountID, b.u64), plain("WorkingEnabled", b.bool, 0),
		twoxMap("SubAccountPreimages", b.accountID, b.tuple(b.u64, b.publicKey)),
	}, constants: []metaConstant{{"MinContribution", b.u128, number128(minContribution)}, {"GracePeriod", b.u64, number64(gracePeriodSeconds)},
		{"ComputingEnabledByDefault", b.bool, scale{0}}, {"MaxPoolWorkers", b.u32, number32(maxPoolWorkers)}}}
}

func (b *runtimeTypes) vaultPallet() metaPallet {
	return metaPallet{name: "PhalaVault", index: palletVault, entries: []metaEntry{twoxMap("VaultLocks", b.u64, b.none)},
		constants: []metaConstant{{"InitialPriceCheckPoint", b.u128, number128(initialVaultPrice)}}}
}

func (b *runtimeTypes) wrappedPallet() metaPallet {
	account := b.composite([]string{"phala_pallets", "compute", "wrapped_balances", "pallet", "FinanceAccount"},
		metaField{"invest_pools", b.sequence(b.tuple(b.u64, b.u32))}, metaField{"locked", b.u128})
	return metaPallet{name: "PhalaWrappedBalances", index: palletWrapped, entries: []metaEntry{twoxMap("StakerAccounts", b.accountID, account)},
		constants: []metaConstant{{"WPhaAssetId", b.u32, number32(world.WPHA)},
			{"WrappedBalancesAccountId", b.accountID, append(scale("wpha/"), zeros(27)...)}}}
}

func (b *runtimeTypes) basePoolPallet() metaPallet {
	base := []string{"phala_pallets", "compute", "base_pool", "pallet"}
	proxy := []string{"phala_pallets", "compute", "pool_proxy"}
	queue := b.composite(append(base[:4:4], "WithdrawInfo"), metaField{"user", b.accountID}, metaField{"start_time", b.u64}, metaField{"nft_id", b.u32})
	basePool := b.composite(append(base[:4:4], "BasePool"), metaField{"pid", b.u64}, metaField{"owner", b.accountID}, metaField{"total_shares", b.u128},
		metaField{"total_value", b.u128}, metaField{"withdraw_queue", b.sequence(queue)}, metaField{"value_subscribers", b.u64s}, metaField{"cid", b.u32},
		metaField{"pool_account_id", b.accountID})
	stakePool := b.composite(append(proxy[:3:3], "StakePool"), metaField{"basepool", basePool}, metaField{"payout_commission", b.permill},
		metaField{"cap", b.perhaps}, metaField{"workers", b.keys}, metaField{"cd_workers", b.keys}, metaField{"lock_account", b.accountID},
		metaField{"owner_reward_account", b.accountID})
	vault := b.composite(append(proxy[:3:3], "Vault"), metaField{"basepool", basePool}, metaField{"last_share_price_checkpoint", b.u128},
		metaField{"commission", b.permill}, metaField{"owner_shares", b.u128}, metaField{"invest_pools", b.u64s})
	pool := b.variant(append(proxy[:3:3], "PoolProxy"), nil, metaVariant{"StakePool", 0, []metaField{{"", stakePool}}},
		metaVariant{"Vault", 1, []metaField{{"", vault}}})
	return metaPallet{name: "PhalaBasePool", index: palletBasePool, entries: []metaEntry{
		{name: "NextNftId", key: b.u32, value: b.u32, hasher: hasherTwoxConcat, instead: zeros(4)},
		plain("PoolCount", b.u64, zeros(8)...), twoxMap("PoolCollections", b.u32, b.u64), plain("CollectionIndex", b.u32, zeros(4)...),
		twoxMap("Pools", b.u64, pool), twoxMap("PoolContributionWhitelists", b.u64, b.accounts), twoxMap("PoolDescriptions", b.u64, b.bounded),
	}}
}
