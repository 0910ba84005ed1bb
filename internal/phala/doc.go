// Package phala reads what Phala's pallets store, as one model for both eras: PhalaMining with PhalaStakePool (v1), and
// PhalaComputation with BasePool, StakePoolv2, Vault and WrappedBalances (v2). The runtime's metadata decides the era.
//
// Read takes everything from one block. Sessions, workers, stakes and pools are joined by the accounts that the pallets derive
// for them; the chain's own bindings are compared with that (State.Checks). Totals adds up, Estimate computes what a worker earns.
//
// Balances and V are exact: no floating-point number touches them.
package phala
