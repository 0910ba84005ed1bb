package v2

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

const words = "abandon ability able about above absent absorb abstract absurd abuse access accident"

func workerSpec(n int) prb.WorkerSpec {
	return prb.WorkerSpec{PID: 83, Name: fmt.Sprint("w", n), Endpoint: fmt.Sprintf("http://127.0.1.%d:8000", n), Stake: fleet.PHA(10), Enabled: true, SyncOnly: n%2 == 0}
}

func poolSpec(pid uint64) prb.PoolSpec {
	return prb.PoolSpec{PID: pid, Name: fmt.Sprint("pool-", pid), Enabled: true, Proxied: "4y", Mnemonic: secret.NewValue("\n" + strings.ReplaceAll(words, " ", "  "))}
}

// database makes a monitor whose lifecycle manager keeps what is written to it, as the real one does: what is missing in an
// update becomes empty.
type database struct {
	*monitor
	tables map[string][]map[string]any // pools, workers
	lost   map[string]bool             // methods whose replies get lost
	skip   int                         // so many writes from now on are not carried out
}

func newDatabase(t *testing.T) *database {
	d := &database{monitor: newMonitor(t), tables: map[string][]map[string]any{}, lost: map[string]bool{}}
	for _, kind := range []string{"pool", "worker"} {
		name, list := strings.ToUpper(kind[:1])+kind[1:], kind+"s"
		data := func(rows []map[string]any) string {
			if len(rows) == 0 {
				return "{}"
			}
			raw, _ := json.Marshal(map[string]any{list: rows})
			return string(raw)
		}
		answer := func(method, data string) (int, string) {
			if d.lost[method] {
				return 200, `{"data":{},"hasError":false,"meta":{}}`
			}
			return ok(data)()
		}
		d.set("QmLM/List"+name, func() (int, string) { return ok(data(d.tables[list]))() })
		d.set("QmLM/Create"+name, func() (int, string) {
			var made []map[string]any
			if d.skip > 0 {
				d.skip--
			} else {
				made = d.create(t, list, d.bodies["QmLM/Create"+name])
			}
			return answer("Create"+name, data(made))
		})
		d.set("QmLM/Update"+name, func() (int, string) {
			if d.skip > 0 {
				d.skip--
				return answer("Update"+name, "{}")
			}
			changed, message := d.change(t, list, kind, d.bodies["QmLM/Update"+name])
			if message != "" {
				return refused(1, message)()
			}
			return answer("Update"+name, data(changed))
		})
	}
	return d
}

func (d *database) create(t *testing.T, list, body string) []map[string]any {
	var in map[string][]map[string]any
	if err := json.Unmarshal([]byte(body), &in); err != nil || len(in) != 1 || in[list] == nil {
		t.Errorf("body %s", body)
	}
	var made []map[string]any
	for _, row := range in[list] {
		made = append(made, d.row(t, row, fmt.Sprintf("%s-%d", list, len(d.tables[list])+len(made))))
	}
	d.tables[list] = append(d.tables[list], made...)
	return made
}

