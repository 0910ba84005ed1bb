package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// v3Fleet is the default fleet with three v3 workers.
func v3Fleet(t *testing.T, old bool, faults ...Fault) (*World, *V3Bridge) {
	t.Helper()
	w := New(epoch, 1)
	DefaultFleet(w, FleetOptions{Workers: 2, V3Workers: 3, V30: old})
	if err := w.Apply(Scenario{Name: t.Name(), Faults: faults}); err != nil {
		t.Fatal(err)
	}
	return w, w.V3Bridge("prb-v3")
}

// v3 finds a worker's context by its name.
func v3(t *testing.T, b *V3Bridge, name string) *V3Worker {
	t.Helper()
	for _, c := range b.contexts {
		if c.Row.Name == name {
			return c
		}
	}
	t.Fatalf("%v: no context for %s", b.w.Now().Sub(epoch), name)
	return nil
}

// looks holds a worker against state, the beginning of HasError's text, and the beginning of the message.
func looks(t *testing.T, b *V3Bridge, name, state, text, message string) {
	t.Helper()
	c := v3(t, b, name)
	gotState, gotText := c.State()
	gotMessage, _ := c.Message()
	if gotState != state || !strings.HasPrefix(gotText, text) || !strings.HasPrefix(gotMessage, message) {
		t.Errorf("%v: %s is %s %q, %q; want %s %q, %q", b.w.Now().Sub(epoch), name, gotState, gotText, gotMessage, state, text, message)
	}
}

// moves reports whether a worker's pRuntime got on within a minute.
func moves(t *testing.T, b *V3Bridge, name string) bool {
	t.Helper()
	rt := v3(t, b, name).rt
	before, _ := rt.Heights()
	pass(b.w, time.Minute)
	after, _ := rt.Heights()
	return after > before
}

func act(t *testing.T, b *V3Bridge, a V3Action, name string) {
	t.Helper()
	if err := b.Act(a, []string{b.row(name).ID}); err != nil {
		t.Fatal(err)
	}
}

func TestV3SettlesInStep(t *testing.T) {
	_, b := v3Fleet(t, false)
	for _, name := range []string{"v3-01", "v3-02", "v3-03"} {
		looks(t, b, name, V3Working, "", "Computing Now!")
		if !moves(t, b, name) || v3(t, b, name).rt.Lag() > 8 {
			t.Errorf("%s is %d behind", name, v3(t, b, name).rt.Lag())
		}
	}
}

// The three dead ends: what each looks like, that time does not help, and that a restart does.
func TestV3DeadEnds(t *testing.T) {
	for kind, want := range map[string][2]string{
		DeadEndLate:      {V3HasError, v3NeedRestart},
		DeadEndRestarted: {V3HasError, v3NeedRestart},
		DeadEndSync:      {V3Working, ""},
	} {
		t.Run(kind, func(t *testing.T) {
			w, b := v3Fleet(t, false, Fault{Kind: WorkerDeadEnd, Target: "v3-02", Text: kind})
			if kind == DeadEndLate {
				pass(w, 3*time.Second)
				looks(t, b, "v3-02", V3HasError, "pRuntime returned an error: error sending request for url (http://127.0.150.2:8000//prpc/PhactoryAPI.GetInfo)", "pRuntime returned an error")
				pass(w, 11*time.Second)
				looks(t, b, "v3-02", V3HasError, fmt.Sprintf(v3RPCErrors, 3), "pRuntime returned")
			}
			pass(w, 10*time.Minute)
			looks(t, b, "v3-02", want[0], want[1], "")
			if moves(t, b, "v3-02") {
				t.Error("it goes on by itself")
			}
			looks(t, b, "v3-01", V3Working, "", "Computing Now!")
			act(t, b, V3Restart, "v3-02")
			looks(t, b, "v3-02", V3Restarting, "", "Restarting, need to wait about 20 seconds")
			pass(w, 5*time.Second)
			if b.context(b.row("v3-02").ID) != nil {
				t.Error("its context was not dropped")
			}
			pass(w, 3*time.Minute)
			looks(t, b, "v3-02", V3Working, "", "Computing Now!")
			if !moves(t, b, "v3-02") || len(w.Harm()) != 0 {
				t.Errorf("not cured by a restart, or harm: %v", w.Harm())
			}
		})
	}
}

