package phala

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

// refusing is a state with a pool 1 of Alice's (5,000 PHA free), her pool 2 with a queue, and a vault 3. Workers of pool 1 are
// named by their state: i(dle) u(nresponsive) c(ooling, not over) o(ver) r(eady); of none: n(ew) s (no score) x (not registered)
// f (another's); of pool 2: q (idle).
func refusing(t testing.TB, era Era) *State {
	t.Helper()
	preset, ok := PresetOf("khala-2022")
	if !ok {
		t.Fatal("no preset")
	}
	now := time.Date(2022, 11, 21, 10, 0, 0, 0, time.UTC)
	s := &State{Era: era, Now: now, Cool: 7 * 24 * time.Hour, Params: preset.Params, MaxWorkers: 6}
	owner := alice(t)
	one := &Pool{ID: 1, Kind: StakePool, Owner: owner, Free: fleet.PHA(5000)}
	two := &Pool{ID: 2, Kind: StakePool, Owner: owner, Free: fleet.PHA(5000), Queue: []Withdrawal{{Shares: fleet.PHA(1)}}}
	s.Pools = []*Pool{one, two, {ID: 3, Kind: Vault, Owner: owner}}
	for _, c := range []struct {
		name  byte
		pool  *Pool
		state SessionState
		since time.Time
	}{
		{'i', one, Idle, time.Time{}}, {'u', one, Unresponsive, time.Time{}}, {'c', one, CoolingDown, now.Add(-s.Cool + time.Second)}, {'o', one, CoolingDown, now.Add(-s.Cool)},
		{'r', one, Ready, time.Time{}}, {'q', two, Idle, time.Time{}}, {'n', nil, "", time.Time{}}, {'s', nil, "", time.Time{}}, {'x', nil, "", time.Time{}}, {'f', nil, "", time.Time{}},
	} {
		w := &Worker{Key: Key{c.name}, Registered: c.name != 'x', Operator: owner, Confidence: 1, Score: 1000}
		switch c.name {
		case 'f':
			w.Operator = Account{9}
		case 's':
			w.Score = 0
		}
		s.Workers = append(s.Workers, w)
		if c.pool == nil {
			continue
		}
		x := &Session{Account: SessionAccount(c.pool.ID, w.Key), Recorded: true, State: c.state, CoolingSince: c.since, Worker: w, Pool: c.pool}
		if c.state != Ready {
			x.Stake, x.Staked = fleet.PHA(2000), true
		}
		c.pool.Workers, c.pool.Sessions, s.Sessions = append(c.pool.Workers, w.Key), append(c.pool.Sessions, x), append(s.Sessions, x)
	}
	return s
}

// TestRefused: one order each.
func TestRefused(t *testing.T) {
	pha := fleet.PHA
	for _, c := range []struct {
		o    Order
		want string // of both eras
		v1   string // of the first one, where that differs
	}{
		{Order{AddWorker, 1, Key{'n'}, pha(0)}, "", ""},
		{Order{AddWorker, 2, Key{'n'}, pha(0)}, "", ""},
		{Order{AddWorker, 1, Key{'s'}, pha(0)}, "phala.no_score", ""},
		{Order{AddWorker, 1, Key{'x'}, pha(0)}, "phala.not_registered", ""},
		{Order{AddWorker, 1, Key{'?'}, pha(0)}, "phala.not_registered", ""},
		{Order{AddWorker, 1, Key{'f'}, pha(0)}, "phala.other_operator", ""},
		{Order{AddWorker, 1, Key{'r'}, pha(0)}, "phala.in_pool", ""},
		{Order{AddWorker, 1, Key{'q'}, pha(0)}, "phala.in_pool", ""},
		{Order{AddWorker, 3, Key{'n'}, pha(0)}, "phala.is_vault", ""},
		{Order{AddWorker, 4, Key{'n'}, pha(0)}, "phala.no_pool", ""},
		{Order{StartWorker, 1, Key{'r'}, pha(2000)}, "", ""},
		{Order{StartWorker, 1, Key{'r'}, pha(5001)}, "phala.no_free_stake", ""},
		{Order{StartWorker, 1, Key{'r'}, pha(1500)}, "phala.stake_too_low", ""}, // 50·√1000 = 1581.1
		{Order{StartWorker, 1, Key{'i'}, pha(2000)}, "phala.not_ready", ""},
		{Order{StartWorker, 1, Key{'c'}, pha(2000)}, "phala.not_ready", ""},
		{Order{StartWorker, 1, Key{'n'}, pha(2000)}, "phala.not_in_pool", ""},
		{Order{StartWorker, 2, Key{'i'}, pha(2000)}, "phala.not_in_pool", ""},
		{Order{StopWorker, 1, Key{'i'}, pha(0)}, "", ""},
		{Order{StopWorker, 1, Key{'u'}, pha(0)}, "", ""},
		{Order{StopWorker, 1, Key{'c'}, pha(0)}, "phala.not_computing", ""},
		{Order{StopWorker, 1, Key{'r'}, pha(0)}, "phala.not_computing", ""},
		{Order{StopWorker, 1, Key{'n'}, pha(0)}, "phala.not_in_pool", ""},
		{Order{ReclaimWorker, 1, Key{'o'}, pha(0)}, "", ""},
		{Order{ReclaimWorker, 1, Key{'c'}, pha(0)}, "phala.still_cooling", ""},
		{Order{ReclaimWorker, 1, Key{'i'}, pha(0)}, "phala.not_cooling", ""},
		{Order{ReclaimWorker, 1, Key{'r'}, pha(0)}, "phala.not_cooling", ""},
		{Order{RemoveWorker, 1, Key{'r'}, pha(0)}, "", ""},
		{Order{RemoveWorker, 1, Key{'i'}, pha(0)}, "phala.not_ready", ""},
		{Order{RemoveWorker, 1, Key{'c'}, pha(0)}, "phala.not_ready", "allowed"},
		{Order{RemoveWorker, 1, Key{'n'}, pha(0)}, "phala.not_in_pool", ""},
		{Order{RestartWorker, 1, Key{'i'}, pha(2001)}, "", ""},
		{Order{RestartWorker, 1, Key{'i'}, pha(7000)}, "", ""},
		{Order{RestartWorker, 1, Key{'i'}, pha(7001)}, "phala.no_free_stake", ""},
		{Order{RestartWorker, 1, Key{'u'}, pha(2000)}, "phala.stake_not_more", ""},
		{Order{RestartWorker, 1, Key{'r'}, pha(2001)}, "phala.not_computing", ""},
		{Order{RestartWorker, 2, Key{'q'}, pha(2001)}, "phala.queue_waits", ""},
	} {
		for _, era := range []Era{V1, V2} {
			want := c.want
			if era == V1 && c.v1 != "" {
				want = ""
			}
			if got := refusing(t, era).Refused([]Order{c.o}); got[0].Code != want || len(got) != 1 {
				t.Errorf("%s: %s of %c in %d: %v, want %s", era, c.o.Action, c.o.Worker[0], c.o.Pool, got[0], want)
			}
		}
	}
}

