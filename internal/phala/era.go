package phala

import (
	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// Era is a generation of Phala's pallets.
type Era int

// The eras.
const (
	V1 Era = 1 + iota // PhalaMining, PhalaStakePool
	V2                // PhalaComputation, PhalaBasePool, PhalaStakePoolv2, PhalaVault
)

// EraOf tells the era by a runtime's pallets. A chain without Phala's is a fleet error, Invalid, with the reason phala.other_chain.
//
// Runtimes of the second era still have PhalaStakePool, with nothing but leftovers of the migration in it.
func EraOf(md *scale.Metadata) (Era, error) {
	if _, err := md.Pallet("PhalaComputation"); err == nil {
		return V2, nil
	}
	if _, err := md.Pallet("PhalaMining"); err == nil {
		return V1, nil
	}
	return 0, fleet.Fail(fleet.Invalid, fleet.Because("phala.other_chain"))
}

// String is "v1" or "v2".
func (e Era) String() string {
	if e == V1 {
		return "v1"
	}
	return "v2"
}

// pallet of sessions, with the era's names of its items.
func (e Era) sessions() (pallet, sessions, bindings, online string) {
	if e == V1 {
		return "PhalaMining", "Miners", "MinerBindings", "OnlineMiners"
	}
	return "PhalaComputation", "Sessions", "SessionBindings", "OnlineWorkers"
}

// pools is the pallet of stake pools.
func (e Era) pools() string {
	if e == V1 {
		return "PhalaStakePool"
	}
	return "PhalaStakePoolv2"
}
