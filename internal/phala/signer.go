package phala

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
)

// Gas is what accounts can pay fees with; an account that the chain does not have is not in it.
func Gas(ctx context.Context, s *substrate.Snapshot, md *scale.Metadata, accounts []Account) (map[Account]fleet.Amount, error) {
	return (&reader{s: s, md: md}).balances(ctx, accounts)
}

func (r *reader) balances(ctx context.Context, accounts []Account) (map[Account]fleet.Amount, error) {
	type account struct {
		Free   fleet.Amount `scale:"data.free"`
		Frozen fleet.Amount `scale:"data.frozen|data.fee_frozen"` // renamed by spec 1250
	}
	gas := map[Account]fleet.Amount{}
	return gas, each(ctx, r, "System", "Account", true, accounts, byAccount, func(a *Account, v *account) { gas[*a] = v.Free.Minus(v.Frozen) })
}

// Proxies are the accounts that may manage pools and workers for others at once; nil where the runtime has no proxies. Khala and
// Phala let proxies for everything, for all but transfers, and for stake pools do so (runtime/khala/src/lib.rs, ProxyType).
func Proxies(ctx context.Context, s *substrate.Snapshot, md *scale.Metadata, owners []Account) (map[Account][]Account, error) {
	if _, err := md.Entry("Proxy", "Proxies"); errors.Is(err, scale.ErrUnknown) {
		return nil, nil
	}
	type proxy struct {
		Delegate  Account
		ProxyType string
		Delay     uint32
	}
	type proxies struct {
		List    []proxy
		Deposit fleet.Amount
	}
	out := map[Account][]Account{}
	r := &reader{s: s, md: md}
	return out, each(ctx, r, "Proxy", "Proxies", true, owners, byAccount, func(owner *Account, v *proxies) {
		for _, p := range v.List {
			if p.Delay == 0 && slices.Contains([]string{"Any", "NonTransfer", "StakePoolManager"}, p.ProxyType) {
				out[*owner] = append(out[*owner], p.Delegate)
			}
		}
	})
}

// PoolCount is how many numbers pools have got so far; of the second era, vaults too.
func PoolCount(ctx context.Context, s *substrate.Snapshot, md *scale.Metadata) (uint64, error) {
	era, err := EraOf(md)
	if err != nil {
		return 0, err
	}
	pallet := "PhalaBasePool"
	if era == V1 {
		pallet = "PhalaStakePool"
	}
	return plain[uint64](ctx, &reader{s: s, md: md}, pallet, "PoolCount")
}

// Upgrade is the runtime that the chain has been told to take, nil for none: one whose code waits for the relay chain (pending), or
// one that was authorized by its hash. Cumulus has kept the latter in two shapes, and Substrate in another pallet since 2024.
func Upgrade(ctx context.Context, c *substrate.Client, s *substrate.Snapshot, md *scale.Metadata) (*fleet.RuntimeUpgrade, error) {
	if e, err := md.Entry("ParachainSystem", "PendingValidationCode"); err == nil {
		key, err := e.StorageKey()
		if err != nil {
			return nil, err
		}
		hash, err := c.StorageHash(ctx, key, s.Hash()) // the code itself is a megabyte
		if err != nil && !substrate.IsMissing(err) {
			return nil, err
		}
		if hash != "" {
			return &fleet.RuntimeUpgrade{Hash: hash, At: "pending"}, nil
		}
	}
	for _, pallet := range []string{"ParachainSystem", "System"} {
		e, err := md.Entry(pallet, "AuthorizedUpgrade")
		if err != nil {
			continue
		}
		hash, found, err := authorized(ctx, s, e)
		if err != nil {
			return nil, err
		}
		if found {
			return &fleet.RuntimeUpgrade{Hash: fmt.Sprintf("0x%x", hash), At: "authorized"}, nil
		}
	}
	return nil, nil
}

func authorized(ctx context.Context, s *substrate.Snapshot, e *scale.Entry) (Account, bool, error) {
	type code struct{ CodeHash Account }
	if _, err := scale.Bind[code](e.Value); err == nil {
		v, found, err := substrate.One[code](ctx, s, e)
		return v.CodeHash, found, err
	}
	return substrate.One[Account](ctx, s, e) // until 2023 the hash alone
}
