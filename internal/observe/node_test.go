package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/substrate"
	"phalops/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2022, 9, 7, 8, 0, 0, 0, time.UTC)

// said answers with the same words every time.
type said struct {
	url string
	ChainReading
	err  error
	hang bool
}

func (s said) URL() string { return s.url }

func (s said) Look(ctx context.Context) (ChainReading, error) {
	if s.hang {
		<-ctx.Done()
		return ChainReading{}, ctx.Err()
	}
	return s.ChainReading, s.err
}

func at(n int64) fleet.Height { return fleet.Height{Value: n, Known: true} }

type box struct {
	status fleet.ContainerStatus
	err    error
}

func (b box) Inspect(context.Context, string) (fleet.ContainerStatus, error) { return b.status, b.err }

func TestNodeKeepsHistoriesOfHeights(t *testing.T) {
	hands := clock.NewVirtual(start)
	look := func(prev fleet.NodeStatus, r ChainReading) fleet.NodeStatus {
		return Node(t.Context(), hands, NodeSource{Ref: "node/n", Site: "dc1", Para: said{url: "u", ChainReading: r}}, prev)
	}
	first := look(fleet.NodeStatus{}, ChainReading{Best: at(10), Target: at(12), Peers: new(3), Syncing: new(false), Chain: "Khala", Version: "1"})
	p := first.Para
	if first.Ref != "node/n" || first.Site != "dc1" || !p.At.Equal(start) || p.Peers != 3 || p.Finalized.Known || first.Relay != nil || first.Container != nil {
		t.Fatalf("first: %+v", p)
	}
	hands.Advance(15 * time.Second)
	second := look(first, ChainReading{Best: at(10), Target: at(13)})
	p = second.Para
	if !p.At.Equal(start.Add(15*time.Second)) || !p.Best.MovedAt.Equal(start) || !p.Target.MovedAt.Equal(hands.Now()) {
		t.Errorf("a height that stands still moved, or one that grew did not: %+v", p)
	}
	if p.Peers != -1 || p.Syncing != nil || p.Chain != "Khala" {
		t.Errorf("what was not said is not unknown: %+v", p)
	}
	if first.Para.Target.Value != 12 {
		t.Error("the earlier status was changed")
	}
}

