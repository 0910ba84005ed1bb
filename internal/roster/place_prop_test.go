package roster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// site draws bridges with some workers, of which some share names, endpoints and keys with the list.
func site() *rapid.Generator[[]roster.Bridge] {
	return rapid.Custom(func(t *rapid.T) []roster.Bridge {
		var out []roster.Bridge
		for i := range rapid.IntRange(0, 4).Draw(t, "bridges") {
			b := bridge(fmt.Sprint("prb-", i), rapid.IntRange(1, 8).Draw(t, "max"), rapid.SliceOfNDistinct(rapid.Uint64Range(1, 4), 0, 4, rapid.ID).Draw(t, "pools"))
			b.Version = rapid.SampledFrom([]string{"v0", "v2", "v3"}).Draw(t, "version")
			if rapid.IntRange(0, 9).Draw(t, "silent") == 0 {
				b.Closed = fleet.Because("test.silent")
			}
			for j := range rapid.IntRange(0, 6).Draw(t, "workers") {
				n := rapid.IntRange(0, 40).Draw(t, "worker")
				b.Workers = append(b.Workers, fleet.WorkerStatus{
					Ref: fleet.WorkerRef(b.Name, fmt.Sprint(j)), Name: fmt.Sprint("w", n), Endpoint: fmt.Sprintf("http://10.0.0.%d:8000/", rapid.SampledFrom([]int{n, n + 1}).Draw(t, "host")),
					PID: rapid.Uint64Range(1, 4).Draw(t, "pid"), PublicKey: rapid.SampledFrom([]string{"", fmt.Sprint("k", n)}).Draw(t, "key"),
				})
			}
			out = append(out, b)
		}
		return out
	})
}

func wishes(least uint64) *rapid.Generator[[]roster.Entry] {
	return rapid.Custom(func(t *rapid.T) []roster.Entry {
		var out []roster.Entry
		for range rapid.IntRange(0, 30).Draw(t, "entries") {
			n := rapid.IntRange(0, 60).Draw(t, "entry")
			e := roster.Entry{Line: len(out) + 1, Name: fmt.Sprint("w", n), Endpoint: fmt.Sprintf("http://10.0.0.%d:8000", n)}
			if pid := rapid.Uint64Range(least, 4).Draw(t, "pid"); pid > 0 {
				e.PID = &pid
			}
			e.PublicKey = rapid.SampledFrom([]string{"", fmt.Sprint("k", n)}).Draw(t, "key")
			e.Bridge = rapid.SampledFrom([]string{"", "", "", "prb-1"}).Draw(t, "wanted")
			out = append(out, e)
		}
		return out
	})
}

// TestPlaceProperties: whatever is asked, no bridge gets more than it bears, nobody is lost, nobody is there twice, and
// asking again after it was done changes nothing.
func TestPlaceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bridges, list := site().Draw(t, "site"), wishes(0).Draw(t, "list")
		o := roster.PlaceOptions{NewPools: rapid.Bool().Draw(t, "new pools"), Bridge: rapid.SampledFrom([]string{"", "", "prb-0", "prb-z"}).Draw(t, "bridge")}
		p := roster.Place(list, bridges, o)
		if len(p.Placed) != len(list) || p.Count(roster.Add)+p.Count(roster.Already)+p.Count(roster.Refused) != len(list) {
			t.Fatalf("%d of %d", len(p.Placed), len(list))
		}
		after := carriedOut(t, bridges, p)
		crowded(t, bridges, after)
		for _, b := range after {
			for _, one := range p.Placed {
				if one.Fate == roster.Add && one.Bridge == b.Name && (!b.Closed.IsZero() || o.Bridge != "" && o.Bridge != b.Name || !knows(b, *one.Entry.PID)) {
					t.Fatalf("%s should not be at %s", one.Entry.Name, b.Name)
				}
			}
		}
		if diff := cmp.Diff(p, roster.Place(list, bridges, o), cmp.AllowUnexported(fleet.Amount{})); diff != "" {
			t.Fatalf("another time, another answer: %s", diff)
		}
		again := roster.Place(list, after, o)
		for i, one := range again.Placed {
			before := p.Placed[i]
			if one.Fate == roster.Add || before.Fate == roster.Add && (one.Fate != roster.Already || one.Bridge != before.Bridge) {
				t.Fatalf("%s was %s %s, and then %s %s %s", one.Entry.Name, before.Fate, before.Bridge, one.Fate, one.Bridge, one.Reason)
			}
		}
	})
}

