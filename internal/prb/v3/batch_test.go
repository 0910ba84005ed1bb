package v3

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

// alice, the development account, as four networks write her; bob once.
const (
	aliceSubstrate = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	alicePolkadot  = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"
	aliceKusama    = "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"
	bob            = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
)

var key = secret.NewValue("file  midnight since\nsort orchard lunar violin gospel toast umbrella quantum fossil")

func TestBatches(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		ctx := t.Context()
		stored, err := c.CreatePools(ctx, []prb.PoolSpec{
			{PID: 20, Name: "twenty", Enabled: true, Mnemonic: key, Proxied: aliceSubstrate}, {PID: 21, Name: "more", SyncOnly: true, Mnemonic: key},
		})
		if err != nil || len(stored) != 2 || !stored[0].OK() || !stored[1].OK() {
			t.Fatalf("create pools: %+v, %v", stored, err)
		}
		if sent := m.body("SetPoolOperator"); !strings.Contains(sent, `"file midnight since sort `) {
			t.Errorf("the mnemonic was sent with its blanks as they were: %s", sent)
		}
		m.with(func() { m.operators[20]["proxied_account_id"] = alicePolkadot }) // prb-wm writes addresses anew
		twenty := stored[0].ID
		stored, err = c.UpdatePools(ctx, []prb.PoolUpdate{{ID: twenty, PoolSpec: prb.PoolSpec{PID: 20, Name: "vingt", Proxied: aliceKusama}}})
		if err != nil || !stored[0].OK() || m.count("SetPoolOperator") != 2 {
			t.Errorf("update a pool, its operator stays: %+v, %v", stored, err)
		}
		stored, err = c.CreateWorkers(ctx, []prb.WorkerSpec{
			{PID: 20, Name: "a", Endpoint: "http://127.1.0.1:8000", Stake: fleet.PHA(3000), Enabled: true},
			{PID: 20, Name: "b", Endpoint: "http://127.1.0.2:80", Stake: fleet.PHA(1), SyncOnly: true},
		})
		if err != nil || len(stored) != 2 || !stored[0].OK() || !stored[1].OK() {
			t.Fatalf("create workers: %+v, %v", stored, err)
		}
		m.with(func() { m.workers[3].Gatekeeper = true })
		pools, workers, err := c.Inventory(ctx)
		if err != nil || len(pools) != 4 || len(workers) != 5 {
			t.Fatalf("inventory: %+v, %+v, %v", pools, workers, err)
		}
		var updates []prb.WorkerUpdate
		for _, w := range workers { // what was read may be written
			if w.PID == 20 {
				updates = append(updates, prb.WorkerUpdate{ID: w.ID, WorkerSpec: prb.WorkerSpec{
					PID: 21, Name: w.Name + "2", Endpoint: w.Endpoint, Stake: w.Stake, Enabled: w.Enabled, SyncOnly: w.SyncOnly}})
			}
		}
		if stored, err = c.UpdateWorkers(ctx, updates); err != nil || len(stored) != 2 || !stored[0].OK() || !stored[1].OK() {
			t.Errorf("update workers: %+v, %v", stored, err)
		}
		if a, ok := worker(t, c, "a2"); !ok || !a.Gatekeeper || a.PID != 21 || a.Stake != fleet.PHA(3000) {
			t.Errorf("a: %+v", a)
		}
		for _, u := range updates {
			if err := c.DeletePool(ctx, pools[3].ID); fleet.KindOf(err) != fleet.Refused {
				t.Errorf("a pool with workers: %v", err)
			}
			if err := c.DeleteWorker(ctx, u.ID); err != nil {
				t.Error(err)
			}
		}
		if err := c.DeletePool(ctx, pools[3].ID); err != nil {
			t.Error(err)
		}
		if err := c.DeletePool(ctx, pools[3].ID); !errors.Is(err, prb.ErrNoPool) {
			t.Error(err)
		}
	})
}

