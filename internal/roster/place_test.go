package roster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/roster"
)

// bridge makes a bridge that knows pools; workers are "name@host/pid" with endpoints on port 8000.
func bridge(name string, limit int, pools []uint64, workers ...string) roster.Bridge {
	b := roster.Bridge{Name: name, Site: "dc1", Version: "v2", Max: limit}
	for _, pid := range pools {
		b.Pools = append(b.Pools, fleet.Pool{PID: pid, Name: fmt.Sprint("pool-", pid)})
	}
	for _, w := range workers {
		var pid uint64
		name, rest, _ := strings.Cut(w, "@")
		host, id, _ := strings.Cut(rest, "/")
		_, _ = fmt.Sscan(id, &pid)
		b.Workers = append(b.Workers, fleet.WorkerStatus{Ref: fleet.WorkerRef(b.Name, name), Name: name, PID: pid, Endpoint: "http://" + host + ":8000/", Stake: fleet.PHA(10), StakeOK: true, Enabled: true})
	}
	return b
}

// where are the results of Place, a line each: what, where, why.
func where(p roster.Placement) []string {
	var out []string
	for _, one := range p.Placed {
		s := one.Entry.Name + " " + string(one.Fate)
		if one.Bridge != "" {
			s += " " + one.Bridge
		}
		if !one.Reason.IsZero() {
			s += " " + one.Reason.Code
		}
		out = append(out, s)
	}
	for _, s := range p.Splits {
		out = append(out, fmt.Sprint("split ", s.PID, " ", s.Bridges))
	}
	for _, n := range p.NewPools {
		out = append(out, fmt.Sprint("new ", n.PID, " ", n.Bridge))
	}
	return out
}

