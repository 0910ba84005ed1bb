package v0

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

func TestCreateUpdateDelete(t *testing.T) {
	m := newMonitor(t)
	c := newClient(t, Options{URL: m.URL, Clock: hasty})
	ctx := t.Context()

	stored, err := c.CreatePools(ctx, []prb.PoolSpec{poolSpec(88), poolSpec(89)})
	if err != nil || len(stored) != 2 || stored[0].ID != "p0" || stored[1].ID != "p1" {
		t.Fatalf("pools: %+v, %v", stored, err)
	}
	stored, err = c.CreateWorkers(ctx, []prb.WorkerSpec{spec("w1"), spec("w2")})
	if err != nil || !stored[0].OK() || stored[1].ID != "w1" {
		t.Fatalf("workers: %+v, %v", stored, err)
	}

	changed := spec("w7")
	changed.Stake = fleet.PHA(20)
	if stored, err = c.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: "w0", WorkerSpec: changed}}); err != nil || !stored[0].OK() {
		t.Fatalf("update: %+v, %v", stored, err)
	}
	if _, err = c.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: "nope", WorkerSpec: changed}}); !errors.Is(err, prb.ErrNoWorker) || prb.IsAmbiguous(err) {
		t.Errorf("update of nobody: %v", err)
	}

	renamed := poolSpec(88)
	renamed.Name, renamed.Mnemonic, renamed.Proxied = "eighty-eight", secret.Value{}, "4y"
	if stored, err = c.UpdatePools(ctx, []prb.PoolUpdate{{ID: "p0", PoolSpec: renamed}}); err != nil || !stored[0].OK() {
		t.Fatalf("pool update: %+v, %v", stored, err)
	}
	if keystore := m.pools[0]["owner"].(map[string]any)["polkadotJson"]; keystore != `{"encoded":"p0","encoding":{"type":["none"]}}` {
		t.Errorf("the operator changed to %v", keystore)
	}

	if err := c.DeletePool(ctx, "p0"); fleet.KindOf(err) != fleet.Refused || fleet.ReasonOf(err).Code != "prb.pool_in_use" {
		t.Errorf("a pool with workers: %v", err)
	}
	for _, id := range []string{"w0", "w1"} {
		if err := c.DeleteWorker(ctx, id); err != nil || !m.deleted[id] {
			t.Errorf("delete %s: %v", id, err)
		}
	}
	if err := c.DeletePool(ctx, "p0"); err != nil || !m.deleted["p0"] {
		t.Errorf("delete pool: %v", err)
	}
	pools, workers, err := c.Inventory(ctx)
	if err != nil || len(pools) != 2 || pools[0].Enabled || workers[0].Enabled || workers[0].Stake != fleet.PHA(20) {
		t.Errorf("deleted records are listed on, disabled: %+v, %+v, %v", pools, workers, err)
	}

	// The name is free again. Of two records with a name the only enabled one is alive.
	if stored, err = c.CreateWorkers(ctx, []prb.WorkerSpec{{PID: 89, Name: "w2", Endpoint: "http://127.0.1.2:8000", Stake: fleet.PHA(1)}}); err != nil || stored[0].ID != "w2" {
		t.Fatalf("again: %+v, %v", stored, err)
	}
	if err := c.DeleteWorker(ctx, "w1"); fleet.ReasonOf(err).Code != "prb.shared_index" {
		t.Errorf("deleting the rest of a deleted worker: %v", err)
	}
	m.workers[2]["enabled"] = true
	if err := c.DeleteWorker(ctx, "w2"); err != nil {
		t.Errorf("deleting the living one: %v", err)
	}
}

