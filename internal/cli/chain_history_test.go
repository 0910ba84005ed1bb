package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/store/sqlite"
	"phalops/internal/view"
)

// TestDailyByHistory: with a configuration the rewards of a day are those that the daemon has recorded, where it has them of every
// session that is shown; else, and for a node that is named by its address, the chain is read twice.
func TestDailyByHistory(t *testing.T) {
	rpc, dir := recordedChain(t), t.TempDir()
	config := filepath.Join(dir, "phalops.yaml")
	text := fmt.Sprintf("data: %q\nsites: [{ name: dc1, nodes: [{ name: node-1, rpc: %q }] }]\n", filepath.Join(dir, "data"), rpc)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	daily := func(now time.Time, what string, args ...string) (string, string) {
		t.Helper()
		r := shell{lang: i18n.EN, clock: clock.NewVirtual(now)}.run(t, append([]string{"chain", what, "--daily", "-o", "json", "-c", config}, args...)...)
		var out struct {
			view.PhalaTotals
			Workers []view.PhalaWorker
		}
		if err := json.Unmarshal([]byte(r.out), &out); err != nil {
			t.Fatal(err, r.err)
		}
		if what == "totals" {
			return fmt.Sprint(out.Totals["daily"]), ""
		}
		var keys []string
		sum := ""
		for _, w := range out.Workers {
			keys, sum = append(keys, strings.TrimPrefix(w.Worker, "0x")), sum+" "+*w.Daily
		}
		return strings.TrimSpace(sum), strings.Join(keys, " ")
	}
	twice, names := daily(night, "workers", "--pool", "2", "--sort", "worker")
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keys := strings.Fields(names)
	v := fleet.ChainView{Probe: seen(2 * time.Minute), Ref: fleet.NetworkRef("khala"), Height: 38, Whole: true, Totals: fleet.ChainTotals{Daily: fleet.PHA(99), DailyFor: time.Hour}}
	for i, k := range keys {
		v.Workers = append(v.Workers, fleet.ChainWorker{Key: k, Daily: fleet.PHA(uint64(7 + i)), DailyFor: time.Hour})
	}
	if err := s.SaveChain(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		now  time.Time
		what string
		args []string
		want string
	}{
		"ours":                    {night, "workers", []string{"--pool", "2", "--sort", "worker"}, "7 8"},
		"the sum of all":          {night, "totals", nil, "99"},
		"the sum of ours":         {night, "totals", []string{"--pool", "2"}, "15"},
		"others as well":          {night, "workers", []string{"--pool", "2,4", "--sort", "worker"}, "7 8"}, // pool 4 has none
		"not of pool 1":           {night, "totals", []string{"--pool", "1,2"}, "20"},
		"another node":            {night, "workers", []string{"--pool", "2", "--sort", "worker", "--rpc", rpc}, twice},
		"a daemon that went away": {night.Add(2 * time.Hour), "workers", []string{"--pool", "2", "--sort", "worker"}, twice},
	} {
		if got, _ := daily(c.now, c.what, c.args...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if twice == "7 8" || len(keys) != 2 {
		t.Errorf("%s of %v", twice, keys)
	}
}
