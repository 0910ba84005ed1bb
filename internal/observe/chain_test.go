package observe

import (
	"context"
	"errors"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
)

// oracle is a chain of which the test says what it answers; it counts the rare questions.
type oracle struct {
	said
	genesis    string
	peersBest  int64
	peersOK    bool
	askedPeers int
	askedChain int
}

func (o *oracle) PeersBest(context.Context) (int64, bool) {
	o.askedPeers++
	return o.peersBest, o.peersOK
}

func (o *oracle) Genesis(context.Context) (string, error) {
	o.askedChain++
	if o.genesis == "" {
		return "", errors.New("unsafe")
	}
	return o.genesis, nil
}

// watched is a node of which the test beats the clock.
type watched struct {
	t      *testing.T
	hands  *clock.Virtual
	source NodeSource
	status fleet.NodeStatus
}

func watch(t *testing.T, o *oracle) *watched {
	return &watched{t: t, hands: clock.NewVirtual(start), source: NodeSource{Ref: "node/n", Para: o, Gap: 2 * time.Minute}}
}

func (w *watched) after(d time.Duration) *fleet.ChainStatus {
	w.hands.Advance(d)
	w.status = Node(w.t.Context(), w.hands, w.source, w.status)
	return w.status.Para
}

func TestHeightsThatFall(t *testing.T) {
	o := &oracle{said: said{url: "u"}}
	w := watch(t, o)
	for i, step := range []struct {
		best  int64
		after time.Duration
		falls int
	}{
		{1000, 0, 0}, {1001, 15 * time.Second, 0}, {990, 15 * time.Second, 0}, // a reorganisation
		{900, 15 * time.Second, 1}, {1002, 15 * time.Second, 1}, {901, 15 * time.Second, 2}, {1003, 29 * time.Minute, 2},
		{1004, 2 * time.Minute, 0}, {900, time.Minute, 1}, {905, time.Minute, 1}, {800, 31 * time.Minute, 1},
	} {
		o.Best = at(step.best)
		if c := w.after(step.after); c.Falls != step.falls {
			t.Errorf("step %d, at %d: %d falls, want %d", i, step.best, c.Falls, step.falls)
		}
	}
}

// TestTimeThatNobodyWatched: a height that is the same after hours stood still only while somebody looked.
func TestTimeThatNobodyWatched(t *testing.T) {
	o := &oracle{said: said{url: "u", ChainReading: ChainReading{Best: at(1000), Finalized: at(990)}}}
	w := watch(t, o)
	w.after(0)
	w.after(time.Minute)
	if c := w.after(time.Minute); c.Best.FrozenFor(w.hands.Now()) != 2*time.Minute {
		t.Fatalf("watched all the time: frozen for %v", c.Best.FrozenFor(w.hands.Now()))
	}
	if c := w.after(3 * time.Hour); c.Best.FrozenFor(w.hands.Now()) != 2*time.Minute || c.Finalized.FrozenFor(w.hands.Now()) != 2*time.Minute {
		t.Errorf("our clock jumped by three hours: frozen for %v", c.Best.FrozenFor(w.hands.Now()))
	}
	if c := w.after(time.Minute); c.Best.FrozenFor(w.hands.Now()) != 3*time.Minute {
		t.Errorf("and watched on: frozen for %v", c.Best.FrozenFor(w.hands.Now()))
	}
	o.err = errors.New("refused")
	for range 60 {
		w.after(time.Minute)
	}
	o.err = nil
	if c := w.after(time.Minute); c.Best.FrozenFor(w.hands.Now()) != 64*time.Minute {
		t.Errorf("silence that was watched counts: frozen for %v", c.Best.FrozenFor(w.hands.Now()))
	}
	w.source.Gap = 0
	if c := w.after(time.Hour); c.Best.FrozenFor(w.hands.Now()) != 124*time.Minute {
		t.Errorf("a single look says what it sees: frozen for %v", c.Best.FrozenFor(w.hands.Now()))
	}
}