func TestPlace(t *testing.T) {
	only := func(pids ...uint64) []uint64 { return pids }
	for name, c := range map[string]struct {
		list    string
		bridges []roster.Bridge
		o       roster.PlaceOptions
		want    []string
	}{
		"spread, each pool together": {
			"83:10.0.0.1:a\n84:10.0.0.2:b\n83:10.0.0.3:c\n", []roster.Bridge{bridge("prb-b", 0, only(83, 84)), bridge("prb-a", 0, only(83, 84))}, roster.PlaceOptions{},
			[]string{"a add prb-a", "b add prb-b", "c add prb-a"},
		},
		"where the pool's workers are": {
			"83:10.0.0.1:a\n", []roster.Bridge{bridge("prb-a", 5, only(83)), bridge("prb-b", 5, only(83), "x@10.9.9.9/83")}, roster.PlaceOptions{},
			[]string{"a add prb-b"},
		},
		"not where it has no room": {
			"83:10.0.0.1:a\n83:10.0.0.2:b\n", []roster.Bridge{bridge("prb-a", 5, only(83)), bridge("prb-b", 2, only(83), "x@10.9.9.9/83")}, roster.PlaceOptions{},
			[]string{"a add prb-a", "b add prb-a"},
		},
		"split only when it must be, where the pool is first": {
			"83:10.0.0.1:a\n83:10.0.0.2:b\n83:10.0.0.3:c\n83:10.0.0.4:d\n", []roster.Bridge{bridge("prb-a", 2, only(83)), bridge("prb-b", 3, only(83)), bridge("prb-c", 2, only(83), "x@10.9.9.9/83")}, roster.PlaceOptions{},
			[]string{"a add prb-c", "b add prb-b", "c add prb-b", "d add prb-b", "split 83 [prb-b prb-c]"},
		},
		"the rest does not fit": {
			"83:10.0.0.[1-3]:[1-3]\n", []roster.Bridge{bridge("prb-a", 1, only(83)), bridge("prb-b", 1, only(83))}, roster.PlaceOptions{},
			[]string{"1 add prb-a", "2 add prb-b", "3 refused roster.all_full", "split 83 [prb-a prb-b]"},
		},
		"one bridge, full": {
			"83:10.0.0.1:a\n83:10.0.0.2:b\n", []roster.Bridge{bridge("prb-a", 2, only(83), "x@10.9.9.9/83"), bridge("prb-b", 9, only(83))}, roster.PlaceOptions{Bridge: "prb-a"},
			[]string{"a add prb-a", "b refused roster.full"},
		},
		"more than it bears already": {
			"83:10.0.0.1:a\n", []roster.Bridge{bridge("prb-a", 1, only(83), "x@10.9.9.9/83", "y@10.9.9.8/83")}, roster.PlaceOptions{}, []string{"a refused roster.full"},
		},
		"a pool nobody knows": {
			"83:10.0.0.1:a\n", []roster.Bridge{bridge("prb-a", 0, only(84))}, roster.PlaceOptions{}, []string{"a refused roster.pool_nowhere"},
		},
		"a pool that the bridge does not know": {
			"83:10.0.0.1:a\n", []roster.Bridge{bridge("prb-a", 0, only(84)), bridge("prb-b", 0, only(83))}, roster.PlaceOptions{Bridge: "prb-a"}, []string{"a refused roster.pool_not_at"},
		},
		"new pools": {
			"83:10.0.0.1:a\n84:10.0.0.2:b\n", []roster.Bridge{bridge("prb-a", 0, only(84)), bridge("prb-b", 0, nil)}, roster.PlaceOptions{NewPools: true},
			[]string{"a add prb-a", "b add prb-a", "new 83 prb-a"},
		},
		"the list names bridges": {
			"name,ip,pid,bridge\na,10.0.0.1,83,prb-b\nb,10.0.0.2,83,prb-z\n", []roster.Bridge{bridge("prb-a", 0, only(83)), bridge("prb-b", 0, only(83))}, roster.PlaceOptions{},
			[]string{"a add prb-b", "b refused roster.no_such_bridge"},
		},
		"the command's bridge counts more": {
			"name,ip,pid,bridge\na,10.0.0.1,83,prb-b\n", []roster.Bridge{bridge("prb-a", 0, only(83)), bridge("prb-b", 0, only(83))}, roster.PlaceOptions{Bridge: "prb-a"},
			[]string{"a add prb-a"},
		},
		"another site": {
			"83:10.0.0.1:a\n", []roster.Bridge{bridge("prb-a", 0, only(83))}, roster.PlaceOptions{Site: "dc2"}, []string{"a refused roster.no_bridges"},
		},
		"closed, which says more than that the pool is not elsewhere": {
			"83:10.0.0.1:a\n", []roster.Bridge{{Name: "prb-a", Pools: []fleet.Pool{{PID: 83}}, Closed: fleet.Because("test.silent")}, bridge("prb-b", 0, nil)}, roster.PlaceOptions{},
			[]string{"a refused test.silent"},
		},
		"already there, in whatever way the bridge writes it": {
			"83:10.0.0.1:a\n", []roster.Bridge{bridge("prb-a", 0, only(83)), bridge("prb-b", 1, only(83), "a@10.0.0.1/83")}, roster.PlaceOptions{}, []string{"a already prb-b"},
		},
		"already there with another pool or stake": {
			"84:10.0.0.1:a\nb,10.0.0.2,11,83\n", []roster.Bridge{bridge("prb-a", 0, only(83, 84), "a@10.0.0.1/83", "b@10.0.0.2/83")}, roster.PlaceOptions{Bridge: "prb-a"},
			[]string{"a already prb-a roster.other_pool", "b already prb-a roster.other_stake"},
		},
		"at another bridge than the one wanted": {
			"83:10.0.0.1:a\n", []roster.Bridge{bridge("prb-a", 0, only(83)), bridge("prb-b", 0, only(83), "a@10.0.0.1/83")}, roster.PlaceOptions{Bridge: "prb-a"},
			[]string{"a refused prb-b roster.taken_endpoint"},
		},
		"names and endpoints that are taken": {
			"83:10.0.0.1:b\n83:10.0.0.2:a\n", []roster.Bridge{bridge("prb-a", 0, only(83)), bridge("prb-b", 0, only(83), "a@10.0.0.1/83")}, roster.PlaceOptions{},
			[]string{"b refused prb-b roster.taken_endpoint", "a refused prb-b roster.taken_name"},
		},
		"a pool of v3 has the name": {
			"83:10.0.0.1:pool-83\n", []roster.Bridge{{Name: "prb-a", Version: "v3", Pools: []fleet.Pool{{PID: 83, Name: "pool-83"}}}}, roster.PlaceOptions{}, []string{"pool-83 refused roster.name_of_pool"},
		},
		"v2 has two tables": {
			"83:10.0.0.1:pool-83\n", []roster.Bridge{bridge("prb-a", 0, only(83))}, roster.PlaceOptions{}, []string{"pool-83 add prb-a"},
		},
		"too small a stake": {
			"name,ip,stake,pid,enabled\na,10.0.0.1,0.5,83,\nb,10.0.0.2,0.5,83,no\n", []roster.Bridge{bridge("prb-a", 0, only(83))}, roster.PlaceOptions{},
			[]string{"a refused roster.small_stake", "b add prb-a"},
		},
		"no pool said": {"10.0.0.1\n", []roster.Bridge{bridge("prb-a", 0, only(83))}, roster.PlaceOptions{}, []string{"10.0.0.1 refused roster.no_pool"}},
		"no bridge":    {"83:10.0.0.1:a\n", nil, roster.PlaceOptions{}, []string{"a refused roster.no_bridges"}},
		"all of them whole, although the first thought would split": {
			// 84 goes to the roomiest bridge first, which leaves no room for 83 whole at prb-a, the only one that knows it
			"84:10.0.1.[1-3]:x[1-3]\n83:10.0.2.[1-2]:y[1-2]\n", []roster.Bridge{bridge("prb-a", 4, only(83, 84)), bridge("prb-b", 3, only(84))}, roster.PlaceOptions{},
			[]string{"x1 add prb-b", "x2 add prb-b", "x3 add prb-b", "y1 add prb-a", "y2 add prb-a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := roster.Place(parsed(t, c.list, roster.Options{}).Entries, c.bridges, c.o)
			if diff := cmp.Diff(c.want, where(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPlaceKnowsKeys: the same pRuntime under another name and endpoint is found by its key.
func TestPlaceKnowsKeys(t *testing.T) {
	b := bridge("prb-a", 0, []uint64{83}, "x@10.9.9.9/83")
	b.Workers[0].PublicKey = "aa"
	list := parsed(t, "83:10.0.0.1:a\n83:10.0.0.2:b\n83:10.0.0.3:c\n83:10.0.0.4:d\n", roster.Options{}).Entries
	for i, key := range []string{"aa", "bb", "bb", ""} {
		list[i].PublicKey = key
	}
	want := []string{"a refused prb-a roster.taken_key", "b add prb-a", "c refused roster.twice_key", "d add prb-a"}
	if diff := cmp.Diff(want, where(roster.Place(list, []roster.Bridge{b}, roster.PlaceOptions{}))); diff != "" {
		t.Error(diff)
	}
}

// TestPlaceHonoursLeaving: who is being removed is not added, restarted or taken for present.
func TestPlaceHonoursLeaving(t *testing.T) {
	b := bridge("prb-a", 0, []uint64{83}, "a@10.0.0.1/83")
	b.Workers[0].Condition = fleet.Leaving
	want := []string{"a refused prb-a roster.leaving"}
	if diff := cmp.Diff(want, where(roster.Place(parsed(t, "83:10.0.0.1:a\n", roster.Options{}).Entries, []roster.Bridge{b}, roster.PlaceOptions{}))); diff != "" {
		t.Error(diff)
	}
}

// TestPlaceTrustsNoList: what a list that was not parsed here says twice is not added twice.
func TestPlaceTrustsNoList(t *testing.T) {
	pid := uint64(83)
	list := []roster.Entry{
		{Line: 1, Name: "a", Endpoint: "http://10.0.0.1:8000", PID: &pid},
		{Line: 2, Name: "b", Endpoint: "http://10.0.0.1:8000", PID: &pid},
		{Line: 3, Name: "a", Endpoint: "http://10.0.0.2:8000", PID: &pid},
	}
	want := []string{"a add prb-a", "b refused roster.twice_endpoint", "a refused roster.twice_name"}
	if diff := cmp.Diff(want, where(roster.Place(list, []roster.Bridge{bridge("prb-a", 0, []uint64{83})}, roster.PlaceOptions{}))); diff != "" {
		t.Error(diff)
	}
}

// TestPlaceReasons shows why something goes nowhere, in both languages.
func TestPlaceReasons(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	v3 := roster.Bridge{Name: "prb-c", Version: "v3", Max: 1, Pools: []fleet.Pool{{PID: 85, Name: "alpha"}}}
	bridges := []roster.Bridge{bridge("prb-a", 4, []uint64{83, 86}, "x@10.9.9.9/83", "y@10.9.9.8/83", "q@10.9.9.6/83"), bridge("prb-b", 1, []uint64{86}, "z@10.9.9.7/86"), v3}
	bridges[0].Workers[0].PublicKey = "aa"
	bridges[0].Workers[1].Condition = fleet.Leaving
	list := parsed(t, `name,ip,pid,stake,bridge
x,10.9.9.9,86,,
z,10.9.9.7,86,10.5,
y,10.9.9.8,83,,
w1,10.9.9.9:8001,83,,
w2,10.9.9.6,83,,
z2,10.0.0.3,,,
x2,10.0.0.4,87,,
x3,10.0.0.5,83,0.5,prb-a
x4,10.0.0.6,84,,prb-a
x5,10.0.0.7,84,,prb-z
alpha,10.0.0.8,85,,
x6,10.0.0.9,85,,
x7,10.0.0.10,85,,
x8,10.0.0.11,86,,
x9,10.0.0.12,86,,
z.,10.0.0.13,86,,
`, roster.Options{}).Entries
	list[3].PublicKey = "aa"
	list[len(list)-1].Name = "z"
	p := roster.Place(list, bridges, roster.PlaceOptions{})
	for _, lang := range i18n.Langs() {
		var out strings.Builder
		for _, one := range p.Placed {
			fmt.Fprintf(&out, "%s → %s %s %s\n", one.Entry.Name, one.Fate, one.Bridge, strings.TrimSpace(catalog.Text(lang, one.Reason.Code, one.Reason.Args)))
		}
		golden(t, fmt.Sprintf("testdata/place.%s.golden", lang), out.String())
	}
}