func TestV3RecoversFromAShortSilence(t *testing.T) {
	w, b := v3Fleet(t, false, Fault{Kind: PruntimeHang, Target: "v3-01", For: 2 * time.Minute}, Fault{Kind: PruntimeDown, Target: "v3-02", For: 5 * time.Minute})
	pass(w, time.Minute)
	looks(t, b, "v3-01", V3Working, "", "") // 180 s until the first call has failed
	looks(t, b, "v3-02", V3HasError, fmt.Sprintf(v3RPCErrors, 13), "Computing Now!")
	pass(w, 5*time.Minute)
	looks(t, b, "v3-01", V3Working, "", "Computing Now!")
	if !moves(t, b, "v3-01") {
		t.Error("a call that was only late has stopped the sync")
	}
	looks(t, b, "v3-02", V3Working, "", "Recovered from RpcError. Previously had error 61 times.")
	if moves(t, b, "v3-02") {
		t.Error("a lost sync call was made again")
	}
}

func TestV3LosesItsNodeAndFindsItAgain(t *testing.T) {
	w, b := v3Fleet(t, false)
	h := w.Host("node-1")
	do(t, w, h.Stop, "phala-node")
	pass(w, 2*time.Minute)
	if !b.wm.Up() || b.node() != nil {
		t.Error("wm should live on without its node")
	}
	looks(t, b, "v3-01", V3Working, "", "Computing Now!")
	act(t, b, V3Restart, "v3-03")
	pass(w, time.Minute)
	looks(t, b, "v3-03", V3HasError, "Fail to generate_sync_request for ", "Start Synchronizing...")
	do(t, w, start(h), "phala-node")
	pass(w, 2*time.Minute)
	for _, name := range []string{"v3-01", "v3-03"} {
		looks(t, b, name, V3Working, "", "Computing Now!")
		if !moves(t, b, name) {
			t.Errorf("%s stands still", name)
		}
	}
	if b.wm.Runs() != 1 || slices.ContainsFunc(w.Harm(), func(r Record) bool { return strings.HasPrefix(r.Target, "prb-v3") }) {
		t.Errorf("%d processes, harm %v", b.wm.Runs(), w.Harm())
	}
}

func TestV3WmRestartDropsContexts(t *testing.T) {
	w, b := v3Fleet(t, false)
	b.filled, b.Backlog = false, time.Hour
	if err := w.Host("node-1").Restart("prb3_wm_1", time.Minute); err != nil {
		t.Fatal(err)
	}
	pass(w, 30*time.Minute)
	if b.Listening() || len(b.Workers()) != 0 {
		t.Error("the port is open before the headers are there")
	}
	pass(w, 35*time.Minute)
	if !b.Listening() || len(b.Workers()) != 3 {
		t.Fatalf("listening %v, %d workers", b.Listening(), len(b.Workers()))
	}
	looks(t, b, "v3-01", V3Working, "", "Computing Now!")
	if err := w.Host("node-1").Restart("prb3_wm_1", time.Minute); err != nil {
		t.Fatal(err)
	}
	pass(w, 9*time.Second)
	if !b.Listening() || len(b.Workers()) != 0 {
		t.Errorf("listening %v with %d workers: the second start has its headers, and no workers yet", b.Listening(), len(b.Workers()))
	}
}

