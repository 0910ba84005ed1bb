package phala

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"phalops/internal/substrate/scale"
)

// TestRhalaStakers: the stakers of a real runtime's pools. Its NFTs were recorded without their owners, which are given here as the accounts
// and queues have them; all shares together are the pool's.
func TestRhalaStakers(t *testing.T) {
	n, md := rhalaNode(t)
	stakers := func(pools ...uint64) (out []string) {
		t.Helper()
		s, err := ReadStakers(t.Context(), n.snapshot(), md, pools)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range s.Stakers {
			out = append(out, fmt.Sprintf("%d %s %v %s worth %s, %s wait, %s to claim", x.Pool, scale.Address(30, x.User)[:6], x.Told, x.Shares.PHA(), x.Value.PHA(), x.Queued.PHA(), x.Claimable.PHA()))
		}
		slices.Sort(out)
		return out
	}
	delete(n.state, "0x45323df7cc47150b3930e2666b0aa313a2bca190d36bd834cc73a38fc213ecbd") // as before spec 1170
	if s, err := ReadStakers(t.Context(), n.snapshot(), md, []uint64{1}); err != nil || s.Relay != 1076 {
		t.Errorf("relay chain height %d, %v", s.Relay, err)
	}
	if got := stakers(1); len(got) != 4 || !strings.HasPrefix(got[3], "1 45ppQG false 0 worth 0, 11000.123456 wait, 12.5 to claim") {
		t.Errorf("without owners: %q", got)
	}
	const owner, first, second, vault = "43qsYbZGLn2xzNuurY6BY4QNDSUU7gLEcXuckpm6B3DEmEx9", "45ppQG9QcAkUdh2AP25CxDAnBAK1EACefQA2rMtbApzu6UXa",
		"41GUHy9gmjhst2edhhoWCZcf6rqCheD5XMGTUF53CWJTePuc", "42qrmsHEEQVWt842hUuzVKsoMVnCb8owWyapycjhMRUAXrVw"
	const waiting = "42qnPyfw3sbWMGGtTPPc2YFNZRKPGXswRszyQQjGs2FDxdim" // chain-wide: it holds what is in the queues
	put := func(collection, item uint32, owner string) {
		n.put(t, md, "RmrkCore", "Nfts", map[string]any{
			"owner": map[string]any{"AccountId": owner}, "royalty": nil, "metadata": "0x", "equipped": nil, "pending": false, "transferable": true,
		}, collection, item)
	}
	for item, who := range []string{owner, first, second, vault, waiting, waiting, waiting} {
		put(10001, uint32(item), who)
	}
	put(7, 1, owner) // of a collection that is no pool's
	n.sorted = func() []string { return sortedKeys(n.state) }
	want := []string{
		"1 41GUHy true 10000 worth 10024.784430003679, 5000 wait, 0 to claim",
		"1 42qrms true 4500 worth 4511.152993501655, 2500 wait, 0 to claim",
		"1 43qsYb true 25000 worth 25061.961075009199, 0 wait, 0 to claim",
		"1 45ppQG true 0 worth 0, 11000.123456 wait, 12.5 to claim",
	}
	if got := stakers(1); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	all := stakers()
	got := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.HasPrefix(s, "1 ") })
	if !slices.Equal(got, want) || len(all) != 9 {
		t.Errorf("of all pools %d\n%s", len(all), strings.Join(all, "\n"))
	}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
