package world

import (
	"bytes"
	"maps"
	"slices"
	"time"
)

// AccountID is the public key of an account.
type AccountID [32]byte

// Account is what a chain keeps of an account.
type Account struct {
	Nonce          uint32
	Free, Reserved uint64 // in the chain's smallest unit
}

// SetAccount writes an account, as if it had always been like that: the state of the chain has no history.
func (c *Chain) SetAccount(id AccountID, a Account) {
	if c.accounts == nil {
		c.accounts = map[AccountID]Account{}
	}
	c.accounts[id] = a
}

// Account reads an account; one that never was is empty.
func (c *Chain) Account(id AccountID) Account { return c.accounts[id] }

// Accounts are all accounts that the chain has, in the order of their keys.
func (c *Chain) Accounts() []AccountID {
	return slices.SortedFunc(maps.Keys(c.accounts), func(a, b AccountID) int { return bytes.Compare(a[:], b[:]) })
}

// Made is the moment at which block h was made. Blocks from before the last halt are dated as if there had been none.
func (c *Chain) Made(h int64) time.Time { return c.since.Add(time.Duration(h-c.base) * c.Block) }
