package phala

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// Action is what the owner of a pool does with one of its workers on the chain.
type Action string

// The actions. Both eras have them; only restart is missing before spec 1130.
const (
	AddWorker     Action = "add"     // into the pool; the worker's operator must be the pool's owner
	StartWorker   Action = "start"   // locks stake, V begins
	StopWorker    Action = "stop"    // V is lost, the stake cools down
	ReclaimWorker Action = "reclaim" // after the cool-down: the stake is the pool's again. Anyone may sign it
	RemoveWorker  Action = "remove"  // out of the pool
	RestartWorker Action = "restart" // more stake at once: V begins anew, and the pool's withdraw queue must be empty
)

// MaxBatch is how many orders one signature carries.
const MaxBatch = 50

// Order is one action on one worker of a pool.
type Order struct {
	Action Action       `json:"action"`
	Pool   uint64       `json:"pool"`
	Worker Key          `json:"worker"`
	Stake  fleet.Amount `json:"stake,omitzero"` // of start and restart
}

// Call is a call that somebody else signs.
type Call struct {
	Pallet string          `json:"pallet"`
	Name   string          `json:"name"`
	Args   json.RawMessage `json:"args"` // what Data says, read back: accounts as addresses, numbers beyond 2⁵³ as text
	Data   string          `json:"data"` // the encoded call, 0x…
	Hash   string          `json:"hash"` // of the encoded call, as wallets and multisigs show it, 0x…
}

// Batch is what one signature brings about.
type Batch struct {
	Runtime string  `json:"runtime"` // for which the calls were encoded, for example khala/1241: by another one they may be other calls
	Spec    uint32  `json:"spec"`    // its version
	Orders  []Order `json:"orders"`
	Call    Call    `json:"call"`              // for the pool's owner
	Proxied *Call   `json:"proxied,omitempty"` // the same for a proxy of the owner, of the type Any or StakePoolManager; nil: the owner was not told
}

// Handover encodes what has to be signed so that the orders are carried out, in their order, in batches of at most MaxBatch that
// happen whole or not at all (Utility.batch_all). All pools must be those of one owner; a zero owner leaves the calls for its proxies
// out. An error is a fleet error: Failed where the runtime has no such call, Invalid where the orders make none.
//
// Nothing here signs or sends. Calls (Phala-Network/phala-blockchain): pallets/phala/src/stakepool.rs (v1) and
// pallets/phala/src/compute/stake_pool_v2.rs (v2). Proxies: pallet_proxy, and ProxyType in khala-parachain's runtimes.
func Handover(md *scale.Metadata, owner Account, orders []Order) ([]Batch, error) {
	era, err := EraOf(md)
	if err != nil {
		return nil, err
	}
	if len(orders) == 0 {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("phala.no_orders"))
	}
	name, version := runtimeOf(md)
	var batches []Batch
	for len(orders) > 0 {
		n := min(MaxBatch, len(orders))
		b, err := batch(md, era, owner, orders[:n:n])
		if err != nil {
			return nil, err
		}
		b.Runtime, b.Spec = fmt.Sprintf("%s/%d", name, version), version
		batches, orders = append(batches, b), orders[n:]
	}
	return batches, nil
}

func batch(md *scale.Metadata, era Era, owner Account, orders []Order) (Batch, error) {
	var calls []any
	for _, o := range orders {
		name, args, err := era.call(o)
		if err != nil {
			return Batch{}, err
		}
		if _, err := md.CallDef(era.pools(), name); err != nil {
			return Batch{}, noCall(md, era.pools(), name, err)
		}
		calls = append(calls, nest(era.pools(), name, args))
	}
	whole := calls[0]
	if len(calls) > 1 {
		whole = nest("Utility", "batch_all", map[string]any{"calls": calls})
	}
	b := Batch{Orders: orders}
	var err error
	if b.Call, err = encode(md, whole); err != nil || owner == (Account{}) {
		return b, err
	}
	// No type of proxy is forced: the chain takes any that allows the call.
	p, err := encode(md, nest("Proxy", "proxy", map[string]any{"real": [32]byte(owner), "force_proxy_type": nil, "call": whole}))
	b.Proxied = &p
	return b, err
}

// call is an order in the era's words.
func (e Era) call(o Order) (name string, args map[string]any, err error) {
	args = map[string]any{"pid": o.Pool, "worker": o.Worker[:]}
	verb := "computing"
	if e == V1 {
		verb = "mining"
	}
	switch o.Action {
	case AddWorker:
		return "add_worker", map[string]any{"pid": o.Pool, "pubkey": o.Worker[:]}, nil
	case RemoveWorker:
		return "remove_worker", args, nil
	case ReclaimWorker:
		return "reclaim_pool_worker", args, nil
	case StopWorker:
		return "stop_" + verb, args, nil
	case StartWorker, RestartWorker:
		if o.Stake.IsZero() {
			return "", nil, fleet.Fail(fleet.Invalid, fleet.Because("phala.no_stake", "worker", o.Worker))
		}
		hi, lo := o.Stake.Uint128()
		args["stake"] = scale.U128{Hi: hi, Lo: lo}
		return string(o.Action) + "_" + verb, args, nil
	}
	return "", nil, fleet.Fail(fleet.Invalid, fleet.Because("phala.no_action", "action", string(o.Action)))
}

// nest is a call as an argument of another one.
func nest(pallet, name string, args map[string]any) map[string]any {
	return map[string]any{pallet: map[string]any{name: args}}
}

func encode(md *scale.Metadata, nested any) (Call, error) {
	var c Call
	var args map[string]any
	for pallet, call := range nested.(map[string]any) {
		for name, a := range call.(map[string]any) {
			c.Pallet, c.Name, args = pallet, name, a.(map[string]any)
		}
	}
	data, err := md.Call(c.Pallet, c.Name, args)
	if err != nil {
		return c, noCall(md, c.Pallet, c.Name, err)
	}
	return CallOf(md, data)
}

func noCall(md *scale.Metadata, pallet, name string, err error) error {
	spec, version := runtimeOf(md)
	why := fleet.Because("phala.no_call", "call", pallet+"."+name, "runtime", fmt.Sprintf("%s/%d", spec, version), "err", err)
	return fleet.FailWith(fleet.Failed, why, err)
}

// CallOf reads an encoded call. An error is what the metadata cannot read.
func CallOf(md *scale.Metadata, data []byte) (Call, error) {
	def, args, err := md.DecodeCall(data)
	if err != nil {
		return Call{}, err
	}
	hash := scale.CallHash(data)
	return Call{
		Pallet: def.Pallet, Name: def.Name, Args: args,
		Data: "0x" + hex.EncodeToString(data), Hash: "0x" + hex.EncodeToString(hash[:]),
	}, nil
}

// runtimeOf is the name and version of the runtime that metadata describes, nothing when it does not say.
func runtimeOf(md *scale.Metadata) (name string, version uint32) {
	c, err := md.Constant("System", "Version")
	if err != nil {
		return "", 0
	}
	type runtime struct {
		SpecName    string
		SpecVersion uint32
	}
	var v runtime
	read, err := scale.Bind[runtime](c.Type)
	if err != nil || read(c.Value, &v) != nil {
		return "", 0
	}
	return v.SpecName, v.SpecVersion
}
