package world

import "time"

const (
	providerListens = time.Second     // from the process being up until peers can dial it
	providerChecks  = 2 * time.Second // until it needs its node
	providerIndexes = 4 * time.Second // until it has the first height
	providerCatchUp = 20 * time.Second
)

// DataProviderSpec describes a v2 data provider.
type DataProviderSpec struct {
	Name, Host, Container string
	Node                  *Node
	Hostname              string // default data_provider
	Identity              string // bridge identity; default production
	BlobPort              int    // default 8012
}

// DataProvider is a v2 data provider: it reads its node and hands blocks to lifecycles.
type DataProvider struct {
	DataProviderSpec
	PeerID string

	w           *World
	container   *Container
	up          bool
	listening   bool
	indexing    bool // it has heights
	trouble     []*trouble
	para, relay follower
	generation  int
}

// Info is what GetDataProviderInfo tells; -1 means none yet.
type Info struct {
	Status                                                                string
	ParaID                                                                int64
	StartHeader                                                           int64
	ParentTarget, ParentFetched, ParentProcessed, ParentCommitted         int64
	ParaTarget, ParaFetched, ParaProcessed, ParaCommitted, BlobServerPort int64
}

// AddDataProvider puts a data provider on a host that exists. Its container has the restart policy "always", as
// operators run it: the process exits with 255 whenever its node's socket drops.
func (w *World) AddDataProvider(s DataProviderSpec, c Container) *DataProvider {
	s.Hostname, s.Identity, s.BlobPort = or(s.Hostname, "data_provider"), or(s.Identity, "production"), or(s.BlobPort, 8012)
	d := &DataProvider{DataProviderSpec: s, PeerID: w.peerID("dp/" + s.Name), w: w}
	d.para, d.relay = follower{base: -1, still: true}, follower{base: -1, still: true}
	c.Name, c.OnStart, c.OnExit, c.RestartAlways = s.Container, d.onStart, d.onExit, true
	c.StartTakes, c.StopTakes = or(c.StartTakes, time.Second), or(c.StopTakes, time.Second)
	d.container = w.Host(s.Host).Add(&c)
	w.parts.providers[s.Name] = d
	return d
}

// later does f d from now unless the process is another one by then.
func (d *DataProvider) later(after time.Duration, f func()) {
	gen := d.generation
	d.w.After(after, func() {
		if d.generation == gen && d.up {
			f()
		}
	})
}

func (d *DataProvider) onStart() {
	d.up = true
	d.generation++
	d.later(providerListens, d.listen)
	d.later(providerChecks, func() {
		if !d.Node.linked {
			d.container.Exit(255)
		}
	})
	d.later(providerIndexes, d.index)
}

func (d *DataProvider) listen() {
	d.listening = true
	d.w.peerUp(peerOf(d))
}

func (d *DataProvider) index() {
	if d.indexing {
		return
	}
	now := d.w.now
	climb := func(f *follower, from, to int64) {
		*f = follower{base: from, since: now, rate: max(1, float64(to-from)/providerCatchUp.Seconds())}
	}
	d.indexing = true
	climb(&d.relay, d.Node.Network.StartHeader, d.Node.relay.Finalized(now))
	climb(&d.para, 0, d.Node.para.Finalized(now))
	d.refresh()
	d.w.providerReady(d)
}

func (d *DataProvider) onExit(int) {
	d.w.beforeProviderFalls(d)
	d.up, d.listening, d.indexing = false, false, false
	d.generation++
	d.para, d.relay = follower{base: -1, still: true}, follower{base: -1, still: true}
	d.trouble = withoutCured(d.trouble)
}

func (d *DataProvider) settle() {
	if d.up {
		d.listening, d.indexing = true, true
		now := d.w.now
		d.relay = follower{base: d.Node.relay.Finalized(now), since: now, rate: 1000}
		d.para = follower{base: d.Node.para.Finalized(now), since: now, rate: 1000}
	}
}

func (d *DataProvider) refresh() {
	now := d.w.now
	moving := d.indexing && !d.Frozen() && !hasKind(d.trouble, ProviderStall)
	d.para.move(now, d.Node.para.Finalized(now), moving)
	d.relay.move(now, d.Node.relay.Finalized(now), moving)
}

// Frozen reports whether the process is stopped in its tracks: dialling it gets no answer.
func (d *DataProvider) Frozen() bool { return hasKind(d.trouble, PeerFrozen) }

func (d *DataProvider) paraHeight(now time.Time) int64 {
	return d.para.at(now, d.Node.para.Finalized(now))
}

func (d *DataProvider) relayHeight(now time.Time) int64 {
	return d.relay.at(now, d.Node.relay.Finalized(now))
}

// Info is how far it is.
func (d *DataProvider) Info(now time.Time) Info {
	if !d.indexing {
		return Info{"S_UNKNOWN", -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, int64(d.BlobPort)}
	}
	i := Info{
		ParaID: int64(d.Node.Network.ParaID), StartHeader: d.Node.Network.StartHeader, BlobServerPort: int64(d.BlobPort),
		ParentTarget: d.Node.relay.Finalized(now), ParentProcessed: d.relayHeight(now),
		ParaTarget: d.Node.para.Finalized(now), ParaProcessed: d.paraHeight(now),
	}
	i.ParentFetched, i.ParaFetched = min(i.ParentTarget, i.ParentProcessed+1), min(i.ParaTarget, i.ParaProcessed+1)
	i.ParentCommitted, i.ParaCommitted = max(-1, i.ParentProcessed-100), max(-1, i.ParaProcessed-10)
	i.Status = "S_SYHCHING" // the source's spelling
	if i.ParentTarget-i.ParentProcessed <= 3 && i.ParaTarget-i.ParaProcessed <= 3 {
		i.Status = "S_IDLE"
	}
	return i
}

// Project is the compose project of its container.
func (d *DataProvider) Project() string { return d.container.Project }
