package observe

import (
	"context"
	"sync"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
)

// How often a chain is asked for what changes rarely.
const (
	peersEvery   = 5 * time.Minute
	peersSoon    = time.Minute      // … while its height stands still
	peersUntold  = 10 * time.Minute // … when it did not tell
	standsAfter  = time.Minute      // from then on peers are asked soon
	genesisEvery = time.Hour
	rareTimeout  = 5 * time.Second
)

// fallLeast is how many blocks a height must be below what was told before to count as a fall; fewer are a reorganisation.
const fallLeast = 20

// looker looks at chains and keeps their histories.
type looker struct {
	clock clock.Clock
	gap   time.Duration
	peers bool // ask for the heights of peers
}

// Reference asks outside heads at the same time, in the order of sources. prev are the heads of last time, in any order; gap
// as NodeSource.Gap. Nobody else's node is asked for its peers.
func Reference(ctx context.Context, c clock.Clock, gap time.Duration, prev []fleet.ChainStatus, sources ...ChainSource) []fleet.ChainStatus {
	heads := make([]fleet.ChainStatus, len(sources))
	look := looker{clock: c, gap: gap}
	var parts sync.WaitGroup
	for i, src := range sources {
		parts.Go(func() {
			var before *fleet.ChainStatus
			for j := range prev {
				if prev[j].URL == src.URL() {
					before = &prev[j]
				}
			}
			heads[i] = *look.chain(ctx, src, before)
		})
	}
	parts.Wait()
	return heads
}

func (l looker) chain(ctx context.Context, src ChainSource, prev *fleet.ChainStatus) *fleet.ChainStatus {
	s := fleet.ChainStatus{URL: src.URL(), Peers: -1}
	if prev != nil && prev.URL == s.URL {
		s = *prev
	}
	r, err := src.Look(ctx)
	at := l.clock.Now()
	if err != nil {
		s.Probe = s.Silent(at, fleet.ReasonOf(err))
		return &s
	}
	wasSilent := s.Missed > 0
	s.FromHost = fleet.HostView{}
	l.identity(ctx, src, &s, at, wasSilent)
	blind := l.unwatched(s.Probe, at)
	s.Probe = s.Answered(at)
	s.Falls, s.FellAt = falls(s, r.Best, at)
	s.Best = follow(s.Best, r.Best, at, blind)
	s.Target = follow(s.Target, r.Target, at, blind)
	s.Finalized = follow(s.Finalized, r.Finalized, at, blind)
	s.Peers, s.Syncing = -1, r.Syncing
	if r.Peers != nil {
		s.Peers = *r.Peers
	}
	if r.Chain != "" { // the names of a node outlive one unanswered question
		s.Chain = r.Chain
	}
	if r.Version != "" {
		s.Version = r.Version
	}
	if l.peers {
		askPeers(ctx, src, &s, at, wasSilent)
	}
	return &s
}

// grow adds a bare height to the history of the old one.
func grow(old, bare fleet.Height, at time.Time) fleet.Height {
	return old.Next(bare.Value, bare.Known, at)
}

// unwatched is how long nobody looked before this answer, 0 when that is no longer than usual.
func (l looker) unwatched(before fleet.Probe, at time.Time) time.Duration {
	if away := at.Sub(before.At); l.gap > 0 && before.Missed == 0 && !before.At.IsZero() && away > l.gap {
		return away
	}
	return 0
}

// follow adds a bare height to the history of the old one, of which nobody watched the last part. A clock that was set back
// begins it anew: nothing stands still since a time to come.
func follow(old, bare fleet.Height, at time.Time, blind time.Duration) fleet.Height {
	next := grow(old, bare, at)
	if blind > 0 && next.Known && next.MovedAt.Before(at) {
		next.MovedAt = next.MovedAt.Add(blind)
	}
	if next.MovedAt.After(at) {
		next.MovedAt = at
	}
	return next
}

// falls counts how often in a row the height was seen well below what it had been.
func falls(s fleet.ChainStatus, best fleet.Height, at time.Time) (count int, last time.Time) {
	old := at.Sub(s.FellAt) > fleet.FallWindow
	switch {
	case s.Best.MovedAt.IsZero() || !best.Known || best.Value > s.Best.Value-fallLeast:
		if old {
			return 0, time.Time{}
		}
		return s.Falls, s.FellAt
	case old:
		return 1, at
	default:
		return s.Falls + 1, at
	}
}

// identity asks which chain this is, now and then and after every silence. Another chain has another history.
func (l looker) identity(ctx context.Context, src ChainSource, s *fleet.ChainStatus, at time.Time, wasSilent bool) {
	teller, ok := src.(GenesisSource)
	due := wasSilent || s.Genesis == "" || at.Sub(s.GenesisAsked) >= genesisEvery || at.Before(s.GenesisAsked)
	if !ok || !due {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rareTimeout)
	defer cancel()
	genesis, err := teller.Genesis(ctx)
	if err != nil {
		return
	}
	if s.Genesis != "" && s.Genesis != genesis {
		was := s.Genesis
		*s = fleet.ChainStatus{Probe: s.Probe, URL: s.URL, GenesisWas: was, GenesisSince: at}
	}
	s.Genesis, s.GenesisAsked = genesis, at
}

func askPeers(ctx context.Context, src ChainSource, s *fleet.ChainStatus, at time.Time, wasSilent bool) {
	teller, ok := src.(PeerSource)
	pause := peersEvery
	switch {
	case !s.PeersBest.Known:
		pause = peersUntold
	case s.Best.FrozenFor(at) >= standsAfter:
		pause = peersSoon
	}
	due := wasSilent || at.Sub(s.PeersAsked) >= pause || at.Before(s.PeersAsked)
	if !ok || !due {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rareTimeout)
	defer cancel()
	best, known := teller.PeersBest(ctx)
	s.PeersBest, s.PeersAsked = follow(s.PeersBest, fleet.Height{Value: best, Known: known}, at, 0), at
}
