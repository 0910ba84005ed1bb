package phala

import (
	"errors"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// TestVaultIsForced: when a vault has to take its stake out of the pools, as pallets/phala/src/compute/vault.rs has it.
func TestVaultIsForced(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Date(2023, 8, 1, 0, 0, 0, 0, time.UTC)
	waits := func(days int, pha uint64) Withdrawal {
		return Withdrawal{Start: now.Add(-time.Duration(days) * day), Amount: fleet.PHA(pha)}
	}
	in := func(days int) time.Time { return now.Add(time.Duration(days) * day) }
	for name, c := range map[string]struct {
		queue     []Withdrawal
		free      uint64
		releasing uint64
		patience  time.Duration
		locked    bool
		at        time.Time
		due       bool
	}{
		"nobody waits":                         {patience: 21 * day},
		"covered by what waits in the pools":   {queue: []Withdrawal{waits(30, 60)}, free: 10, releasing: 50},
		"one PHA too much":                     {queue: []Withdrawal{waits(3, 61)}, free: 10, releasing: 50, at: in(4)},
		"overdue":                              {queue: []Withdrawal{waits(8, 61)}, free: 10, releasing: 50, at: in(-1), due: true},
		"only the first uncovered one counts":  {queue: []Withdrawal{waits(9, 40), waits(2, 40), waits(1, 40)}, free: 40, at: in(5)},
		"covered, but for how long":            {queue: []Withdrawal{waits(20, 5)}, free: 10, patience: 21 * day, at: in(1)},
		"covered for too long":                 {queue: []Withdrawal{waits(22, 5)}, free: 10, patience: 21 * day, at: in(-1), due: true},
		"three grace periods of the first one": {queue: []Withdrawal{waits(20, 5)}, free: 10, patience: 40 * day, at: in(1)},
		"older runtimes are patient":           {queue: []Withdrawal{waits(99, 5)}, free: 10},
		"it is being forced":                   {queue: []Withdrawal{waits(30, 60)}, patience: 21 * day, locked: true},
		"older runtimes force it again":        {queue: []Withdrawal{waits(30, 60)}, locked: true, at: in(-23), due: true},
	} {
		v := &Pool{Kind: Vault, Free: fleet.PHA(c.free), Releasing: fleet.PHA(c.releasing), Queue: c.queue, Locked: c.locked}
		v.settleVault(now, 7*day, c.patience)
		if !v.DueAt.Equal(c.at) || v.Due != c.due {
			t.Errorf("%s: %v at %s, want %v at %s", name, v.Due, v.DueAt, c.due, c.at)
		}
	}
}

// TestReadVault: a vault by itself is read with the pools that it has staked in, and is the same as in a read of everything. Of the
// recorded runtime's vault 2,500 shares wait in pool 1, which are worth 2,506.19… PHA.
func TestReadVault(t *testing.T) {
	truth := sharedJSON[rhala](t, "replies", "substrate-rhala.decoded.json")
	read := func(want Want, locked bool) *Pool {
		t.Helper()
		n, md := rhalaNode(t)
		for _, e := range truth.Maps["PhalaBasePool.Pools"] {
			v, _ := e.Value.(map[string]any)["Vault"].(map[string]any)
			if v == nil || e.Args[0] != num(3) {
				continue
			}
			base := v["basepool"].(map[string]any)
			base["withdraw_queue"] = []any{map[string]any{"user": base["owner"], "start_time": num(1796036882 - 3600), "nft_id": num(0)}}
			n.put(t, md, "PhalaBasePool", "Pools", map[string]any{"Vault": v}, 3)
		}
		if locked {
			n.put(t, md, "PhalaVault", "VaultLocks", nil, 3)
		}
		s, err := Read(t.Context(), n.snapshot(), md, want)
		if err != nil {
			t.Fatal(err)
		}
		if len(want.Pools) > 0 && len(s.Pools) != len(want.Pools) {
			t.Errorf("%d pools", len(s.Pools))
		}
		return s.Pool(3)
	}
	for name, want := range map[string]Want{"alone": {Pools: []uint64{3}}, "with its pool": {Pools: []uint64{1, 3}}, "of everything": {}} {
		v := read(want, false)
		if v.Releasing.PHA() != "2506.196107500919" || v.Locked || v.DueAt.Unix() != 1796036882-3600+7*86400 || v.Due || len(v.Queue) != 1 || v.Queue[0].Shares.IsZero() {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if !read(Want{Pools: []uint64{3}}, true).Locked {
		t.Error("the lock is not seen")
	}
	if _, err := metadata(t, "khala-1241").Constant("PhalaVault", "VaultQueuePeriod"); !errors.Is(err, scale.ErrUnknown) {
		t.Error("1241 has a longest wait", err)
	}
}
