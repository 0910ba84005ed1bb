package phala

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

func samples(values ...uint64) (all []Sample) {
	begin := time.Date(2023, 6, 6, 0, 0, 0, 0, time.UTC)
	for i, v := range values {
		all = append(all, Sample{begin.Add(time.Duration(i) * time.Hour), fleet.NewAmount(v)})
	}
	return all
}

func TestIncrease(t *testing.T) {
	for _, c := range []struct {
		values []uint64
		want   uint64
		took   time.Duration
	}{
		{nil, 0, 0},
		{[]uint64{100}, 0, 0},
		{[]uint64{100, 100}, 0, time.Hour},
		{[]uint64{100, 130, 170}, 70, 2 * time.Hour},
		{[]uint64{100, 130, 5, 9}, 39, 3 * time.Hour}, // bound anew
		{[]uint64{100, 0, 100, 0}, 100, 3 * time.Hour},
	} {
		if got, took := Increase(samples(c.values...)); got != fleet.NewAmount(c.want) || took != c.took {
			t.Errorf("%v: %s in %s, want %d in %s", c.values, got, took, c.want, c.took)
		}
	}
}

// TestIncreaseSplits: looking more often finds the same, and resets never make it less than nothing.
func TestIncreaseSplits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := samples(rapid.SliceOfN(rapid.Uint64Range(0, 1<<40), 2, 20).Draw(t, "values")...)
		at := rapid.IntRange(0, len(all)-1).Draw(t, "at")
		whole, took := Increase(all)
		first, a := Increase(all[:at+1])
		second, b := Increase(all[at:])
		if first.Plus(second) != whole || a+b != took {
			t.Errorf("%s + %s is not %s", first, second, whole)
		}
	})
}

func TestDaily(t *testing.T) {
	at := func(h int, rewards map[byte]uint64) *State {
		s := &State{Now: time.Date(2023, 6, 6, h, 0, 0, 0, time.UTC)}
		for a, v := range rewards {
			s.Sessions = append(s.Sessions, &Session{Account: Account{a}, Reward: fleet.PHA(v)})
		}
		return s
	}
	got := Daily(at(0, map[byte]uint64{1: 100, 2: 100, 3: 7}), at(12, map[byte]uint64{1: 150, 2: 30, 4: 5}))
	for a, want := range map[byte]uint64{1: 100, 2: 60, 4: 10} {
		if got[Account{a}] != fleet.PHA(want) {
			t.Errorf("session %d: %s, want %d", a, got[Account{a}].PHA(), want)
		}
	}
	same := at(3, map[byte]uint64{1: 5})
	if len(got) != 3 || Daily(same, same)[Account{1}] != (fleet.Amount{}) {
		t.Error("something earned in no time")
	}
}

// TestDerivedAccounts are those of the first pools and vaults of Phala's second era.
func TestDerivedAccounts(t *testing.T) {
	d := sharedJSON[struct {
		BasePools []struct {
			Pid, Owner, PoolAccountId string
			StakePool                 *struct{ OwnerRewardAccount string }
		}
	}](t, "state", "phala-2426198-basepools.json")
	rewards := 0
	for _, p := range d.BasePools {
		var pid uint64
		for _, c := range p.Pid {
			pid = 10*pid + uint64(c-'0')
		}
		owner, err := ParseAccount(p.Owner)
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := ParseAccount(p.PoolAccountId); PoolAccount(pid, owner) != want {
			t.Errorf("pool %d", pid)
		}
		if p.StakePool != nil {
			rewards++
			if want, _ := ParseAccount(p.StakePool.OwnerRewardAccount); RewardAccount(pid, owner) != want {
				t.Errorf("pool %d: reward", pid)
			}
		}
	}
	if len(d.BasePools) != 10 || rewards != 6 {
		t.Errorf("%d pools, %d rewards", len(d.BasePools), rewards)
	}
	for _, bad := range []string{"", "0x12", "42DnB4uneK6bURXJeXgMdWYyUah9tSaviM2ijedZXxsPTQWX"} {
		if _, err := ParseAccount(bad); err == nil {
			t.Errorf("%q is an account", bad)
		}
	}
}

// FuzzParseDecimal: what people type is a number that is not negative, or refused.
func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0.1", "1.", ".", "1e9", "-1", "0x1", "18446744073709551616", "1.2.3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := ParseDecimal(s); err == nil && r.Sign() < 0 {
			t.Error(r)
		}
		_, _ = ParseFixed(s)
		_, _ = ParseKey(s)
		_, _ = ParseAccount(s)
	})
}
