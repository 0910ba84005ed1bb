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

// Alice and Bob are the public development accounts that every chain here has: 1,000 and 7.5 coins of 12 decimals.
func Alice() AccountID {
	return AccountID{0xd4, 0x35, 0x93, 0xc7, 0x15, 0xfd, 0xd3, 0x1c, 0x61, 0x14, 0x1a, 0xbd, 0x04, 0xa9, 0x9f, 0xd6, 0x82, 0x2c, 0x85,
		0x58, 0x85, 0x4c, 0xcd, 0xe3, 0x9a, 0x56, 0x84, 0xe7, 0xa5, 0x6d, 0xa2, 0x7d}
}

// Bob is the other one.
func Bob() AccountID {
	return AccountID{0x8e, 0xaf, 0x04, 0x15, 0x16, 0x87, 0x73, 0x63, 0x26, 0xc9, 0xfe, 0xa1, 0x7e, 0x25, 0xfc, 0x52, 0x87, 0x61, 0x36,
		0x93, 0xc9, 0x12, 0x90, 0x9c, 0xb2, 0x26, 0xaa, 0x47, 0x94, 0xf2, 0x6a, 0x48}
}

// endow gives a chain its development accounts.
func (c *Chain) endow() {
	c.SetAccount(Alice(), Account{Nonce: 5, Free: 1_000_000_000_000_000})
	c.SetAccount(Bob(), Account{Free: 7_500_000_000_000})
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