func TestAClockThatWasSetBack(t *testing.T) {
	o := &oracle{said: said{url: "u", ChainReading: ChainReading{Best: at(1000)}}, genesis: "0xa", peersBest: 7, peersOK: true}
	w := watch(t, o)
	w.after(0)
	w.hands = clock.NewVirtual(start.Add(-time.Hour))
	c := w.after(0)
	if c.Best.FrozenFor(w.hands.Now()) != 0 || c.Best.MovedAt.After(w.hands.Now()) {
		t.Errorf("nothing stands still since a time to come: %+v", c.Best)
	}
	if c = w.after(10 * time.Minute); c.Best.FrozenFor(w.hands.Now()) != 0 {
		t.Errorf("frozen for %v", c.Best.FrozenFor(w.hands.Now()))
	}
	if !c.PeersAsked.Equal(w.hands.Now()) || o.askedPeers != 3 {
		t.Errorf("peers were asked %d times, last at %v", o.askedPeers, c.PeersAsked)
	}
}

func TestRareQuestions(t *testing.T) {
	o := &oracle{said: said{url: "u"}, genesis: "0xa", peersBest: 1000, peersOK: true}
	w := watch(t, o)
	for range 60 * 4 { // an hour of a healthy node
		o.Best.Value++
		o.Best.Known = true
		w.after(15 * time.Second)
	}
	if o.askedPeers != 12 || o.askedChain != 1 {
		t.Errorf("an hour of a healthy node: %d questions for peers, %d for the chain", o.askedPeers, o.askedChain)
	}
	o.askedPeers = 0
	for range 10 * 4 { // ten minutes of one that stands still
		w.after(15 * time.Second)
	}
	if o.askedPeers < 9 || o.askedPeers > 11 {
		t.Errorf("ten minutes of a node that stands still: %d questions for peers", o.askedPeers)
	}
	o.peersOK, o.askedPeers = false, 0
	w.after(time.Minute)
	for range 60 {
		w.after(time.Minute)
	}
	if c := w.status.Para; c.PeersBest.Known || o.askedPeers != 7 {
		t.Errorf("a node that does not tell strangers was asked %d times in an hour: %+v", o.askedPeers, c.PeersBest)
	}
	o.peersOK, o.err = true, errors.New("gone")
	w.after(time.Minute)
	o.err, o.askedPeers, o.askedChain = nil, 0, 0
	w.after(time.Minute)
	if o.askedPeers != 1 || o.askedChain != 1 {
		t.Errorf("after a silence: %d questions for peers, %d for the chain", o.askedPeers, o.askedChain)
	}
	heads := Reference(t.Context(), w.hands, 0, nil, o)
	if heads[0].Genesis != "0xa" || !heads[0].PeersAsked.IsZero() || o.askedPeers != 1 {
		t.Errorf("an outside head was asked for its peers: %+v", heads[0])
	}
}

func TestAnotherChainHasAnotherHistory(t *testing.T) {
	o := &oracle{said: said{url: "u", ChainReading: ChainReading{Best: at(1000), Chain: "Khala"}}, genesis: "0xa"}
	w := watch(t, o)
	w.after(0)
	w.after(10 * time.Minute)
	o.err = errors.New("restarting")
	w.after(time.Minute)
	o.err, o.genesis, o.Best, o.Chain = nil, "0xb", at(5), "Phala"
	c := w.after(time.Minute)
	if c.Genesis != "0xb" || c.GenesisWas != "0xa" || !c.GenesisSince.Equal(w.hands.Now()) || !c.Best.MovedAt.Equal(w.hands.Now()) || c.Falls != 0 || c.Chain != "Phala" {
		t.Errorf("got %+v", c)
	}
	if c = w.after(time.Minute); c.GenesisWas != "0xa" || c.Best.FrozenFor(w.hands.Now()) != time.Minute {
		t.Errorf("a beat later: %+v", c)
	}
	o.genesis = "" // refuses now
	w.after(2 * time.Hour)
	if c = w.after(2 * time.Hour); c.Genesis != "0xb" {
		t.Errorf("an unanswered question made another chain of it: %+v", c)
	}
}
