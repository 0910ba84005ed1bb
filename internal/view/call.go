package view

import "encoding/json"

// ChainCall is an encoded call: what somebody signs.
type ChainCall struct {
	ChainState
	Pallet   string          `json:"pallet"`
	Call     string          `json:"call"`
	Args     json.RawMessage `json:"args"`      // as the bytes say: an object; null without arguments
	Data     string          `json:"data"`      // encoded, 0x…
	CallHash string          `json:"call_hash"` // of Data, as wallets and multisigs show it
	Docs     string          `json:"docs,omitempty"`
}

// ChainCalls are the calls of a pallet.
type ChainCalls struct {
	ChainState
	Pallet string         `json:"pallet"`
	Calls  []ChainCallDef `json:"calls"`
}

// ChainCallDef is what a call takes.
type ChainCallDef struct {
	Name string         `json:"name"`
	Args []ChainCallArg `json:"args"`
	Docs string         `json:"docs,omitempty"`
}

// ChainCallArg is an argument of a call.
type ChainCallArg struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Source string `json:"source,omitempty"` // the type as the runtime's source spells it
}
