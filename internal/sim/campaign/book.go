package campaign

import (
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/loss"
	"phalops/internal/sim/world"
)

const (
	// blame is how long after a fault or an action an outage may begin that is put down to it, when nothing is wrong any more.
	blame = 5 * time.Minute
	// uneasy is how long after an event workers may cease to earn because of it: blocks run out slowly.
	uneasy = 5 * time.Minute
	// unseen is how long before a look an outage can have begun that the look before did not see: while blocks were few enough behind.
	unseen = looksEvery + 2*time.Minute
)

// unexplained is the cause of an outage that nothing explains.
const unexplained = "unexplained"

// book is who of the workers earned when, and what kept them from it, from the world's own truth.
type book struct {
	sim     *Sim
	daemon  *Daemon // who may know of what is wrong; nil: nobody
	miners  []*world.Miner
	bridges [][2]int // which of the miners are a bridge's
	calm    []calm   // of each bridge
	open    []*loss.Outage
	earned  []time.Time // since when each miner may have earned without a break
	struck  map[string]world.Record
	acted   map[string]time.Time
	faults  int
	effects int
	outages []loss.Outage
}

// calm is what is known of a bridge whose workers all earn.
type calm struct {
	happened int64     // events that concern it
	since    time.Time // no more of them since
	earns    bool      // all of them did when last looked at
}

func newBook(s *Sim) *book {
	b := &book{sim: s, miners: s.World.Miners(), struck: map[string]world.Record{}, acted: map[string]time.Time{}}
	b.open, b.earned = make([]*loss.Outage, len(b.miners)), make([]time.Time, len(b.miners))
	for i, m := range b.miners {
		b.earned[i] = s.Now()
		if i == 0 || b.miners[i-1].Bridge != m.Bridge {
			b.bridges = append(b.bridges, [2]int{i, i})
		}
		b.bridges[len(b.bridges)-1][1] = i + 1
	}
	b.calm = make([]calm, len(b.bridges))
	return b
}

// look notes who earns now. It reports whether anybody does not.
func (b *book) look() (anybody bool) {
	b.remember()
	w, now := b.sim.World, b.sim.Now()
	for n, part := range b.bridges {
		c := &b.calm[n]
		if happened := w.Happened(b.miners[part[0]].Bridge); happened != c.happened {
			c.happened, c.since = happened, now
		}
		if c.earns && now.Sub(c.since) > uneasy {
			continue
		}
		c.earns = true
		for i := part[0]; i < part[1]; i++ {
			c.earns = b.note(i, now) && c.earns
		}
		anybody = anybody || !c.earns
	}
	return anybody
}

// note notes one worker, and reports whether it earns.
func (b *book) note(i int, now time.Time) bool {
	m, o := b.miners[i], b.open[i]
	if m.Earns() {
		if o != nil {
			b.end(i, now)
		}
		return true
	}
	if o == nil {
		o = b.begin(i, now)
		b.open[i] = o
	}
	if m.Ails() == "" && !m.Left() {
		if o.Cured.IsZero() {
			o.Cured = now
		}
	} else {
		o.Cured = time.Time{}
	}
	if o.Detected.IsZero() && b.known(m) {
		o.Detected = now
	}
	return false
}

func (b *book) begin(i int, now time.Time) *loss.Outage {
	m := b.miners[i]
	o := &loss.Outage{Worker: m.Ref(), From: m.Behind(), Cause: m.Ails()}
	for _, least := range []time.Time{b.earned[i], now.Add(-unseen)} {
		if o.From.Before(least) {
			o.From = least
		}
	}
	if o.From.After(now) {
		o.From = now
	}
	if o.Cause == "" {
		o.Cause, o.SelfInflicted = b.blame(m, o.From)
	}
	return o
}

func (b *book) end(i int, now time.Time) {
	o := b.open[i]
	o.To, b.earned[i], b.open[i] = now, now, nil
	b.outages = append(b.outages, *o)
}

// close ends what is still open.
func (b *book) close() {
	for i, o := range b.open {
		if o != nil {
			b.end(i, b.sim.Now())
		}
	}
}

// remember takes up what has struck and what was done since the last look.
func (b *book) remember() {
	faults := b.sim.World.FaultsSince(b.faults)
	b.faults += len(faults)
	for _, f := range faults {
		for _, name := range affected(f.Target) {
			b.struck[name] = f
		}
	}
	if b.daemon == nil {
		return
	}
	effects := b.sim.World.DoneSince(b.effects)
	b.effects += len(effects)
	for _, e := range effects {
		b.acted[e.Target] = e.At
	}
}

// affected are the names under which a fault's target is looked for.
func affected(target string) []string {
	if bridge, ok := strings.CutSuffix(target, "/fetch"); ok {
		return []string{bridge}
	}
	return []string{target}
}

// blame looks for why a worker ceased to earn at t although nothing is wrong with it any more: what struck it or what it hangs on, else
// what was done to it.
func (b *book) blame(m *world.Miner, t time.Time) (cause string, self bool) {
	names := []string{m.Ref(), m.Bridge, m.Provider(), m.Node(), m.Network()}
	var last world.Record
	for _, name := range names {
		if f, ok := b.struck[name]; ok && near(f.At, t) && f.At.After(last.At) {
			last = f
		}
	}
	if last.Kind != "" {
		return last.Kind, false
	}
	if b.daemon != nil && (near(b.acted[m.Ref()], t) || near(m.Touched(), t)) {
		return "", true
	}
	return unexplained, false
}

func near(at, t time.Time) bool { return t.Sub(at).Abs() < blame }

// known reports whether an open incident is about a worker or about what it hangs on.
func (b *book) known(m *world.Miner) bool {
	if b.daemon == nil {
		return false
	}
	above := []fleet.Ref{fleet.BridgeRef(m.Bridge), fleet.NodeRef(m.Node()), fleet.DataProviderRef(m.Provider())}
	return slices.ContainsFunc(b.daemon.Control.Incidents(), func(i fleet.Incident) bool {
		return i.Target == fleet.WorkerRef(m.Bridge, m.ID) || slices.Contains(above, i.Target)
	})
}
