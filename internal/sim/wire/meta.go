package wire

import (
	"fmt"

	"phalops/internal/sim/world"
)

// Pallets of the simulated runtimes and their numbers: those of Khala's for the first two.
const (
	palletSystem    = 0
	palletTimestamp = 1
	palletBalances  = 40
)

const (
	blockHashCount     = 1200
	existentialDeposit = 10_000_000_000
)

// metadata is metadata v14 of a small runtime of our own: what a client needs to connect, to follow heads and blocks and to
// read System, Timestamp and Balances, and of a parachain what Phala stores in one of its eras ("": no Phala). Its types have the
// names and shapes that Khala 1241 gives them, in v1 those of 1190.
func metadata(name string, ss58 uint16, blockMillis uint64, era world.Era) []byte {
	b := newRuntimeTypes(name, era)
	var prefix, count, deposit, period scale
	prefix.u16(ss58)
	count.u32(blockHashCount)
	deposit.u128(existentialDeposit)
	period.u64(blockMillis / 2)
	pallets := []metaPallet{
		{name: "System", index: palletSystem, calls: b.systemCall, event: b.systemEvent, entries: []metaEntry{
			{name: "Account", hasher: hasherBlake2Concat, key: b.accountID, value: b.accountInfo, instead: make([]byte, 80)},
			{name: "ExtrinsicCount", optional: true, value: b.u32, instead: []byte{0}},
			{name: "BlockHash", hasher: hasherTwoxConcat, key: b.u32, value: b.hash, instead: make([]byte, 32)},
			{name: "Number", value: b.u32, instead: make([]byte, 4)},
			{name: "ParentHash", value: b.hash, instead: make([]byte, 32)},
			{name: "Events", value: b.events, instead: []byte{0}},
		}, constants: []metaConstant{{"BlockHashCount", b.u32, count}, {"SS58Prefix", b.u16, prefix}}},
		{name: "Timestamp", index: palletTimestamp, calls: b.timestampCall, entries: []metaEntry{
			{name: "Now", value: b.u64, instead: make([]byte, 8)},
		}, constants: []metaConstant{{"MinimumPeriod", b.u64, period}}},
		{name: "Balances", index: palletBalances, entries: []metaEntry{
			{name: "TotalIssuance", value: b.u128, instead: make([]byte, 16)},
		}, constants: []metaConstant{{"ExistentialDeposit", b.u128, deposit}}},
	}
	if era != "" {
		pallets = append(pallets, metaPallet{name: "Utility", index: palletUtility, calls: b.utilityCall}, metaPallet{name: "Proxy", index: palletProxy, calls: b.proxyCall})
	}
	pallets = append(pallets, b.phalaPallets(era)...)
	var s scale
	s.byte([]byte("meta")...)
	s.byte(14)
	list(&s, b.types, func(t scale) { s.byte(t...) })
	list(&s, pallets, func(p metaPallet) { p.write(&s) })
	s.compact(uint64(b.extrinsic))
	s.byte(4) // the extrinsic format
	list(&s, b.extensions, func(e metaExtension) {
		s.text(e.name)
		s.compact(uint64(e.typ))
		s.compact(uint64(e.signed))
	})
	s.compact(uint64(b.runtime))
	return s
}

// metaExtension is a signed extension: what it adds to an extrinsic, and what is signed beside it.
type metaExtension struct {
	name        string
	typ, signed typeID
}

// runtimeTypes are the types that the metadata's pallets name.
type runtimeTypes struct {
	registry
	phalaTypes
	callTypes
	u8, u16, u32, u64, u128, hash, accountID typeID
	accountInfo, events, systemEvent         typeID
	address, extrinsic, runtime              typeID
	extensions                               []metaExtension
}

func newRuntimeTypes(name string, era world.Era) *runtimeTypes {
	b := &runtimeTypes{}
	b.runtime = b.composite([]string{name + "_runtime", "Runtime"}) // first, so that 0 means "none" everywhere else
	b.u8, b.u16, b.u32, b.u64, b.u128 = b.primitive(primU8), b.primitive(primU16), b.primitive(primU32), b.primitive(primU64), b.primitive(primU128)
	bytes32 := b.array(32, b.u8)
	b.hash = b.wrap([]string{"primitive_types", "H256"}, bytes32)
	b.accountID = b.wrap([]string{"sp_core", "crypto", "AccountId32"}, bytes32)
	data := b.composite([]string{"pallet_balances", "AccountData"},
		metaField{"free", b.u128}, metaField{"reserved", b.u128}, metaField{"misc_frozen", b.u128}, metaField{"fee_frozen", b.u128})
	b.accountInfo = b.composite([]string{"frame_system", "AccountInfo"}, metaField{"nonce", b.u32}, metaField{"consumers", b.u32},
		metaField{"providers", b.u32}, metaField{"sufficients", b.u32}, metaField{"data", data})
	bytes := b.sequence(b.u8)
	none := b.tuple()
	b.address = b.variant([]string{"sp_runtime", "multiaddress", "MultiAddress"}, []metaParam{{"AccountId", b.accountID}, {"AccountIndex", none}},
		metaVariant{"Id", 0, []metaField{{"", b.accountID}}}, metaVariant{"Index", 1, []metaField{{"", b.compact(none)}}},
		metaVariant{"Raw", 2, []metaField{{"", bytes}}}, metaVariant{"Address32", 3, []metaField{{"", bytes32}}},
		metaVariant{"Address20", 4, []metaField{{"", b.array(20, b.u8)}}})
	if era != "" {
		b.prepare(era)
	}
	b.calls(name, era, bytes)
	b.eventTypes(name)
	b.extrinsicTypes(none, bytes)
	return b
}

