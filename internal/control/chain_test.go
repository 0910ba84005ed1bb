package control

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/observe"
	"phalops/internal/phala"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// book answers for chains: one block for every 12 s of its clock, and one PHA of reward for every minute.
type book struct {
	Clients
	clock  clock.Clock
	fails  map[string]error // by URL
	behind map[string]time.Duration
	asked  []string
	last   observe.LedgerAsk
}

type page struct {
	*book
	url string
}

func (b *book) Ledger(url string) observe.LedgerSource { return page{b, url} }

func (p page) URL() string { return p.url }

func (p page) Read(ctx context.Context, ask observe.LedgerAsk) (observe.LedgerReading, error) {
	p.asked, p.last = append(p.asked, p.url), ask
	err := p.fails[p.url]
	if errors.Is(err, context.DeadlineExceeded) {
		<-ctx.Done() // it hangs
		err = ctx.Err()
	}
	if err != nil {
		return observe.LedgerReading{}, fleet.FailWith(fleet.Unavailable, fleet.Because("x.silent", "url", p.url), err)
	}
	now := p.clock.Now().Add(-p.behind[p.url])
	old := now.Sub(day) + 1000*time.Hour
	r := observe.LedgerReading{View: fleet.ChainView{
		Ref: fleet.NetworkRef(ask.Network), Source: p.url, Genesis: "0x01", Height: uint64(old / (12 * time.Second)), Time: now, Whole: ask.Whole,
		Totals: fleet.ChainTotals{Reward: fleet.PHA(uint64(old / time.Minute))},
	}, Rewards: map[phala.Account]fleet.Amount{{1}: fleet.PHA(uint64(old / time.Minute))}}
	for pid := range ask.Pools {
		r.View.Pools = append(r.View.Pools, fleet.ChainPool{Ref: fleet.StakePoolRef(ask.Network, pid), PID: pid, Kind: "StakePool"})
	}
	for _, key := range ask.Workers {
		r.View.Workers = append(r.View.Workers, fleet.ChainWorker{Key: key, State: "Idle"})
	}
	return r, nil
}

const chainYAML = `
networks: { khala: { reference: [ "http://127.0.0.9:9944" ] } }
sites:
  - name: dc1
    nodes:
      - { name: node-1, para: "http://127.0.0.1:9944", relay: "http://127.0.0.1:9945" }
      - { name: node-2, para: "http://127.0.0.2:9944", relay: "http://127.0.0.2:9945" }
      - { name: archive, rpc: "http://127.0.0.3:9944" }
    bridges: [ { name: prb-a, version: v2, url: "http://127.0.0.1:3000", node: node-1 } ]
    pools: [ { pid: 7, account: 45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2 } ]
  - name: dc2
    bridges: [ { name: prb-b, version: v2, url: "http://127.0.0.2:3000" } ]
  - { name: dc3, network: phala, bridges: [ { name: prb-c, version: v2, url: "http://127.0.0.3:3000" } ] }
`

