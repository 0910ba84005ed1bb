package world

import (
	"testing"
	"time"
)

func TestNodeFaults(t *testing.T) {
	for _, tc := range []struct {
		name                   string
		fault                  Fault
		moves, relayMoves      bool
		targetMoves            bool
		syncing                bool
		peers                  int
		listening, hung        bool
		providerMoves, crashes bool
	}{
		{name: "stall: highestBlock stands still too, and isSyncing says nothing", fault: Fault{Kind: NodeStall}, peers: 40, listening: true},
		{name: "stall of the relay chain only", fault: Fault{Kind: NodeStall, Chain: "relay"}, moves: true, targetMoves: true, peers: 40, listening: true, providerMoves: true},
		{name: "imports stop, the network is seen", fault: Fault{Kind: NodeStallImport}, targetMoves: true, syncing: true, peers: 40, listening: true},
		{name: "no peers", fault: Fault{Kind: NodePeersLost}, listening: true},
		{name: "RPC refuses: what hangs on it exits", fault: Fault{Kind: NodeRPCDown}, moves: true, relayMoves: true, targetMoves: true, peers: 40, crashes: true},
		{name: "hangs", fault: Fault{Kind: NodeHang}, peers: 40, listening: true, hung: true},
		{name: "the network makes no blocks", fault: Fault{Kind: ChainHalt, For: time.Hour}, peers: 40, listening: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.fault.Target = "*"
			w := demo(t, tc.fault)
			n, d := w.Node("node-1"), w.DataProvider("dp-1")
			pass(w, 2*time.Second)
			para, relay := n.Para().Best(w.Now()), n.Relay().Best(w.Now())
			target, _ := n.Para().Target(w.Now())
			provider := d.Info(w.Now()).ParaProcessed
			pass(w, 5*time.Minute)
			got, _ := n.Para().Target(w.Now())
			check := func(what string, got, want any) {
				if got != want {
					t.Errorf("%s: %v, want %v", what, got, want)
				}
			}
			check("best moves", n.Para().Best(w.Now()) > para, tc.moves)
			check("relay best moves", n.Relay().Best(w.Now()) > relay, tc.relayMoves)
			check("target moves", got > target, tc.targetMoves)
			check("isSyncing", n.Para().Syncing(w.Now()), tc.syncing)
			check("peers", n.Para().PeerCount(), tc.peers)
			check("listening", n.Listening(), tc.listening)
			check("hung", n.Hung(), tc.hung)
			check("data provider moves", d.Info(w.Now()).ParaProcessed > provider, tc.providerMoves)
			check("data provider is brought back again and again", d.container.RestartCount() > 2, tc.crashes)
		})
	}
}

func TestNodeRestartCuresAndCatchesUp(t *testing.T) {
	for _, kind := range []string{NodeStall, NodeStallImport, NodePeersLost, NodeRPCDown, NodeHang} {
		w := demo(t, Fault{Kind: kind, Target: "node-1"})
		n, h := w.Node("node-1"), w.Host("node-1")
		pass(w, time.Hour)
		if err := h.Restart("phala-node", 2*time.Minute); err != nil {
			t.Fatal(err)
		}
		pass(w, 8*time.Second+3*time.Second+time.Second) // stopped, started
		if n.Listening() {
			t.Errorf("%s: the RPC listens before the node is up", kind)
		}
		best := n.Para().Best(w.Now())
		pass(w, nodeRPCAfter)
		switch { // a node whose RPC was dead went on importing all the while
		case !n.Listening():
			t.Errorf("%s: the RPC does not listen after the restart", kind)
		case kind != NodeRPCDown && (!n.Para().Syncing(w.Now()) || n.Para().Best(w.Now()) <= best):
			t.Errorf("%s: an hour behind, it is at %d of %d, syncing %v", kind, n.Para().Best(w.Now()), n.Para().Chain.Head(w.Now()), n.Para().Syncing(w.Now()))
		}
		pass(w, time.Minute)
		if lag := n.Para().Chain.Head(w.Now()) - n.Para().Best(w.Now()); lag > 1 || n.Para().Syncing(w.Now()) {
			t.Errorf("%s: a minute later it is %d blocks behind", kind, lag)
		}
	}
}

func TestFaultThatARestartDoesNotCure(t *testing.T) {
	w := demo(t, Fault{Kind: NodeStall, Target: "node-1", CuredBy: CuredByNothing, For: time.Hour})
	pass(w, time.Minute)
	_ = w.Host("node-1").Restart("phala-node", time.Minute)
	pass(w, time.Minute)
	n := w.Node("node-1")
	best := n.Para().Best(w.Now())
	pass(w, 10*time.Minute)
	if n.Para().Best(w.Now()) != best {
		t.Error("the restart cured what only time cures")
	}
	pass(w, time.Hour)
	if n.Para().Chain.Head(w.Now())-n.Para().Best(w.Now()) > 1 {
		t.Error("time did not cure it")
	}
}

func TestOldNodeOmitsHighestBlockInStep(t *testing.T) {
	w := demo(t, Fault{Kind: NodeStallImport, Target: "node-1"})
	n := w.Node("node-1")
	n.OmitsTarget = true
	if _, ok := n.Para().Target(w.Now()); ok {
		t.Error("in step, yet highestBlock is told")
	}
	pass(w, time.Hour)
	if target, ok := n.Para().Target(w.Now()); !ok || target != n.Para().Chain.Head(w.Now()) {
		t.Errorf("behind: highestBlock %d, %v", target, ok)
	}
}

func TestBlockHashesLeadBackToTheirNumbers(t *testing.T) {
	c := New(epoch, 1).AddNetwork("khala")
	for _, h := range []int64{0, 1, 42, 3_000_000} {
		if got, ok := c.Para.Number(c.Para.Hash(h)); !ok || got != h {
			t.Errorf("hash of %d leads to %d, %v", h, got, ok)
		}
		if _, ok := c.Relay.Number(c.Para.Hash(h)); ok {
			t.Errorf("the relay chain knows the parachain's block %d", h)
		}
	}
	for _, bad := range []string{"", "0x", "0x12", "zz", c.Para.Hash(1)[:65] + "x"} {
		if _, ok := c.Para.Number(bad); ok {
			t.Errorf("%q is no hash", bad)
		}
	}
}

func TestDataProviderStartsOverWithItsProcess(t *testing.T) {
	w := demo(t, Fault{At: time.Minute, Kind: ProviderCrash, Target: "dp-1"})
	d := w.DataProvider("dp-1")
	pass(w, time.Minute+2*time.Second)
	if i := d.Info(w.Now()); i.Status != "S_UNKNOWN" || i.ParaProcessed != -1 || i.ParaID != -1 || i.BlobServerPort != 8012 {
		t.Errorf("right after its start: %+v", i)
	}
	pass(w, 10*time.Second)
	if i := d.Info(w.Now()); i.Status != "S_SYHCHING" || i.ParaProcessed <= 0 || i.ParaProcessed >= i.ParaTarget-3 {
		t.Errorf("catching up: %+v", i)
	}
	pass(w, 30*time.Second)
	if i := d.Info(w.Now()); i.Status != "S_IDLE" || i.ParentTarget-i.ParentProcessed > 3 || i.ParaID != 2004 {
		t.Errorf("in step again: %+v", i)
	}
}