func (b *runtimeTypes) eventTypes(name string) {
	compact64 := b.compact(b.u64)
	weight := b.composite([]string{"sp_weights", "weight_v2", "Weight"}, metaField{"ref_time", compact64}, metaField{"proof_size", compact64})
	class := b.enum([]string{"frame_support", "dispatch", "DispatchClass"}, "Normal", "Operational", "Mandatory")
	pays := b.enum([]string{"frame_support", "dispatch", "Pays"}, "Yes", "No")
	info := b.composite([]string{"frame_support", "dispatch", "DispatchInfo"}, metaField{"weight", weight}, metaField{"class", class}, metaField{"pays_fee", pays})
	b.systemEvent = b.variant([]string{"frame_system", "pallet", "Event"}, nil,
		metaVariant{"ExtrinsicSuccess", 0, []metaField{{"dispatch_info", info}}})
	event := b.variant([]string{name + "_runtime", "RuntimeEvent"}, nil,
		metaVariant{"System", palletSystem, []metaField{{"", b.systemEvent}}})
	phase := b.variant([]string{"frame_system", "Phase"}, nil,
		metaVariant{"ApplyExtrinsic", 0, []metaField{{"", b.u32}}}, metaVariant{"Finalization", 1, nil}, metaVariant{"Initialization", 2, nil})
	topics := b.sequence(b.hash)
	record := b.add([]string{"frame_system", "EventRecord"}, []metaParam{{"E", event}, {"T", b.hash}}, func(s *scale) {
		s.byte(0)
		writeFields(s, []metaField{{"phase", phase}, {"event", event}, {"topics", topics}})
	})
	b.events = b.sequence(record)
}

func (b *runtimeTypes) extrinsicTypes(none, bytes typeID) {
	bytes64, bytes65 := b.array(64, b.u8), b.array(65, b.u8)
	signature := b.variant([]string{"sp_runtime", "MultiSignature"}, nil,
		metaVariant{"Ed25519", 0, []metaField{{"", b.wrap([]string{"sp_core", "ed25519", "Signature"}, bytes64)}}},
		metaVariant{"Sr25519", 1, []metaField{{"", b.wrap([]string{"sp_core", "sr25519", "Signature"}, bytes64)}}},
		metaVariant{"Ecdsa", 2, []metaField{{"", b.wrap([]string{"sp_core", "ecdsa", "Signature"}, bytes65)}}})
	mortal := []metaVariant{{name: "Immortal"}}
	for i := 1; i < 256; i++ {
		mortal = append(mortal, metaVariant{fmt.Sprintf("Mortal%d", i), byte(i), []metaField{{"", b.u8}}})
	}
	era := b.variant([]string{"sp_runtime", "generic", "era", "Era"}, nil, mortal...)
	check := func(name string) []string { return []string{"frame_system", "extensions", name} }
	b.extensions = []metaExtension{
		{"CheckNonZeroSender", b.composite(check("CheckNonZeroSender")), none},
		{"CheckSpecVersion", b.composite(check("CheckSpecVersion")), b.u32},
		{"CheckTxVersion", b.composite(check("CheckTxVersion")), b.u32},
		{"CheckGenesis", b.composite(check("CheckGenesis")), b.hash},
		{"CheckMortality", b.wrap(check("CheckMortality"), era), b.hash},
		{"CheckNonce", b.wrap(check("CheckNonce"), b.compact(b.u32)), none},
		{"CheckWeight", b.composite(check("CheckWeight")), none},
		{"ChargeTransactionPayment", b.wrap([]string{"pallet_transaction_payment", "ChargeTransactionPayment"}, b.compact(b.u128)), none},
	}
	var parts []typeID
	for _, e := range b.extensions {
		parts = append(parts, e.typ)
	}
	extra := b.tuple(parts...)
	b.extrinsic = b.add([]string{"sp_runtime", "generic", "unchecked_extrinsic", "UncheckedExtrinsic"},
		[]metaParam{{"Address", b.address}, {"Call", b.call}, {"Signature", signature}, {"Extra", extra}},
		func(s *scale) { s.byte(0); writeFields(s, []metaField{{"", bytes}}) })
}