func TestWritesThatLoseTheirAnswerAreReadBack(t *testing.T) {
	breakOff := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	}
	noReply := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "Internal Server Error")
	}
	for name, lose := range map[string]func(http.ResponseWriter){
		"closed connection": breakOff,
		"no reply in time":  noReply,
		"bad gateway":       func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		"garbage":           func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"content":{}}`) },
		"unknown exception": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"content":{"error":{"extra":"write after end"}}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMonitor(t)
			m.pools = []map[string]any{{"uuid": "p", "pid": "88", "name": "88", "owner": map[string]any{}}}
			// The rest of a deleted worker: like what is to be written, and not it.
			m.workers = []map[string]any{{"uuid": "old", "pid": "88", "name": "w1", "endpoint": "http://127.0.1.1:8000", "stake": "10000000000000", "enabled": true}}
			c := newClient(t, Options{URL: m.URL, Clock: hasty})
			m.after = func(command string, w http.ResponseWriter) bool {
				if command == "requestCreateWorker" {
					lose(w)
				}
				return command == "requestCreateWorker"
			}
			stored, err := c.CreateWorkers(t.Context(), []prb.WorkerSpec{spec("w1")})
			if err != nil || len(stored) != 1 || stored[0].ID != "w1" {
				t.Errorf("written: %+v, %v", stored, err)
			}
			m.after = func(command string, w http.ResponseWriter) bool {
				if command != "requestCreateWorker" {
					return false
				}
				m.workers = m.workers[:len(m.workers)-1] // the last of the batch never arrives
				lose(w)
				return true
			}
			stored, err = c.CreateWorkers(t.Context(), []prb.WorkerSpec{spec("w2"), spec("w3")})
			if !prb.IsAmbiguous(err) || len(stored) != 2 || !stored[0].OK() || stored[1].ID != "" {
				t.Errorf("half written: %+v, %v", stored, err)
			}
			if n := m.count("requestCreateWorker"); n != 2 {
				t.Errorf("%d writes were sent for two", n)
			}
		})
	}
}

func TestAWriteThatStoresSomethingElseIsTold(t *testing.T) {
	m := newMonitor(t)
	m.pools = []map[string]any{{"uuid": "p", "pid": "88", "name": "88", "owner": map[string]any{}}}
	c := newClient(t, Options{URL: m.URL, Clock: hasty})
	cut := spec("w1")
	stored, err := c.CreateWorkers(t.Context(), []prb.WorkerSpec{cut})
	if err != nil {
		t.Fatal(err)
	}
	m.workers[0]["stake"], m.workers[0]["enabled"] = "1", false
	list, err := c.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := prb.CompareWorkers(list.workers, []prb.WorkerSpec{cut, spec("w2")})
	want := []prb.Stored{{ID: stored[0].ID, Different: []string{"enabled", "stake"}}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := prb.NotStored(got, func(i int) string { return "w" }); fleet.ReasonOf(err).Code != "prb.stored_otherwise" {
		t.Errorf("got %v", err)
	}
}

// What would kill the monitor, break the bridge's index or never start is not sent at all.
func TestBadInputIsNotSent(t *testing.T) {
	m := newMonitor(t)
	m.pools = []map[string]any{{"uuid": "p", "pid": "88", "name": "88", "owner": map[string]any{}}}
	c := newClient(t, Options{URL: m.URL, Clock: hasty})
	worker := func(change func(*prb.WorkerSpec)) []prb.WorkerSpec {
		w := spec("w1")
		change(&w)
		return []prb.WorkerSpec{w}
	}
	for code, bad := range map[string][][]prb.WorkerSpec{
		"prb.bad_pid":  {worker(func(w *prb.WorkerSpec) { w.PID = 0 }), worker(func(w *prb.WorkerSpec) { w.PID = 1 << 53 })},
		"prb.bad_name": {worker(func(w *prb.WorkerSpec) { w.Name = "" }), worker(func(w *prb.WorkerSpec) { w.Name = "w1\r" }), worker(func(w *prb.WorkerSpec) { w.Name = "\xff" })},
		"prb.bad_endpoint": {
			worker(func(w *prb.WorkerSpec) { w.Endpoint = "127.0.1.1:8000" }), worker(func(w *prb.WorkerSpec) { w.Endpoint = "http://127.0.1.1:8000/" }),
			worker(func(w *prb.WorkerSpec) { w.Endpoint = "http://:8000" }), worker(func(w *prb.WorkerSpec) { w.Endpoint = "http://127.0.1.1:8000\r" }),
			worker(func(w *prb.WorkerSpec) { w.Endpoint = "http://u:secret@127.0.1.1:8000" }),
		},
		"prb.bad_stake":    {worker(func(w *prb.WorkerSpec) { w.Stake = fleet.NewAmount(999_999_999_999) })},
		"prb.no_sync_only": {worker(func(w *prb.WorkerSpec) { w.SyncOnly = true })},
		"prb.no_pool":      {worker(func(w *prb.WorkerSpec) { w.PID = 7 })},
		"prb.bad_batch":    {nil, slices.Repeat(worker(func(*prb.WorkerSpec) {}), prb.MaxBatch+1)},
		"prb.twice":        {slices.Repeat(worker(func(*prb.WorkerSpec) {}), 2)},
	} {
		for _, specs := range bad {
			if _, err := c.CreateWorkers(t.Context(), specs); fleet.ReasonOf(err).Code != code || strings.Contains(err.Error(), "secret") {
				t.Errorf("%+v: got %v, want %s", specs, err, code)
			}
		}
	}
	for _, text := range []string{"", "foo bar", strings.TrimSuffix(words, " accident")} {
		p := poolSpec(90)
		p.Mnemonic = secret.NewValue(text)
		if _, err := c.CreatePools(t.Context(), []prb.PoolSpec{p}); fleet.ReasonOf(err).Code != "prb.bad_mnemonic" {
			t.Errorf("mnemonic %q: %v", text, err)
		}
	}
	keyless := poolSpec(88)
	keyless.Mnemonic = secret.Value{}
	if _, err := c.UpdatePools(t.Context(), []prb.PoolUpdate{{ID: "p", PoolSpec: keyless}}); fleet.ReasonOf(err).Code != "prb.no_keystore" {
		t.Errorf("no keystore: %v", err)
	}
	for _, command := range m.commands {
		if command != "callOnlineLifecycleManager" {
			t.Errorf("%s was sent", command)
		}
	}
}