func (d *database) change(t *testing.T, list, kind, body string) (changed []map[string]any, message string) {
	var in struct {
		Items []map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil || len(in.Items) == 0 {
		t.Errorf("body %s", body)
	}
	for _, item := range in.Items {
		var id struct{ UUID string }
		var row map[string]any
		if err := errors.Join(json.Unmarshal(item["id"], &id), json.Unmarshal(item[kind], &row)); err != nil {
			t.Errorf("body %s: %v", body, err)
		}
		i := slices.IndexFunc(d.tables[list], func(r map[string]any) bool { return r["uuid"] == id.UUID })
		switch {
		case i < 0 && row["deleted"] == true:
			return nil, "TypeError: Cannot read properties of null (reading 'destroy')"
		case i < 0:
			return nil, "TypeError: Cannot set properties of null (setting 'pool')"
		case row["deleted"] == true:
			d.tables[list] = slices.Delete(d.tables[list], i, i+1)
		default:
			d.tables[list][i] = d.row(t, row, id.UUID)
			changed = append(changed, d.tables[list][i])
		}
	}
	return changed, ""
}

func (d *database) row(t *testing.T, in map[string]any, uuid string) map[string]any {
	out := map[string]any{"uuid": uuid, "pid": fmt.Sprint(in["pid"])}
	if _, number := in["pid"].(float64); !number {
		t.Errorf("pid is %T", in["pid"])
	}
	for _, f := range []string{"name", "endpoint", "stake", "realPhalaSs58", "enabled", "syncOnly"} {
		out[f] = in[f]
	}
	if o, ok := in["owner"].(map[string]any); ok && o["mnemonic"] != words {
		t.Errorf("owner %v", o)
	}
	return out
}

func TestCreateUpdateDelete(t *testing.T) {
	d := newDatabase(t)
	c := newClient(t, Options{URL: d.URL, Clock: hasty{}})
	ctx := t.Context()
	stored, err := c.CreatePools(ctx, []prb.PoolSpec{poolSpec(83), poolSpec(84)})
	if err != nil || len(stored) != 2 || stored[1].ID != "pools-1" {
		t.Fatalf("pools: %+v, %v", stored, err)
	}
	if stored, err = c.CreateWorkers(ctx, []prb.WorkerSpec{workerSpec(1), workerSpec(2)}); err != nil || !stored[0].OK() || stored[1].ID != "workers-1" {
		t.Fatalf("workers: %+v, %v", stored, err)
	}
	moved := workerSpec(7)
	moved.PID = 84
	if stored, err = c.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: "workers-0", WorkerSpec: moved}}); err != nil || !stored[0].OK() || d.tables["workers"][0]["name"] != "w7" {
		t.Errorf("update: %+v, %v", stored, err)
	}
	kept := poolSpec(83)
	kept.SyncOnly, kept.Mnemonic = true, secret.Value{}
	if _, err = c.UpdatePools(ctx, []prb.PoolUpdate{{ID: "pools-0", PoolSpec: kept}}); err != nil || strings.Contains(d.bodies["QmLM/UpdatePool"], "owner") {
		t.Errorf("pool update that keeps the operator: %v, %s", err, d.bodies["QmLM/UpdatePool"])
	}
	// A pool's sync-only is not its workers': comparing them must not mix the two.
	if stored, err = c.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: "workers-0", WorkerSpec: workerSpec(1)}}); err != nil || !stored[0].OK() {
		t.Errorf("worker of a sync-only pool: %+v, %v", stored, err)
	}
	if _, err = c.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: "nope", WorkerSpec: moved}}); !errors.Is(err, prb.ErrNoWorker) || prb.IsAmbiguous(err) || fleet.ReasonOf(err).Args["worker"] != "nope" {
		t.Errorf("nobody: %v", err)
	}

	if err := c.DeletePool(ctx, "pools-0"); fleet.KindOf(err) != fleet.Refused || d.count("QmLM/UpdatePool") != 1 {
		t.Errorf("a pool with workers, which would go with it: %v", err)
	}
	for _, id := range []string{"workers-0", "workers-1"} {
		if err := c.DeleteWorker(ctx, id); err != nil {
			t.Errorf("delete %s: %v", id, err)
		}
	}
	if err := c.DeleteWorker(ctx, "workers-0"); !errors.Is(err, prb.ErrNoWorker) {
		t.Errorf("delete again: %v", err)
	}
	if err := c.DeletePool(ctx, "pools-0"); err != nil || len(d.tables["pools"]) != 1 {
		t.Errorf("delete pool: %v", err)
	}
	if err := c.DeletePool(ctx, "pools-0"); !errors.Is(err, prb.ErrNoPool) {
		t.Errorf("delete pool again: %v", err)
	}
}

func TestLostRepliesOfWritesAreReadBack(t *testing.T) {
	d := newDatabase(t)
	c := newClient(t, Options{URL: d.URL, Clock: hasty{}})
	ctx := t.Context()
	for _, method := range []string{"CreatePool", "UpdatePool", "CreateWorker", "UpdateWorker"} {
		d.lost[method] = true
	}
	if stored, err := c.CreatePools(ctx, []prb.PoolSpec{poolSpec(83)}); err != nil || !stored[0].OK() {
		t.Errorf("pool: %+v, %v", stored, err)
	}
	if stored, err := c.CreateWorkers(ctx, []prb.WorkerSpec{workerSpec(1), workerSpec(2)}); err != nil || !stored[1].OK() {
		t.Errorf("workers: %+v, %v", stored, err)
	}
	if stored, err := c.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: "workers-1", WorkerSpec: workerSpec(3)}}); err != nil || !stored[0].OK() {
		t.Errorf("update: %+v, %v", stored, err)
	}
	if err := c.DeleteWorker(ctx, "workers-0"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if n := d.count("QmLM/CreateWorker") + d.count("QmLM/UpdateWorker"); n != 3 {
		t.Errorf("%d writes were sent for three", n)
	}
	// What is still not there stays a doubt.
	d.skip = 3
	if stored, err := c.CreateWorkers(ctx, []prb.WorkerSpec{workerSpec(4)}); !prb.IsAmbiguous(err) || len(stored) != 1 || stored[0].ID != "" {
		t.Errorf("not written: %+v, %v", stored, err)
	}
	if stored, err := c.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: "workers-1", WorkerSpec: workerSpec(5)}}); !prb.IsAmbiguous(err) || !slices.Contains(stored[0].Different, "name") {
		t.Errorf("not changed: %+v, %v", stored, err)
	}
	if err := c.DeleteWorker(ctx, "workers-1"); !prb.IsAmbiguous(err) {
		t.Errorf("not deleted: %v", err)
	}
}