// carriedOut are the bridges after a placement.
func carriedOut(t *rapid.T, bridges []roster.Bridge, p roster.Placement) []roster.Bridge {
	after := slices.Clone(bridges)
	at := func(name string) *roster.Bridge {
		i := slices.IndexFunc(after, func(b roster.Bridge) bool { return b.Name == name })
		if i < 0 {
			t.Fatalf("there is no bridge %q", name)
		}
		return &after[i]
	}
	for _, pool := range p.NewPools {
		b := at(pool.Bridge)
		if knows(*b, pool.PID) {
			t.Fatalf("%s knows %d", b.Name, pool.PID)
		}
		b.Pools = append(slices.Clone(b.Pools), fleet.Pool{PID: pool.PID, Name: fmt.Sprint("pool-", pool.PID)})
	}
	for _, one := range p.Placed {
		switch one.Fate {
		case roster.Refused:
			if one.Reason.IsZero() {
				t.Fatalf("%s is refused without a reason", one.Entry.Name)
			}
		case roster.Add:
			b := at(one.Bridge)
			b.Workers = append(slices.Clone(b.Workers), fleet.WorkerStatus{Name: one.Entry.Name, Endpoint: one.Entry.Endpoint, PID: *one.Entry.PID, PublicKey: one.Entry.PublicKey})
		}
	}
	return after
}

// crowded fails when a bridge got more than it bears, or somebody is there who was there before under any of his names.
func crowded(t *rapid.T, before, after []roster.Bridge) {
	old := map[string]int{}
	count := func(bridges []roster.Bridge, into map[string]int) {
		for _, b := range bridges {
			for _, w := range b.Workers {
				into["name "+w.Name]++
				into["endpoint "+roster.Key(w.Endpoint)]++
				if w.PublicKey != "" {
					into["key "+w.PublicKey]++
				}
			}
		}
	}
	count(before, old)
	now := map[string]int{}
	count(after, now)
	for what, n := range now {
		if n > max(1, old[what]) {
			t.Fatalf("%s is there %d times", what, n)
		}
	}
	for i, b := range after {
		if len(b.Workers) > max(b.Max, len(before[i].Workers)) {
			t.Fatalf("%s has %d workers and bears %d", b.Name, len(b.Workers), b.Max)
		}
	}
}

func knows(b roster.Bridge, pid uint64) bool {
	return slices.ContainsFunc(b.Pools, func(p fleet.Pool) bool { return p.PID == pid })
}

// TestPoolsStayTogether: a pool is split only when nobody has room for all of it beside what else is placed, nobody is
// refused while somebody has room, and where there is a way to split none, none is split.
func TestPoolsStayTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var bridges []roster.Bridge
		for i := range rapid.IntRange(1, 4).Draw(t, "bridges") {
			bridges = append(bridges, bridge(fmt.Sprint("prb-", i), rapid.IntRange(1, 8).Draw(t, "max"), rapid.SliceOfNDistinct(rapid.Uint64Range(1, 4), 1, 4, rapid.ID).Draw(t, "pools")))
		}
		size := map[uint64]int{}
		var list []roster.Entry
		for i := range rapid.IntRange(0, 24).Draw(t, "entries") {
			pid := rapid.Uint64Range(1, 4).Draw(t, "pid")
			size[pid]++
			list = append(list, roster.Entry{Name: fmt.Sprint("w", i), Endpoint: fmt.Sprintf("http://10.0.0.%d:8000", i), PID: &pid})
		}
		p := roster.Place(list, bridges, roster.PlaceOptions{})
		room, at, lost := map[string]int{}, map[uint64]map[string]int{}, map[uint64]bool{}
		for _, b := range bridges {
			room[b.Name] = b.Max
		}
		for _, one := range p.Placed {
			pid := *one.Entry.PID
			if one.Fate == roster.Refused {
				lost[pid] = true
				continue
			}
			if at[pid] == nil {
				at[pid] = map[string]int{}
			}
			at[pid][one.Bridge]++
			room[one.Bridge]--
		}
		split := 0
		for pid, n := range size {
			if len(at[pid]) > 1 {
				split++
			}
			for _, b := range bridges {
				if !knows(b, pid) {
					continue
				}
				if lost[pid] && room[b.Name] > 0 {
					t.Fatalf("pool %d is refused although %s has room", pid, b.Name)
				}
				if (len(at[pid]) > 1 || lost[pid]) && room[b.Name]+at[pid][b.Name] >= n {
					t.Fatalf("pool %d is split although %s has room for all %d", pid, b.Name, n)
				}
			}
		}
		if len(p.Splits) != split {
			t.Fatalf("%d pools are split and %v are told", split, p.Splits)
		}
		if (split > 0 || len(lost) > 0) && wholly(bridges, size, []uint64{1, 2, 3, 4}) {
			t.Fatalf("there is a way to split none, but %v", where(p))
		}
	})
}

// wholly looks for a way to put every pool whole into a bridge that knows it, by trying all.
func wholly(bridges []roster.Bridge, size map[uint64]int, pools []uint64) bool {
	if len(pools) == 0 {
		return true
	}
	for i, b := range bridges {
		if n := size[pools[0]]; n == 0 || knows(b, pools[0]) && b.Max >= n {
			rest := slices.Clone(bridges)
			rest[i].Max -= n
			if wholly(rest, size, pools[1:]) {
				return true
			}
		}
	}
	return false
}
