// Package account tells the address behind a secret phrase, so that it can be checked and shown before a bridge is given the phrase.
// It signs nothing and keeps nothing: a phrase comes in as a secret.Value, and only public things come out. Errors name the place of
// a wrong word, never the word.
//
// What cannot be wiped is left to the collector: Go's strings, and what the curve's library copies. Everything of this package's own
// that would give a key away is overwritten before it returns.
//
// Phrases: BIP-39 (github.com/bitcoin/bips, bip-0039), English word list. Keys: sr25519 as Substrate makes them of a phrase
// (paritytech/polkadot-sdk, substrate/primitives/core/src/{crypto,sr25519}.rs; paritytech/substrate-bip39).
package account
