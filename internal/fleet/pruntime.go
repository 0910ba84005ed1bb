package fleet

import "time"

// PruntimeStatus is a worker's pRuntime as its own API tells it. What its version does not tell is unknown: nil, "", 0 or
// an unknown Height.
//
// Heights are of what was done last, as everywhere in phalops: pRuntime itself tells the next number that it wants, one
// more. -1 is "nothing yet".
type PruntimeStatus struct {
	Probe
	Before      time.Time `json:"before,omitzero"` // when the answer before the newest was true: what moved, moved since then
	Endpoint    string    `json:"endpoint"`        // without user and query
	Ours        bool      `json:"ours,omitempty"`  // it has shown the worker's known key: from here the endpoint is the one that the bridge means
	Initialized *bool     `json:"initialized,omitempty"`
	Registered  *bool     `json:"registered,omitempty"` // on chain, as pRuntime has seen it in the blocks that it executed
	DevMode     bool      `json:"dev_mode,omitempty"`

	PublicKey   string `json:"public_key,omitempty"` // hex without 0x; "" until initialized
	ECDHKey     string `json:"ecdh_key,omitempty"`
	GenesisHash string `json:"genesis_hash,omitempty"` // hex without 0x; "" until initialized
	Version     string `json:"version,omitempty"`
	Revision    string `json:"revision,omitempty"` // of git

	Relay      Height `json:"relay"`           // newest relay chain header (solo chain: header)
	ParaHeader Height `json:"para_header"`     // newest parachain header
	Para       Height `json:"para"`            // newest executed block
	Pending    Height `json:"pending"`         // messages waiting to be sent to the chain
	Shown      int64  `json:"shown,omitempty"` // the para height that its bridge had shown before it was asked; 0: none
	Score      int64  `json:"score,omitempty"`

	Memory     Memory    `json:"memory"`
	Waiting    *bool     `json:"waiting_for_para_headers,omitempty"`
	SafeMode   int64     `json:"safe_mode,omitempty"`    // 0 is normal; above it checkpoints and most calls are refused
	BlockTime  time.Time `json:"block_time,omitzero"`    // of the newest executed block
	FastSync   *bool     `json:"fast_sync,omitempty"`    // can_load_chain_state: nothing was synced yet
	Gatekeeper int64     `json:"gatekeeper,omitempty"`   // 0 none, 1 dummy, 2 active
	Consensus  Height    `json:"consensus"`              // the newest consensus version that it supports
	Attests    []string  `json:"attestations,omitempty"` // none, epid, dcap
}

// Memory is what a pRuntime says of its memory, in bytes; 0 where it does not say.
type Memory struct {
	Used      int64 `json:"used,omitempty"`       // by Rust, now
	Peak      int64 `json:"peak,omitempty"`       // by Rust
	TotalPeak int64 `json:"total_peak,omitempty"` // of the enclave
	Free      int64 `json:"free,omitempty"`
}