func TestSilenceOfOnePartLeavesTheOthersAlone(t *testing.T) {
	hands := clock.NewVirtual(start)
	running := fleet.ContainerStatus{ID: "c1", Name: "n", State: "running"}
	src := NodeSource{
		Ref: "node/n", Container: "n", Containers: box{status: running},
		Para: said{url: "p", ChainReading: ChainReading{Best: at(10), Peers: new(5)}}, Relay: said{url: "r", ChainReading: ChainReading{Best: at(90)}},
	}
	prev := Node(t.Context(), hands, src, fleet.NodeStatus{Condition: fleet.NodeHealthy, Since: start})
	hands.Advance(time.Minute)
	src.Para, src.Relay = said{url: "p", hang: true}, said{url: "r", ChainReading: ChainReading{Best: at(91)}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	n := Node(ctx, hands, src, prev)
	if n.Para.Missed != 1 || !n.Para.Failed.Equal(hands.Now()) || n.Para.Best != prev.Para.Best || n.Para.Peers != 5 || !n.Para.At.Equal(start) {
		t.Errorf("the silent part lost its last words: %+v", n.Para)
	}
	if n.Relay.Missed != 0 || n.Relay.Best.Value != 91 || n.Container.State != "running" || n.Condition != fleet.NodeHealthy || !n.Since.Equal(start) {
		t.Errorf("the others: %+v %+v %v", n.Relay, n.Container, n.Condition)
	}

	src.Containers = box{err: fleet.Fail(fleet.Unavailable, fleet.Because("host.down"))}
	n = Node(ctx, hands, src, prev)
	if n.Container.Missed != 1 || n.Container.State != "running" || n.Container.Cause.Code != "host.down" {
		t.Errorf("a silent engine: %+v", n.Container)
	}
	src.Containers = box{err: fmt.Errorf("inspect n: %w", host.ErrNoContainer)}
	n = Node(ctx, hands, src, prev)
	if n.Container.Missed != 1 || n.Container.State != "" || n.Container.Cause.Code != "observe.no_container" || n.Container.Name != "n" {
		t.Errorf("a container that is gone: %+v", n.Container)
	}
}

func TestAnotherAddressIsAnotherHistory(t *testing.T) {
	hands := clock.NewVirtual(start)
	prev := Node(t.Context(), hands, NodeSource{Para: said{url: "old", ChainReading: ChainReading{Best: at(10)}}}, fleet.NodeStatus{})
	hands.Advance(time.Hour)
	n := Node(t.Context(), hands, NodeSource{Para: said{url: "new", err: errors.New("refused")}}, prev)
	if n.Para.Best.Known || n.Para.Missed != 1 || !n.Para.At.IsZero() || n.Para.URL != "new" {
		t.Errorf("got %+v", n.Para)
	}
}

func TestReferenceKeepsEachHeadsHistory(t *testing.T) {
	hands := clock.NewVirtual(start)
	a, b := said{url: "a", ChainReading: ChainReading{Best: at(10)}}, said{url: "b", ChainReading: ChainReading{Best: at(20)}}
	heads := Reference(t.Context(), hands, 0, nil, a, b)
	hands.Advance(time.Minute)
	a.err, b.Best = errors.New("gone"), at(21)
	heads = Reference(t.Context(), hands, 0, heads, b, a)
	if heads[0].URL != "b" || heads[0].Best.Value != 21 || !heads[0].Best.MovedAt.Equal(hands.Now()) || heads[1].Best.Value != 10 || heads[1].Missed != 1 {
		t.Errorf("got %+v", heads)
	}
}

// node answers JSON-RPC by method; a method that is not there is missing.
func node(t *testing.T, results map[string]string) *substrate.Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			ID     int
			Method string
		}
		_ = json.NewDecoder(r.Body).Decode(&req)
		result, ok := results[req.Method]
		switch {
		case !ok:
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%d,"error":{"code":-32601,"message":"Method not found"}}`, req.ID)
		case result == "hang":
			<-r.Context().Done()
		default:
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%d,"result":%s}`, req.ID, result)
		}
	}))
	client := wire.New(wire.Options{Allow: wire.LoopbackOnly, Timeout: 300 * time.Millisecond})
	t.Cleanup(func() { client.Close(); s.Close() })
	return substrate.New(s.URL, client)
}

func TestLookOverRPC(t *testing.T) {
	all := map[string]string{
		"system_syncState": `{"startingBlock":0,"currentBlock":38,"highestBlock":40}`, "system_health": `{"peers":7,"isSyncing":true,"shouldHavePeers":true}`,
		"chain_getFinalizedHead": `"0x11"`, "chain_getHeader": `{"number":"0x24"}`, "system_chain": `"Khala"`, "system_version": `"0.1.24"`,
	}
	r, err := RPC(node(t, all)).Look(t.Context())
	if err != nil || r.Best != at(38) || r.Target != at(40) || r.Finalized != at(36) || *r.Peers != 7 || !*r.Syncing || r.Chain != "Khala" || r.Version != "0.1.24" {
		t.Errorf("got %+v, %v", r, err)
	}
	delete(all, "system_syncState")
	all["system_health"] = "hang"
	r, err = RPC(node(t, all)).Look(t.Context())
	if err != nil || r.Best != at(36) || r.Target.Known || r.Peers != nil || r.Syncing != nil || r.Finalized != at(36) {
		t.Errorf("without syncState and with a stuck health: got %+v, %v", r, err)
	}
	if r, err := RPC(node(t, map[string]string{"system_health": `{"peers":7}`})).Look(t.Context()); err == nil {
		t.Errorf("without any height: %+v", r)
	}
}
