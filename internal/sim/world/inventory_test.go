package world

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestInventoryQuirks(t *testing.T) {
	w := demo(t)
	b := w.Bridge("prb-a")
	row := b.Workers()[0]
	pool := b.Pools()[0]
	number := func(n uint64) *uint64 { return &n }
	seed := "file midnight since history case joke pony season awful expect aisle dose"
	const (
		unique   = "SequelizeUniqueConstraintError: Validation error"
		readNull = "TypeError: Cannot read properties of null (reading 'destroy')"
	)
	create := func(in ...WorkerInput) func() error {
		return func() error { _, err := b.CreateWorkers(in); return err }
	}
	update := func(c ...WorkerChange) func() error {
		return func() error { _, err := b.UpdateWorkers(c); return err }
	}
	createPool := func(in ...PoolInput) func() error {
		return func() error { _, err := b.CreatePools(in); return err }
	}
	updatePool := func(c ...PoolChange) func() error {
		return func() error { _, err := b.UpdatePools(c); return err }
	}
	for _, tc := range []struct {
		name     string
		do       func() error
		want     string
		notFound bool
	}{
		{"duplicate name", create(WorkerInput{PID: 83, Name: "w-01"}), unique, false},
		{"duplicate in one request", create(WorkerInput{PID: 83, Name: "x"}, WorkerInput{PID: 83, Name: "x"}), unique, false},
		{"unknown pool", create(WorkerInput{PID: 12345, Name: "x"}), "Pool {pid:12345 not found!", true},
		{"update: unknown uuid", update(WorkerChange{&ID{UUID: "nope"}, &WorkerInput{PID: 83}}), "TypeError: Cannot set properties of null (setting 'pool')", false},
		{"update: unknown pool", update(WorkerChange{&ID{UUID: row.UUID}, &WorkerInput{PID: 4242}}), "Pool {pid:4242 not found!", true},
		{"update: by pid", update(WorkerChange{&ID{PID: number(83)}, &WorkerInput{PID: 83}}), "TypeError: Cannot set properties of undefined (setting 'pool')", false},
		{"update: no id", update(WorkerChange{nil, &WorkerInput{}}), "TypeError: Cannot read properties of null (reading 'uuid')", false},
		{"update: no worker", update(WorkerChange{&ID{UUID: "u", JSON: `{"uuid":"u"}`}, nil}), `Can't find worker: {"uuid":"u"}`, true},
		{"update: name taken", update(WorkerChange{&ID{Name: "w-01"}, &WorkerInput{PID: 83, Name: "w-02"}}), unique, false},
		{"delete: unknown", update(WorkerChange{&ID{Name: "nope"}, &WorkerInput{Deleted: true}}), readNull, false},
		{"delete: one of two unknown", update(WorkerChange{&ID{Name: "w-01"}, &WorkerInput{Deleted: true}}, WorkerChange{&ID{Name: "nope"}, &WorkerInput{Deleted: true}}), readNull, false},
		{"pool: no owner", createPool(PoolInput{PID: 95, Name: "p"}), "TypeError: Cannot read properties of null (reading 'mnemonic')", false},
		{"pool: empty owner", createPool(PoolInput{PID: 95, Name: "p", HasOwner: true}), "Error: Unable to match provided value to a secret URI", false},
		{"pool: no mnemonic", createPool(PoolInput{PID: 95, Name: "p", HasOwner: true, Mnemonic: strings.Repeat("foo ", 12)}), "Error: Invalid bip39 mnemonic specified", false},
		{"pool: seed too long", createPool(PoolInput{PID: 95, Name: "p", HasOwner: true, Mnemonic: strings.Repeat("x", 33)}), "Error: specified phrase is not a valid mnemonic and is invalid as a raw seed at > 32 bytes", false},
		{"pool: duplicate pid", createPool(PoolInput{PID: 83, Name: "p", HasOwner: true, Mnemonic: seed}), unique, false},
		{"pool: duplicate name", createPool(PoolInput{PID: 95, Name: pool.Name, HasOwner: true, Mnemonic: seed}), unique, false},
		{"pool update: unknown", updatePool(PoolChange{&ID{PID: number(777)}, &PoolInput{PID: 777}}), "TypeError: Cannot set properties of null (setting 'pid')", false},
		{"pool update: no pool", updatePool(PoolChange{&ID{JSON: "{}"}, nil}), "Can't find pool: {}", true},
		{"pool delete: unknown", updatePool(PoolChange{&ID{Name: "nope"}, &PoolInput{Deleted: true}}), readNull, false},
	} {
		err := tc.do()
		failed, ok := errors.AsType[*PeerError](err)
		if !ok || failed.Message != tc.want || failed.NotFound != tc.notFound {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
	if len(b.Workers()) != 6 || len(b.Pools()) != 2 || len(w.Effects()) > 0 {
		t.Errorf("something was written: %d workers, %d pools, %v", len(b.Workers()), len(b.Pools()), w.Effects())
	}

	if made, err := b.CreateWorkers([]WorkerInput{{PID: 83, Name: "w-new", Endpoint: row.Endpoint, Stake: "10000000000000", Enabled: true}}); err != nil || made[0].UUID == "" {
		t.Errorf("a shared endpoint is accepted: %v, %v", made, err)
	}
	pass(w, time.Hour)
	if _, err := b.States([]string{b.Workers()[6].UUID}); err == nil || err.Error() != "TypeError: Cannot read properties of undefined (reading 'status')" {
		t.Errorf("a new worker has no context before a restart: %v", err)
	}
	if changed, err := b.UpdateWorkers([]WorkerChange{{&ID{Name: "w-02"}, &WorkerInput{PID: 83, Name: "w-02"}}}); err != nil || changed[0] != (Worker{UUID: b.Workers()[1].UUID, Name: "w-02", PID: 83}) {
		t.Errorf("missing fields are blanked: %+v, %v", changed, err)
	}
	if changed, err := b.UpdatePools([]PoolChange{{&ID{UUID: pool.UUID}, &PoolInput{PID: 83, Name: "renamed"}}}); err != nil || changed[0].Seed != pool.Seed || changed[0].Enabled {
		t.Errorf("an update without a mnemonic keeps the operator: %+v, %v", changed, err)
	}
	before := len(b.Workers())
	if _, err := b.UpdatePools([]PoolChange{{&ID{PID: number(83)}, &PoolInput{Deleted: true}}}); err != nil || len(b.Pools()) != 1 {
		t.Errorf("delete by pid: %v", err)
	}
	for _, left := range b.Workers() {
		if left.PID == 83 {
			t.Errorf("%s outlived its pool", left.Name)
		}
	}
	if len(b.Workers()) == before || worker(t, w, "w-01").State() != StateActive {
		t.Errorf("%d workers left of %d; the running one is %s", len(b.Workers()), before, worker(t, w, "w-01").State())
	}
	if made, err := b.CreatePools([]PoolInput{{PID: 1<<64 - 1, Name: "negative", HasOwner: true, Mnemonic: "foo bar"}}); err != nil || made[0].PID != 1<<64-1 || b.Pools()[1].PID != 0 {
		t.Errorf("a negative pid: echoed %v, stored %v, %v", made, b.Pools(), err)
	}
}

func TestActionsByID(t *testing.T) {
	w := demo(t)
	b := w.Bridge("prb-a")
	ids := []string{b.workers[0].UUID, b.workers[1].UUID}
	b.workers[5].Enabled = false
	_ = w.Host("node-1").Restart("bridge_lifecycle_1", time.Minute)
	pass(w, time.Minute)
	off := b.workers[5].UUID
	for _, tc := range []struct {
		name  string
		ids   []string
		want  string
		acted int
	}{
		{"none", nil, "", 0},
		{"two", ids, "", 2},
		{"a name", []string{"w-01"}, "Worker w-01 not found!", 0},
		{"one unknown", []string{ids[0], "nope"}, "Worker nope not found!", 0},
		{"one not running", []string{ids[0], off}, "TypeError: Cannot read properties of undefined (reading 'runner')", 1},
	} {
		before := len(w.effects)
		_, err := b.Act(ActionRestart, tc.ids)
		if got := errText(err); got != tc.want || len(w.effects)-before != tc.acted {
			t.Errorf("%s: %q, %d acted on; want %q, %d", tc.name, got, len(w.effects)-before, tc.want, tc.acted)
		}
	}
	b.ConfigMode = true
	if _, err := b.States(nil); errText(err) != "TypeError: Cannot read properties of undefined (reading 'workers')" {
		t.Errorf("config mode: %v", err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
