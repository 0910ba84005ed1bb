package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"phalops/internal/i18n"
	"phalops/internal/view"
)

// TestServeEveryGeneration: the configuration of a fleet with bridges of every generation passes its check, and every one of
// them answers whoever uses it.
func TestServeEveryGeneration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sim.yaml")
	ctx, cancel := context.WithCancel(t.Context())
	ready, served := make(chan struct{}, 1), make(chan result, 1)
	go func() {
		served <- shell{lang: i18n.EN, onErr: func(line string) {
			if strings.Contains(line, "ready") {
				ready <- struct{}{}
			}
		}}.runIn(ctx, "sim", "serve", "--workers", "3", "--v0-workers", "2", "--v3-workers", "4", "--solo", "2", "--speed", "20", "--write-config", file)
	}()
	t.Cleanup(func() {
		cancel()
		<-served
	})
	select {
	case <-ready:
	case r := <-served:
		served <- r
		t.Fatalf("exit %d: %s", r.code, r.err)
	case <-time.After(30 * time.Second):
		t.Fatal("the simulated fleet does not become ready")
	}
	sh := shell{lang: i18n.EN}
	if r := sh.run(t, "config", "check", "-c", file); r.code != exitDone {
		t.Fatalf("config check: exit %d: %s", r.code, r.out+r.err)
	}
	r := sh.run(t, "worker", "list", "-c", file, "-o", "json")
	var list []struct {
		Bridge string
	}
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		t.Fatalf("exit %d, %v: %s%s", r.code, err, r.out, r.err)
	}
	got := map[string]int{}
	for _, w := range list {
		got[w.Bridge]++
	}
	for bridge, n := range map[string]int{"prb-a": 3, "prb-v0": 2, "prb-v3": 4, "solo-01": 1, "solo-02": 1} {
		if got[bridge] != n {
			t.Errorf("bridge %s has %d workers, want %d", bridge, got[bridge], n)
		}
	}
	sh.seesTheChain(t, file)
	if r := sh.run(t, "sim", "serve", "--solo", "101"); r.code != exitUsage || !strings.Contains(r.err, "--solo must be from 0 to 100, not 101") {
		t.Errorf("too many: exit %d: %s", r.code, r.err)
	}
}

// TestServeOfNoEra: what the chain cannot be is refused before anything is served.
func TestServeOfNoEra(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--era", "v3"}, {"--crowd", "25001"}, {"--crowd", "-1"}} {
		r := shell{lang: i18n.EN}.run(t, append([]string{"sim", "serve"}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.err, args[0]+" ") {
			t.Errorf("%v: exit %d: %s", args, r.code, r.err)
		}
	}
}

// seesTheChain: without a daemon the chain is asked once, finds the workers of bridges of every generation by their keys, and says the same of
// them as their bridges do; our pools are those of the bridges and that of the solo workers.
func (sh shell) seesTheChain(t *testing.T, file string) {
	t.Helper()
	r := sh.run(t, "worker", "list", "--chain", "-c", file, "-o", "json")
	var workers []view.WorkerOnChain
	if err := json.Unmarshal([]byte(r.out), &workers); err != nil || len(workers) != 11 {
		t.Fatalf("exit %d, %v: %s%s", r.code, err, r.out, r.err)
	}
	for _, w := range workers {
		if w.Chain == nil || w.Chain.State != "Idle" || w.Chain.Pool == nil || len(w.Chain.Differences) > 0 {
			t.Errorf("%s: %+v", w.Name, w.Chain)
		}
	}
	if r := sh.run(t, "worker", "list", "--differs", "-c", file); r.code != exitDone || r.out != "" || !strings.Contains(r.err, "Chain of khala: block ") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
	}
	r = sh.run(t, "pool", "list", "-c", file, "-o", "json")
	var pools []view.StakePool
	if err := json.Unmarshal([]byte(r.out), &pools); err != nil {
		t.Fatalf("exit %d, %v: %s%s", r.code, err, r.out, r.err)
	}
	got := ""
	for _, p := range pools {
		got += fmt.Sprintf("%d:%v:%d ", p.Pool, p.Known, len(p.Bridges))
	}
	if got != "83:true:1 84:true:1 88:true:1 90:true:1 95:true:0 " {
		t.Error(got)
	}
	one := sh.run(t, "pool", "list", "-c", file, "-o", "csv", "--bridge", "prb-v?")
	if rows := strings.Count(one.out, "\n"); rows != 3 || !strings.Contains(one.out, "\n88,khala,") {
		t.Errorf("%d rows\n%s", rows, one.out)
	}
}