func newReading(t *testing.T, hands clock.Clock, text string) (*Control, *book) {
	t.Helper()
	cfg, problems := config.Parse([]byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b := &book{clock: hands, fails: map[string]error{}, behind: map[string]time.Duration{}}
	c := New(Options{Config: func() config.Config { return cfg }, Clock: hands, Store: memory.New(), Clients: b, Log: slog.New(slog.DiscardHandler)})
	c.board.setLease("dc1", store.Lease{Name: "dc1", Expires: day.Add(10000 * time.Hour)})
	key := strings.Repeat("ab", 32)
	c.board.setBridge("prb-a", fleet.BridgeStatus{Ref: fleet.BridgeRef("prb-a"), Site: "dc1", Pools: []fleet.Pool{{PID: 83, Operator: "43a"}, {PID: 7, Operator: "43b"}},
		Workers: []fleet.WorkerStatus{{Ref: fleet.WorkerRef("prb-a", "1"), PublicKey: key}, {Ref: fleet.WorkerRef("prb-a", "2")}}})
	for _, name := range []string{"node-1", "node-2", "archive"} {
		setNode(c, name, fleet.NodeHealthy)
	}
	return c, b
}

func setNode(c *Control, name string, condition fleet.NodeCondition) {
	c.board.setNode(name, fleet.NodeStatus{Ref: fleet.NodeRef(name), Condition: condition, Para: &fleet.ChainStatus{Probe: fleet.Probe{At: day}}})
}

// TestWhoIsAskedForTheChain: our own nodes that are well and left alone, then one-chain nodes, then nodes of others; never one that syncs,
// stands, is silent or in somebody's hands.
func TestWhoIsAskedForTheChain(t *testing.T) {
	const one, two, archive, reference = "http://127.0.0.1:9944", "http://127.0.0.2:9944", "http://127.0.0.3:9944", "http://127.0.0.9:9944"
	hands := clock.NewVirtual(day)
	for name, tc := range map[string]struct {
		change func(*Control)
		want   []string
	}{
		"all well":       {func(*Control) {}, []string{one, two, archive, reference}},
		"one syncs":      {func(c *Control) { setNode(c, "node-1", fleet.NodeSyncing) }, []string{two, archive, reference}},
		"one stalls":     {func(c *Control) { setNode(c, "node-2", fleet.NodeStalled) }, []string{one, archive, reference}},
		"one is down":    {func(c *Control) { setNode(c, "node-2", fleet.NodeDown) }, []string{one, archive, reference}},
		"one lags":       {func(c *Control) { setNode(c, "node-1", fleet.NodeLagging) }, []string{two, archive, reference}},
		"one is unknown": {func(c *Control) { setNode(c, "node-1", fleet.NodeUnknown) }, []string{two, archive, reference}},
		"the chain has ended": {func(c *Control) {
			setNode(c, "node-1", fleet.NodeNetworkEnded)
			setNode(c, "node-2", fleet.NodeNetworkStalled)
		}, []string{archive, one, two, reference}},
		"one does not answer": {func(c *Control) {
			c.board.setNode("node-1", fleet.NodeStatus{Ref: fleet.NodeRef("node-1"), Condition: fleet.NodeHealthy, Para: &fleet.ChainStatus{Probe: fleet.Probe{Missed: 1}}})
		}, []string{two, archive, reference}},
		"a plan holds one": {func(c *Control) {
			c.board.addPlan(fleet.Plan{ID: "p", Kind: "node.restart", Locks: []fleet.Ref{fleet.NodeRef("node-1")}})
		}, []string{two, archive, reference}},
		"nobody is well": {func(c *Control) {
			for _, n := range []string{"node-1", "node-2", "archive"} {
				setNode(c, n, fleet.NodeStalled)
			}
		}, []string{reference}},
	} {
		c, _ := newReading(t, hands, chainYAML)
		tc.change(c)
		if urls, wait := c.chainSources("khala"); !slices.Equal(urls, tc.want) || wait {
			t.Errorf("%s: %q, wait %v", name, urls, wait)
		}
	}
}

// TestTheBeatOfAChain follows a network's chain through sources that fail: what is known stays, with its age, and the next source is
// asked; another process reads on from what was written down.
func TestTheBeatOfAChain(t *testing.T) {
	const one, two, archive, reference = "http://127.0.0.1:9944", "http://127.0.0.2:9944", "http://127.0.0.3:9944", "http://127.0.0.9:9944"
	hands := clock.NewVirtual(day)
	c, b := newReading(t, hands, chainYAML)
	step := c.chainStep("khala", b)
	beat := func(want ...string) fleet.ChainView {
		t.Helper()
		b.asked = nil
		next, err := step(t.Context(), hands.Now())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.asked, want) {
			t.Fatalf("asked %q, want %q", b.asked, want)
		}
		v, _ := c.board.Chain("khala")
		hands.Advance(next.Sub(hands.Now()))
		for hands.Now().Before(c.ledgers.get("khala").due) { // until then what was read is judged again, each minute
			if next, err = step(t.Context(), hands.Now()); err != nil || len(b.asked) != len(want) || next.Sub(hands.Now()) > time.Minute {
				t.Fatalf("asked %q before it is due, next %v, %v", b.asked, next, err)
			}
			hands.Advance(next.Sub(hands.Now()))
		}
		return v
	}
	first := beat(one)
	if first.Source != one || !first.Fresh() || len(first.Pools) != 2 || len(first.Workers) != 1 || !first.Whole {
		t.Errorf("%+v", first)
	}
	if got := b.last.Pools; len(got) != 2 || !slices.Equal(got[83], []string{"43a"}) || !slices.Equal(got[7], []string{"45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2", "43b"}) {
		t.Errorf("asked about %v", got)
	}
	if took := hands.Now().Sub(day); took != 5*time.Minute {
		t.Errorf("again after %v", took)
	}
	b.fails[one] = errors.New("busy")
	b.behind[two] = time.Hour
	if v := beat(one, two, archive); v.Source != archive || v.Missed != 0 {
		t.Errorf("%+v", v)
	}
	for _, url := range []string{two, archive, reference} {
		b.fails[url] = errors.New("busy")
	}
	known := beat(one, two, archive, reference)
	if known.Fresh() == false || known.Missed != 1 || known.Source != archive || !known.At.Equal(day.Add(5*time.Minute)) || known.Cause.Args["url"] != reference {
		t.Errorf("nobody answers: %+v", known.Probe)
	}
	if took := hands.Now().Sub(day); took != 10*time.Minute+30*time.Second {
		t.Errorf("after %v it is tried again", took)
	}
	for range 20 {
		if v := beat(one, two, archive, reference); hands.Now().Sub(day) < 20*time.Minute && !v.Fresh() {
			t.Errorf("%v after the first failure: %+v", hands.Now().Sub(day)-10*time.Minute, v.Probe)
		}
	}
	if v := beat(one, two, archive, reference); v.Fresh() || v.Missed != 3 || v.Height != known.Height {
		t.Errorf("what was read long ago is no fact: %+v", v.Probe)
	}
	delete(b.fails, reference)
	if v := beat(one, two, archive, reference); !v.Fresh() || v.Whole || len(v.Pools) != 2 {
		t.Errorf("somebody else's node is asked for what is ours only: %+v", v)
	}
	b.fails = map[string]error{}
	beat(one)
	v := beat(one)
	if !v.Fresh() || v.Missed != 0 || v.Totals.Earned.IsZero() || !v.Watched.Equal(day) {
		t.Errorf("%+v", v)
	}

	// Another process takes over: it reads on where this one ended.
	again := New(Options{Config: c.config, Clock: hands, Store: c.store, Clients: b, Log: c.log})
	if err := again.Load(t.Context(), hands.Now()); err != nil {
		t.Fatal(err)
	}
	if was, known := again.board.Chain("khala"); !known || was.Height != v.Height {
		t.Errorf("the board of the next process has %+v", was)
	}
	again.board.setLease("dc1", store.Lease{Name: "dc1", Expires: day.Add(10000 * time.Hour)})
	setNode(again, "node-1", fleet.NodeHealthy)
	again.board.setBridge("prb-a", c.board.Bridge("prb-a"))
	if _, err := again.chainStep("khala", b)(t.Context(), hands.Now()); err != nil {
		t.Fatal(err)
	}
	next, _ := again.board.Chain("khala")
	if !next.Watched.Equal(day) || next.Totals.Earned.Cmp(v.Totals.Earned) <= 0 || next.Totals.DailyFor == 0 {
		t.Errorf("%+v", next)
	}
	// … and this one, without the lease, shows what the other wrote.
	c.board.setLease("dc1", store.Lease{})
	if is := beat(); is.Height != next.Height || !is.At.Equal(next.At) {
		t.Errorf("without the lease: %+v", is)
	}
}