// A whole batch is looked at before its first record is sent.
func TestWhatIsRefusedOfABatch(t *testing.T) {
	good := prb.WorkerSpec{PID: 7, Name: "good", Endpoint: "http://127.1.0.1:8000", Stake: fleet.PHA(1)}
	bad := func(change func(*prb.WorkerSpec)) []prb.WorkerSpec {
		w := good
		w.Name, w.Endpoint = "bad", "http://127.1.0.2:8000"
		change(&w)
		return []prb.WorkerSpec{good, w}
	}
	update := func(id string, s prb.PoolSpec) []prb.PoolUpdate {
		return []prb.PoolUpdate{{ID: "p7", PoolSpec: prb.PoolSpec{PID: 7, Name: "pool7", Proxied: "45OwnerOfSeven"}}, {ID: id, PoolSpec: s}}
	}
	for name, tc := range map[string]struct {
		do   func(*testing.T, *Client) error
		code string
		is   error
	}{
		"no such pool": {func(t *testing.T, c *Client) error {
			_, err := c.CreateWorkers(t.Context(), bad(func(w *prb.WorkerSpec) { w.PID = 9 }))
			return err
		}, "prb3.no_pool", prb.ErrNoPool},
		"name of a pool": {func(t *testing.T, c *Client) error {
			_, err := c.CreateWorkers(t.Context(), bad(func(w *prb.WorkerSpec) { w.Name = "pool8" }))
			return err
		}, "prb3.name_taken", prb.ErrDuplicate},
		"low stake": {func(t *testing.T, c *Client) error {
			_, err := c.CreateWorkers(t.Context(), bad(func(w *prb.WorkerSpec) { w.Stake = fleet.Amount{} }))
			return err
		}, "prb.bad_stake", nil},
		"no such worker": {func(t *testing.T, c *Client) error {
			two := bad(func(*prb.WorkerSpec) {})
			_, err := c.UpdateWorkers(t.Context(), []prb.WorkerUpdate{{ID: "w1", WorkerSpec: two[0]}, {ID: "w9", WorkerSpec: two[1]}})
			return err
		}, "prb3.no_worker", prb.ErrNoWorker},
		"pool exists": {func(t *testing.T, c *Client) error {
			_, err := c.CreatePools(t.Context(), []prb.PoolSpec{{PID: 9, Name: "nine", Mnemonic: key}, {PID: 7, Name: "x", Mnemonic: key}})
			return err
		}, "prb3.pool_exists", prb.ErrDuplicate},
		"name of a worker": {func(t *testing.T, c *Client) error {
			_, err := c.CreatePools(t.Context(), []prb.PoolSpec{{PID: 9, Name: "one", Mnemonic: key}})
			return err
		}, "prb3.name_taken", prb.ErrDuplicate},
		"another number": {func(t *testing.T, c *Client) error {
			_, err := c.UpdatePools(t.Context(), update("p8", prb.PoolSpec{PID: 9, Name: "pool8"}))
			return err
		}, "prb3.pid_fixed", nil},
		"another owner without the key": {func(t *testing.T, c *Client) error {
			_, err := c.UpdatePools(t.Context(), update("p8", prb.PoolSpec{PID: 8, Name: "pool8", Proxied: bob}))
			return err
		}, "prb3.proxied_needs_key", nil},
		"an unknown pool": {func(t *testing.T, c *Client) error {
			_, err := c.UpdatePools(t.Context(), update("p9", prb.PoolSpec{PID: 8, Name: "pool8"}))
			return err
		}, "prb3.no_pool_id", prb.ErrNoPool},
	} {
		t.Run(name, func(t *testing.T) {
			m := newManager(t, V32)
			err := tc.do(t, newClient(t, Options{URL: m.URL}))
			if fleet.ReasonOf(err).Code != tc.code || tc.is != nil && !errors.Is(err, tc.is) || prb.IsAmbiguous(err) {
				t.Errorf("got %v", err)
			}
			for what, n := range m.asked {
				if !strings.HasPrefix(what, "GetAll") {
					t.Errorf("%s was sent %d times", what, n)
				}
			}
		})
	}
}

// The first failure ends a batch, and what is stored is told.
func TestABatchThatFailsInTheMiddle(t *testing.T) {
	m := newManager(t, V32)
	m.fault["AddWorker"] = func(w http.ResponseWriter, carryOut func()) bool {
		if m.asked["AddWorker"] == 2 {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	var specs []prb.WorkerSpec
	for i := range 4 {
		specs = append(specs, prb.WorkerSpec{PID: 7, Name: fmt.Sprint("n", i), Endpoint: fmt.Sprintf("http://127.1.0.%d:8000", i), Stake: fleet.PHA(1)})
	}
	stored, err := newClient(t, Options{URL: m.URL}).CreateWorkers(t.Context(), specs)
	if !prb.IsAmbiguous(err) || len(stored) != 4 || !stored[0].OK() || stored[1].ID != "" || stored[3].ID != "" || m.count("AddWorker") != 2 {
		t.Errorf("got %+v, %v after %d", stored, err, m.count("AddWorker"))
	}
	m.fault["AddWorker"] = func(w http.ResponseWriter, carryOut func()) bool {
		carryOut()
		m.workers[len(m.workers)-1].Stake = "5" // somebody else was there, too
		return say(200, "")(w, nil)
	}
	stored, err = newClient(t, Options{URL: m.URL}).CreateWorkers(t.Context(), specs[3:])
	if err == nil || len(stored) != 1 || stored[0].ID == "" || strings.Join(stored[0].Different, " ") != "stake" {
		t.Errorf("got %+v, %v", stored, err)
	}
}

func TestTheSameAccountOnOtherNetworks(t *testing.T) {
	for _, a := range []string{aliceSubstrate, alicePolkadot, aliceKusama} {
		for _, b := range []string{aliceSubstrate, alicePolkadot, aliceKusama} {
			if !sameAccount(a, b) {
				t.Errorf("%s and %s are not the same", a, b)
			}
		}
		for _, b := range []string{bob, "", "x", a[1:], a + "1", a[:len(a)-3], strings.Repeat("1", 48)} {
			if sameAccount(a, b) || sameAccount(b, a) {
				t.Errorf("%s and %q are the same", a, b)
			}
		}
	}
	if !sameAccount("", "") || sameAccount("1", "11") {
		t.Error("what is no address")
	}
}

func FuzzAccount(f *testing.F) {
	f.Add(aliceSubstrate)
	f.Add(strings.Repeat("1", 64))
	f.Fuzz(func(t *testing.T, s string) {
		if id := accountID(s); id != nil && len(id) != accountLen {
			t.Errorf("%q: %x", s, id)
		}
	})
}
