package phala

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/blake2b"

	"phalops/internal/substrate/scale"
)

// Account is a 32-byte account.
type Account [32]byte

// Key is the public key of a worker.
type Key [32]byte

// String is the key as 0x and 64 hexadecimal digits.
func (k Key) String() string { return "0x" + hex.EncodeToString(k[:]) }

// MarshalText writes String's form.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads ParseKey's form.
func (k *Key) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKey(string(b))
	return err
}

// ParseKey reads a worker's public key, with or without 0x.
func ParseKey(s string) (k Key, err error) {
	digits := strings.TrimPrefix(strings.ToLower(s), "0x")
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != len(k) {
		return k, fmt.Errorf("not a public key: %.80q", s)
	}
	return Key(raw), nil
}

// ParseAccount reads an account: an address of any network, or 0x and 64 hexadecimal digits.
func ParseAccount(s string) (Account, error) {
	if k, err := ParseKey(s); err == nil && strings.HasPrefix(s, "0x") {
		return Account(k), nil
	}
	_, a, err := scale.ParseAddress(s)
	return Account(a), err
}

// SessionAccount is the account of a pool's worker: its stake and session are kept under it. Both eras
// (Phala-Network/phala-blockchain, pallets/phala/src/stakepool.rs and compute/stake_pool_v2.rs: pool_sub_account).
func SessionAccount(pid uint64, worker Key) Account { return derive("spm/", pid, worker[:]) }

// PoolAccount holds the free stake of a pool or vault of the second era (compute/base_pool.rs).
func PoolAccount(pid uint64, owner Account) Account { return derive("bp/", pid, owner[:]) }

// RewardAccount holds the unclaimed reward of the owner of a pool of the second era (compute/stake_pool_v2.rs).
func RewardAccount(pid uint64, owner Account) Account { return derive("so/", pid, owner[:]) }

// LockAccount holds what a pool of the second era has staked on its workers (compute/stake_pool_v2.rs).
func LockAccount(pid uint64, owner Account) Account { return derive("sl/", pid, owner[:]) }

// derive is the prefix and the hash of a pool's number and a key, cut off after 32 bytes.
func derive(prefix string, pid uint64, key []byte) (a Account) {
	hash := blake2b.Sum256(append(binary.LittleEndian.AppendUint64(nil, pid), key...))
	copy(a[copy(a[:], prefix):], hash[:])
	return a
}
