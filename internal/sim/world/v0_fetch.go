package world

import "time"

const (
	v0FetchListens = 500 * time.Millisecond // until fetch answers
	v0FetchWalks   = 4 * time.Second        // until it knows the chain and walks from the last committed block
	v0FetchRate    = 60.0                   // blocks per second that it makes blobs of while behind
)

// v0Fetcher is fetch: it walks its node's blocks and puts blobs into io, where they stay.
type v0Fetcher struct {
	b                          *V0Bridge
	run                        int
	listening, linked, walking bool // linked: with io
	synched                    bool
	missed                     bool // blocks were made while it could not see them
	trouble                    []*trouble
	para, relay                follower // the blobs that io has
}

func newV0Fetcher(b *V0Bridge) v0Fetcher {
	return v0Fetcher{b: b, para: follower{base: -1, rate: v0FetchRate, still: true}, relay: follower{base: -1, rate: 2 * v0FetchRate, still: true}}
}

func (f *v0Fetcher) later(after time.Duration, do func()) {
	run := f.run
	f.b.fetch.after(after, func() {
		if f.run == run {
			do()
		}
	})
}

func (f *v0Fetcher) starts() {
	f.run++
	f.linked = f.b.ioUp
	f.later(v0FetchListens, func() { f.listening = true })
	f.later(v0Checks, func() {
		if !f.b.Node.linked || !f.b.ioUp {
			f.b.fetch.Exit(255)
		}
	})
	f.later(v0FetchWalks, func() {
		f.walking = f.linked
		f.refresh()
	})
}

func (f *v0Fetcher) exits(int) {
	f.run++
	f.listening, f.linked, f.walking, f.synched, f.missed = false, false, false, false, false
	f.trouble = withoutCured(f.trouble)
	f.refresh()
}

// cutOff is io gone: no blob can be written any more.
func (f *v0Fetcher) cutOff() {
	f.linked = false
	f.refresh()
}

// unlinked is the node gone. A fetch that runs on has seen its last block.
func (f *v0Fetcher) unlinked() {
	switch {
	case !f.b.fetch.Up():
	case f.b.FetchRunsOn:
		f.missed = true
		f.refresh()
	default:
		f.later(linkLostAfter, func() { f.b.fetch.Exit(255) })
	}
}

func (f *v0Fetcher) strike(fault Fault) {
	if fault.Kind == ProviderCrash {
		f.b.fetch.Exit(1)
		return
	}
	t := f.b.w.newTrouble(fault)
	f.trouble = append(f.trouble, t)
	f.refresh()
	f.b.w.heal(fault, func() {
		f.trouble = without(f.trouble, t)
		f.b.keepNotices(nil)
		f.refresh()
	})
}

// refresh draws the consequences of what changed: whether blobs are made.
func (f *v0Fetcher) refresh() {
	f.inStep() // what was true until now is remembered
	now := f.b.w.now
	moving := f.walking && f.linked && !f.missed && !hasKind(f.trouble, ProviderStall)
	if f.walking && f.relay.base < 0 { // a new database begins with the parachain's first relay block
		f.relay.base = f.b.Node.Network.StartHeader
	}
	f.para.move(now, f.b.Node.para.Finalized(now), moving)
	f.relay.move(now, f.b.Node.relay.Finalized(now), moving)
}

func (f *v0Fetcher) settle() {
	if !f.b.fetch.Up() || !f.b.ioUp {
		return
	}
	f.listening, f.linked, f.walking, f.synched = true, true, true, true
	now := f.b.w.now
	f.para.base, f.relay.base = f.b.Node.para.Finalized(now), f.b.Node.relay.Finalized(now)
	f.para.since, f.relay.since = now, now
	f.refresh()
}

// blobs are the heights up to which io has blobs.
func (f *v0Fetcher) blobs() (para, relay int64) {
	now := f.b.w.now
	return f.para.at(now, f.b.Node.para.Finalized(now)), f.relay.at(now, f.b.Node.relay.Finalized(now))
}

// inStep reports whether it has ever had everything since it was started: the flag never falls back.
func (f *v0Fetcher) inStep() bool {
	para, relay := f.blobs()
	now := f.b.w.now
	if f.walking && f.b.Node.para.Finalized(now)-para <= 1 && f.b.Node.relay.Finalized(now)-relay <= 2 {
		f.synched = true
	}
	return f.synched
}

// V0Fetch is what callOnlineFetcher tells; -1 means none yet.
type V0Fetch struct {
	ParaID, ParentStart                     int64
	ParentKnown, ParentBlob, ParentArchived int64
	ParaKnown, ParaBlob, ParaArchived       int64
	Synched                                 bool
}

// Fetch is how far fetch is.
func (b *V0Bridge) Fetch() V0Fetch {
	f := &b.fetcher
	if !f.walking {
		return V0Fetch{-1, -1, -1, -1, -1, -1, -1, -1, false}
	}
	now, network := b.w.now, b.Node.Network
	para, relay := f.blobs()
	return V0Fetch{ParaID: int64(network.ParaID), ParentStart: network.StartHeader,
		ParentKnown: b.Node.relay.Finalized(now), ParentBlob: relay, ParentArchived: max(-1, relay-1000),
		ParaKnown: b.Node.para.Finalized(now), ParaBlob: para, ParaArchived: max(-1, para-100), Synched: f.inStep()}
}