// TestAChainThatNobodyWatches: nothing is read before the nodes and bridges were looked at, of networks without either, and where it is
// switched off.
func TestAChainThatNobodyWatches(t *testing.T) {
	hands := clock.NewVirtual(day)
	c, b := newReading(t, hands, chainYAML)
	c.board.keep(func(ref fleet.Ref) bool { return ref.Kind() != fleet.KindBridge })
	if next, err := c.chainStep("khala", b)(t.Context(), day); err != nil || len(b.asked) != 0 || !next.Before(day.Add(time.Minute)) {
		t.Errorf("before the bridges were looked at: %q, %v, %v", b.asked, next, err)
	}
	c, _ = newReading(t, hands, strings.Replace(chainYAML, "networks:", "poll: { chain: 0 }\nnetworks:", 1))
	if readable(c.config(), "khala") {
		t.Error("it is switched off")
	}
	c, b = newReading(t, hands, chainYAML)
	if readable(c.config(), "phala") || !readable(c.config(), "khala") || readable(c.config(), "none") {
		t.Error("a network without a node or reference cannot be read, others can")
	}
	c.board.keep(func(ref fleet.Ref) bool { return ref.Kind() != fleet.KindNode })
	config := c.config()
	config.Networks["khala"] = withoutReference(config.Networks["khala"])
	if next, err := c.chainStep("khala", b)(t.Context(), day); err != nil || len(b.asked) != 0 || !next.Before(day.Add(time.Minute)) {
		t.Errorf("before the nodes were looked at: %q, %v, %v", b.asked, next, err)
	}
	if _, known := c.board.Chain("khala"); known {
		t.Error("a view of nothing")
	}
}

func withoutReference(n config.Network) config.Network {
	n.Reference = nil
	return n
}

// TestAChainThatHangs: a source that never answers is given up in time, and the next one is asked.
func TestAChainThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hands := clock.NewVirtual(day)
		c, b := newReading(t, hands, chainYAML)
		b.fails["http://127.0.0.1:9944"] = context.DeadlineExceeded
		began := time.Now()
		if _, err := c.chainStep("khala", b)(t.Context(), day); err != nil {
			t.Fatal(err)
		}
		v, _ := c.board.Chain("khala")
		if took := time.Since(began); took != ledgerLasts || v.Source != "http://127.0.0.2:9944" {
			t.Errorf("after %v from %s", took, v.Source)
		}
	})
}