// A proxy that drops the content type makes every write a silent nothing that reports success.
func TestSuccessWithoutAnEffectIsAnError(t *testing.T) {
	d := newDatabase(t)
	c := newClient(t, Options{URL: d.URL, Clock: hasty{}})
	d.tables["workers"] = []map[string]any{{"uuid": "w", "pid": "83", "name": "w1"}}
	d.skip = 3
	_, created := c.CreateWorkers(t.Context(), []prb.WorkerSpec{workerSpec(2)})
	_, updated := c.UpdateWorkers(t.Context(), []prb.WorkerUpdate{{ID: "w", WorkerSpec: workerSpec(1)}})
	deleted := c.DeleteWorker(t.Context(), "w")
	for code, err := range map[string]error{"prb.not_stored": errors.Join(created, updated), "prb.not_deleted": deleted} {
		if fleet.ReasonOf(err).Code != code || prb.IsAmbiguous(err) {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}

func TestRefusedWrites(t *testing.T) {
	d := newDatabase(t)
	c := newClient(t, Options{URL: d.URL, Clock: hasty{}})
	for message, want := range map[string]struct {
		code int
		is   error
	}{
		"SequelizeUniqueConstraintError: Validation error":                   {1, prb.ErrDuplicate},
		"Pool {pid:83 not found!":                                            {2, prb.ErrNoPool},
		"TypeError: Cannot set properties of null (setting 'pool')":          {1, prb.ErrNoWorker},
		`Can't find worker: {"uuid":"9be2d336-4d61-492b-904e-e78beba4273f"}`: {2, prb.ErrNoWorker},
	} {
		d.set("QmLM/CreateWorker", refused(want.code, message))
		if _, err := c.CreateWorkers(t.Context(), []prb.WorkerSpec{workerSpec(1)}); !errors.Is(err, want.is) || prb.IsAmbiguous(err) {
			t.Errorf("%s: %v", message, err)
		}
	}
	d.set("QmLM/CreatePool", refused(1, "Error: Invalid bip39 mnemonic specified"))
	_, err := c.CreatePools(t.Context(), []prb.PoolSpec{poolSpec(90)})
	if fleet.ReasonOf(err).Code != "prb.mnemonic_refused" || strings.Contains(fmt.Sprintf("%+v", err), "abandon") {
		t.Errorf("got %v", err)
	}
	d.set("QmLM/CreateWorker", refused(1, "SequelizeDatabaseError: SQLITE_BUSY"))
	if _, err := c.CreateWorkers(t.Context(), []prb.WorkerSpec{workerSpec(1)}); !prb.IsAmbiguous(err) {
		t.Errorf("an exception that is not known: %v", err)
	}
	if _, err := c.CreateWorkers(t.Context(), nil); fleet.KindOf(err) != fleet.Invalid {
		t.Errorf("nothing to write: %v", err)
	}
}

// Every recorded reply to a write comes to the outcome in the golden file.
func TestRecordedWritesAreUnderstood(t *testing.T) {
	var out strings.Builder
	for _, r := range recordings(t) {
		_, method, ok := r.peerMethod()
		if !ok || !strings.HasPrefix(method, "Create") && !strings.HasPrefix(method, "Update") {
			continue
		}
		data, err := decodeReply(new(prb.Parsers), r.Response.Status, []byte(r.Response.Body), question{peer: "Qm", method: method, ids: []string{"id"}, url: "http://m", write: true})
		fmt.Fprintf(&out, "%-36s ", r.Name)
		if err != nil {
			fmt.Fprintf(&out, "%s | %s | %s\n", faultOf(err), fleet.KindOf(err), fleet.ReasonOf(err))
			continue
		}
		rows, err := decodeRecords(data.Value)
		fmt.Fprintf(&out, "ok %d pools, %d workers, %v\n", len(rows.pools), len(rows.workers), err)
		if strings.Contains(out.String(), "0a10") {
			t.Fatalf("%s: an encrypted key is in the outcome", r.Name)
		}
	}
	golden(t, "writes.golden", out.String())
}