// TestRefusedInTurn: each order is judged after those before it.
func TestRefusedInTurn(t *testing.T) {
	for _, c := range []struct {
		orders []Order
		want   []string
	}{
		{ // added, then started; the stake that is free is given once
			[]Order{{AddWorker, 1, Key{'n'}, fleet.PHA(0)}, {StartWorker, 1, Key{'n'}, fleet.PHA(3000)}, {StartWorker, 1, Key{'r'}, fleet.PHA(3000)}, {StartWorker, 1, Key{'r'}, fleet.PHA(2000)}},
			[]string{"", "", "phala.no_free_stake", ""},
		},
		{ // twice the same
			[]Order{{StopWorker, 1, Key{'i'}, fleet.PHA(0)}, {StopWorker, 1, Key{'i'}, fleet.PHA(0)}, {ReclaimWorker, 1, Key{'i'}, fleet.PHA(0)}},
			[]string{"", "phala.not_computing", "phala.still_cooling"},
		},
		{ // out, all the way, and into another pool
			[]Order{{ReclaimWorker, 1, Key{'o'}, fleet.PHA(0)}, {AddWorker, 2, Key{'o'}, fleet.PHA(0)}, {RemoveWorker, 1, Key{'o'}, fleet.PHA(0)}, {AddWorker, 2, Key{'o'}, fleet.PHA(0)}, {RemoveWorker, 1, Key{'o'}, fleet.PHA(0)}},
			[]string{"", "phala.in_pool", "", "", "phala.not_in_pool"},
		},
		{ // what was reclaimed is free again
			[]Order{{StartWorker, 1, Key{'r'}, fleet.PHA(5000)}, {RestartWorker, 1, Key{'i'}, fleet.PHA(2001)}, {ReclaimWorker, 1, Key{'o'}, fleet.PHA(0)}, {RestartWorker, 1, Key{'i'}, fleet.PHA(4000)}},
			[]string{"", "phala.no_free_stake", "", ""},
		},
		{ // a place is free after somebody left
			[]Order{{AddWorker, 1, Key{'n'}, fleet.PHA(0)}, {AddWorker, 1, Key{'m'}, fleet.PHA(0)}, {RemoveWorker, 1, Key{'r'}, fleet.PHA(0)}, {AddWorker, 1, Key{'m'}, fleet.PHA(0)}},
			[]string{"", "phala.pool_full", "", ""},
		},
	} {
		s := refusing(t, V2)
		s.Workers = append(s.Workers, &Worker{Key: Key{'m'}, Registered: true, Operator: alice(t), Score: 1000})
		var got []string
		for _, why := range s.Refused(c.orders) {
			got = append(got, why.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.orders, got, c.want)
		}
	}
}

// TestRefusedAgreesWithShows: an order that was carried out shows its effect, and what shows its effect is refused as done before.
func TestRefusedAgreesWithShows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := refusing(t, rapid.SampledFrom([]Era{V1, V2}).Draw(r, "era"))
		l := ledger{State: s, standings: map[place]Standing{}, pools: map[uint64]*poolLedger{}}
		for range 12 {
			o := Order{
				rapid.SampledFrom([]Action{AddWorker, StartWorker, StopWorker, ReclaimWorker, RemoveWorker, RestartWorker}).Draw(r, "action"),
				rapid.Uint64Range(1, 2).Draw(r, "pool"), Key{rapid.SampledFrom([]byte("iucornsq")).Draw(r, "worker")}, fleet.PHA(rapid.Uint64Range(1500, 3000).Draw(r, "stake")),
			}
			shown := l.standing(o).Shows(o)
			why := l.refused(o)
			if shown && why.IsZero() {
				r.Fatalf("%+v was done already, and is not refused: %+v", o, l.standing(o))
			}
			if !why.IsZero() {
				continue
			}
			l.carryOut(o)
			if !l.standing(o).Shows(o) {
				r.Fatalf("%+v was carried out, and is not shown: %+v", o, l.standing(o))
			}
		}
	})
}
