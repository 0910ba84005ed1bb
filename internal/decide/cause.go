package decide

// Words of finding.cause: which parent, seen or unseen, the facts of one worker point at. They are the same for every
// generation of the bridge, so that workers that say the same in different words count as one group.
const (
	causeGas       = "gas"       // the operator's account: no gas, a nonce used twice
	causeOperator  = "operator"  // the operator's rights: none set for the pool, or not the owner's
	causePool      = "pool"      // the stake pool on chain: full, gone, too little free stake
	causeTrade     = "trade"     // who signs and sends: trade, redis-q, v3's transaction manager
	causePCCS      = "pccs"      // attestation: PCCS, IAS, the report
	causeAllowlist = "allowlist" // the chain does not accept this pRuntime
	causeRuntime   = "runtime"   // a runtime upgrade that the bridge or the pRuntime is too old for
	causeImage     = "image"     // the pRuntime's own image: it cannot do what is asked of it
	causeNetwork   = "network"   // the way from the bridge to the pRuntime
	causeNode      = "node"      // the node: RPC, finality, a pruned state
	causeSource    = "source"    // what hands out blocks: data provider, fetcher, headers cache
)