// A new worker: initialised, loaded, registered, added and started, a transaction each; and each of them wants an operator.
func TestV3TakesANewWorkerToWork(t *testing.T) {
	w, b := v3Fleet(t, false)
	w.AddFreshPruntime("http://127.0.160.1:8000", w.Networks()[0])
	if _, err := b.AddPool(V3Pool{Name: "pool-91", PID: 91, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	row, err := b.AddWorker(V3Row{Name: "new", Endpoint: "http://127.0.160.1:8000", Stake: "1", PID: 91, Enabled: true})
	if err != nil || row.Endpoint != "http://127.0.160.1:8000/" {
		t.Fatal(row, err)
	}
	var said []string
	watch := func(d time.Duration) {
		for until := w.Now().Add(d); w.Now().Before(until); pass(w, 500*time.Millisecond) {
			c := b.context(row.ID)
			if c == nil {
				continue
			}
			if text, _ := c.Message(); text != "" && (len(said) == 0 || said[len(said)-1] != text) {
				said = append(said, text)
			}
		}
	}
	watch(2 * time.Minute)
	looks(t, b, "new", V3HasError, "Invalid pool operator", "Invalid pool operator")
	if _, err := b.SetOperator(V3Operator{PID: 91, Seed: "x"}); err != nil {
		t.Fatal(err)
	}
	watch(time.Minute)
	act(t, b, V3Restart, "new")
	watch(5 * time.Minute)
	looks(t, b, "new", V3Working, "", "Computing Now!")
	if want := []string{"InitRuntime Starting...", "LoadChainState Starting...", "Start Preparing...", "Register Starting...", "Invalid pool operator"}; !slices.Equal(said[:len(want)], want) {
		t.Errorf("said %q", said)
	}
	count, pending, past := b.Transactions()
	if count != 4 || len(pending) != 0 || len(past) != 4 || past[3].State != "Error" || past[0].State != "Success" ||
		!strings.HasPrefix(past[0].Desc, "Start computing for 0x") || past[2].Desc != "Register worker for pool #91" {
		t.Errorf("%d transactions: %+v", count, past)
	}
	if s, ok := w.Pruntime("http://127.0.160.1:8000").Session(); !ok || s.State != "WorkerIdle" {
		t.Errorf("session %+v, %v", s, ok)
	}
}

func TestV3TransactionsTimeOutOnAHaltedChain(t *testing.T) {
	w, b := v3Fleet(t, false, Fault{Kind: ChainHalt, Target: "*"})
	act(t, b, V3ForceRegister, "v3-01")
	pass(w, 2500*time.Millisecond)
	if _, pending, past := b.Transactions(); len(pending) != 0 || len(past) != 1 || past[0].State != "Running" {
		t.Errorf("pending %v, past %v", pending, past)
	}
	pass(w, 2*time.Minute)
	looks(t, b, "v3-01", V3HasError, "Tx timed out!", "Tx timed out!")
}

func TestV3KeepsQuietAboutTheChain(t *testing.T) {
	for _, old := range []bool{false, true} {
		w, b := v3Fleet(t, old, Fault{Kind: WorkerPause, Target: "v3-01", For: time.Hour})
		pass(w, time.Second)
		w.Pruntime("http://127.0.150.2:8000").StopComputing()
		pass(w, 30*time.Minute)
		say := [2]string{"Computing Now!", "Computing Now!"}
		if old {
			say = [2]string{"Worker unresponsive!", "Worker is cooling down!"}
		}
		looks(t, b, "v3-01", V3Working, "", say[0])
		looks(t, b, "v3-02", V3Working, "", say[1])
		for name, want := range map[string]string{"v3-01": "WorkerUnresponsive", "v3-02": "WorkerCoolingDown"} {
			if s, ok := v3(t, b, name).rt.Session(); !ok || s.State != want {
				t.Errorf("%s: session %s, want %s", name, s.State, want)
			}
		}
	}
}

func TestV3Switches(t *testing.T) {
	w, b := v3Fleet(t, false)
	row := *b.row("v3-01")
	row.SyncOnly = true
	if _, err := b.UpdateWorker(row, ""); err != nil {
		t.Fatal(err)
	}
	looks(t, b, "v3-01", V3Restarting, "", "Restarting due to switching Enabled|Disabled, SyncOnly|Compute, need to wait about 20 seconds")
	pass(w, 2*time.Minute)
	if state, _ := v3(t, b, "v3-01").State(); state != V3Preparing && state != V3Synchronizing {
		t.Errorf("sync only is %s", state)
	}
	row.Enabled = false
	if _, err := b.UpdateWorker(row, "renamed"); err != nil {
		t.Fatal(err)
	}
	pass(w, time.Minute)
	looks(t, b, "renamed", V3Disabled, "", "")
	act(t, b, V3Restart, "renamed") // dropped
	looks(t, b, "renamed", V3Disabled, "", "")
	if v3(t, b, "renamed").feeding || v3(t, b, "renamed").rt.Feeders() != 0 {
		t.Error("a disabled worker is fed")
	}
	if _, err := b.UpdatePool(V3Pool{Name: "pool-90", PID: 90, Enabled: true, SyncOnly: true}); err != nil {
		t.Fatal(err)
	}
	pass(w, time.Minute)
	if state, _ := v3(t, b, "v3-02").State(); state == V3Working {
		t.Error("a pool's sync_only has no effect")
	}
}

func TestV30(t *testing.T) {
	w, b := v3Fleet(t, true)
	looks(t, b, "v3-01", V3Working, "", "Working now.")
	if err := b.Act(V3Restart, []string{"nobody"}); !errors.Is(err, V3NotFound{"nobody"}) {
		t.Errorf("an unknown worker: %v", err)
	}
	if _, err := b.AddWorker(V3Row{Name: "late", Endpoint: "http://127.0.0.9:8000", Stake: "1", PID: 90, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	row := *b.row("v3-03")
	row.Enabled = false
	if _, err := b.UpdateWorker(row, ""); err != nil {
		t.Fatal(err)
	}
	pass(w, time.Minute)
	if n := len(b.Workers()); n != 3 {
		t.Errorf("the inventory was read without a reload: %d", n)
	}
	if !b.Reload() {
		t.Fatal("no reload")
	}
	looks(t, b, "v3-01", V3HasError, "WM reloaded!", "WM reloaded!")
	pass(w, 2*time.Minute)
	var names []string
	for _, s := range b.Workers() {
		names = append(names, s.Worker.Name)
	}
	if !slices.Equal(names, []string{"v3-01", "v3-02", "late"}) {
		t.Errorf("listed %v", names)
	}
	looks(t, b, "v3-01", V3Working, "", "Working now.")
	if _, now := v3Fleet(t, false); now.Reload() {
		t.Error("v3.2 reloads")
	}
}

func TestV3IsAFunctionOfItsSeed(t *testing.T) {
	run := func() []V3Status {
		w, b := v3Fleet(t, false, Fault{Kind: WorkerDeadEnd, Target: "random:1", Text: DeadEndLate, At: time.Minute}, Fault{Kind: PowerCut, Target: "*", At: 5 * time.Minute})
		pass(w, 10*time.Minute)
		all := b.Workers()
		for i := range all {
			all[i].Context = nil
		}
		return all
	}
	a, b := run(), run()
	if len(a) != 3 || !slices.Equal(a, b) {
		t.Errorf("%+v\n%+v", a, b)
	}
}

func TestV3Processes(t *testing.T) {
	w, b := v3Fleet(t, false, Fault{Kind: PeerFrozen, Target: "prb-v3"}, Fault{Kind: MonitorHang, Target: "prb-v3"},
		Fault{Kind: BridgeSlow, Target: "prb-v3", Delay: time.Second})
	pass(w, time.Second)
	if !b.Hung() || !b.MonitorHung() || b.Delay() != time.Second || moves(t, b, "v3-01") {
		t.Errorf("hung %v and %v, slow by %v", b.Hung(), b.MonitorHung(), b.Delay())
	}
	for _, c := range []string{"prb3_wm_1", "prb3_monitor_1"} {
		if err := w.Host("node-1").Restart(c, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	pass(w, 3*time.Minute)
	if b.Hung() || b.MonitorHung() || !moves(t, b, "v3-01") {
		t.Error("a restart did not help")
	}
	if err := w.Apply(Scenario{Faults: []Fault{{Kind: LifecycleCrash, Target: "prb-v3"}, {Kind: MonitorCrash, Target: "prb-v3"}}}); err != nil {
		t.Fatal(err)
	}
	pass(w, 3*time.Minute)
	looks(t, b, "v3-01", V3Working, "", "Computing Now!")
	if b.wm.RestartCount() != 1 || !b.MonitorListening() {
		t.Errorf("wm came back %d times, monitor %v", b.wm.RestartCount(), b.MonitorListening())
	}
}

func TestV30ErrorsStay(t *testing.T) {
	w, b := v3Fleet(t, true, Fault{Kind: PruntimeDown, Target: "v3-01", For: time.Minute})
	pass(w, 10*time.Minute)
	looks(t, b, "v3-01", V3HasError, "pRuntime returned an error: ", "pRuntime returned an error: ")
	act(t, b, V3Restart, "v3-01")
	pass(w, 3*time.Minute)
	looks(t, b, "v3-01", V3Working, "", "Working now.")
}
