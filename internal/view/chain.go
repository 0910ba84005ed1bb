package view

import "encoding/json"

// ChainState says of which block something was read, and which runtime wrote that block's state.
type ChainState struct {
	Height      uint64 `json:"height"`
	Hash        string `json:"hash"`
	Spec        string `json:"spec"`
	SpecVersion uint32 `json:"spec_version"`
}

// ChainStorage is what a storage item holds: one entry, or those of a map.
type ChainStorage struct {
	ChainState
	Pallet  string       `json:"pallet"`
	Item    string       `json:"item"`
	Type    string       `json:"type"` // of the values
	Entries []ChainEntry `json:"entries"`
}

// ChainEntry is one value. Where nothing is stored, the value is the runtime's default, or null.
type ChainEntry struct {
	StorageKey string          `json:"storage_key"`
	Keys       json.RawMessage `json:"keys"` // a list; {"hash": …} for what a hasher does not keep
	Stored     bool            `json:"stored"`
	Value      json.RawMessage `json:"value"`
}

// ChainConstants are constants of a runtime.
type ChainConstants struct {
	ChainState
	Constants []ChainConstant `json:"constants"`
}

// ChainConstant is a value that a runtime was built with.
type ChainConstant struct {
	Pallet string          `json:"pallet"`
	Name   string          `json:"name"`
	Type   string          `json:"type"`
	Value  json.RawMessage `json:"value"`
	Docs   string          `json:"docs,omitempty"`
}

// ChainMetadata is what a runtime says of its storage.
type ChainMetadata struct {
	ChainState
	SS58Prefix uint16        `json:"address_prefix"`
	Pallets    []ChainPallet `json:"pallets"`
}

// ChainPallet is one module of a runtime.
type ChainPallet struct {
	Name      string      `json:"name"`
	Index     uint8       `json:"index"`
	Storage   []ChainItem `json:"storage"`
	Constants []string    `json:"constants"`
	Calls     []string    `json:"calls"`
}

// ChainItem is a storage item: a map where it has keys.
type ChainItem struct {
	Name     string     `json:"name"`
	Keys     []ChainKey `json:"keys"`
	Type     string     `json:"type"`
	Optional bool       `json:"optional"` // otherwise what is absent has a default
	Docs     string     `json:"docs,omitempty"`
}

// ChainKey is a key of a map.
type ChainKey struct {
	Type   string `json:"type"`
	Hasher string `json:"hasher"`
}
