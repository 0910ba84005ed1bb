// Package control beats the street: each controller is a Step that reads facts, has them decided, hands over plans and lets
// the executor take its next move. It owns no timer and no goroutine (Schedule); the daemon beats it in real or scaled
// time, the campaign in virtual time, a test by hand.
package control

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/notify"
	"phalops/internal/observe"
	"phalops/internal/prb"
	"phalops/internal/store"
)

// Clients is how the controllers ask the fleet.
type Clients interface {
	// Bridge is the client of a configured bridge.
	Bridge(name string) (prb.Bridge, error)
	// Containers is the engine of a configured host.
	Containers(host string) (host.Containers, error)
	// Chain asks one chain's RPC.
	Chain(url string) observe.ChainSource
}

// Options are what Control works with.
type Options struct {
	Config  func() config.Config // in force now
	Clock   clock.Clock
	Store   store.Store
	Engine  *act.Engine
	Clients Clients
	Owner   string // unique name of this process, for leases
	Log     *slog.Logger
}

// Control is all controllers of one fleet.
type Control struct {
	config  func() config.Config
	clock   clock.Clock
	store   store.Store
	engine  *act.Engine
	clients Clients
	owner   string
	log     *slog.Logger

	sched   *Schedule
	board   *Board
	desk    *desk
	refused refusals
	rules   rulebook
	placing sync.Mutex // held while places under treatment are given away
	saved   saves
	rivals  rivals
	dates   dates // of plansStep alone
	ledgers ledgerBook
}

// New makes Control; it starts nothing.
func New(o Options) *Control {
	return &Control{
		config: o.Config, clock: o.Clock, store: o.Store, engine: o.Engine, clients: o.Clients, owner: o.Owner, log: o.Log,
		sched: NewSchedule(), board: NewBoard(),
		desk: &desk{store: o.Store, newID: incidentID, open: map[fleet.Ref]fleet.Incident{}},
	}
}

// incidentID is short enough to be typed on a phone: time-ordered, 12 characters.
func incidentID() string {
	id := uuid.Must(uuid.NewV7())
	return strings.ReplaceAll(id.String(), "-", "")[4:16]
}

// Schedule is what a runner beats.
func (c *Control) Schedule() *Schedule { return c.sched }

// Board is what is known at this moment.
func (c *Control) Board() *Board { return c.board }

// Incidents are the open ones.
func (c *Control) Incidents() []fleet.Incident { return c.desk.Open() }

// Load reads back what an earlier process knew: statuses with their histories, decisions, incidents.
func (c *Control) Load(ctx context.Context, now time.Time) error {
	return c.load(ctx, now, func(string) bool { return true })
}

// load is Load of the sites that are wanted, and of all incidents.
func (c *Control) load(ctx context.Context, now time.Time, wanted func(site string) bool) error {
	if err := c.readWindows(ctx, now); err != nil {
		return err
	}
	nodes, err := c.store.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if !wanted(n.Site) {
			continue
		}
		c.board.setNode(n.Ref.Name(), n)
		c.loadDecision(ctx, n.Ref)
	}
	bridges, err := c.store.Bridges(ctx)
	if err != nil {
		return err
	}
	for _, b := range bridges {
		if !wanted(b.Site) {
			continue
		}
		c.board.setBridge(b.Ref.Name(), b)
		c.loadDecision(ctx, b.Ref)
		for _, w := range b.Workers {
			c.loadDecision(ctx, w.Ref)
		}
	}
	if err := c.loadChains(ctx, wanted); err != nil {
		return err
	}
	return c.desk.load(ctx, now)
}

func (c *Control) loadDecision(ctx context.Context, target fleet.Ref) {
	if d, err := c.store.Decision(ctx, target); err == nil {
		c.board.setDecision(d)
	}
}

// Configure schedules a beat for everything that is configured now, and forgets what no longer is.
func (c *Control) Configure(now time.Time, messages *notify.Pipeline) {
	cfg := c.config()
	want := map[string]Step{beatPlans: c.plansStep, beatHouse: c.houseStep, beatFleet: c.fleetStep}
	for _, name := range c.leaseNames() {
		want["lease/"+name] = c.leaseStep(name)
	}
	for name := range cfg.Networks {
		want["reference/"+name] = c.referenceStep(name)
		if from, ok := c.clients.(ledgers); ok && readable(cfg, name) {
			want[string(fleet.NetworkRef(name))] = c.chainStep(name, from)
		}
	}
	for _, s := range cfg.Sites {
		for _, n := range s.Nodes {
			want[string(fleet.NodeRef(n.Name))] = c.nodeStep(s, n)
		}
		for _, b := range s.Bridges {
			want[string(fleet.BridgeRef(b.Name))] = c.bridgeStep(s, b)
		}
	}
	for _, ch := range messages.Channels() {
		want[string(fleet.ChannelRef(ch.Name()))] = c.channelStep(ch, messages.Told)
	}
	c.sched.Keep(func(id string) bool { return want[id] != nil || strings.HasPrefix(id, "plan/") })
	for id, step := range want {
		c.sched.Set(id, step, now)
	}
	c.board.keep(c.configured)
}

// Looked reports whether everything that is configured was looked at at least once, by this process or an earlier one.
func (c *Control) Looked() bool {
	var nodes, bridges []string
	for _, s := range c.config().Sites {
		for _, n := range s.Nodes {
			nodes = append(nodes, n.Name)
		}
		for _, b := range s.Bridges {
			bridges = append(bridges, b.Name)
		}
	}
	return c.board.looked(nodes, bridges)
}

// configured reports whether the configuration still has a target.
func (c *Control) configured(ref fleet.Ref) bool {
	if parent := ref.Parent(); parent != "" {
		ref = parent
	}
	for _, s := range c.config().Sites {
		if ref == fleet.SiteRef(s.Name) {
			return true
		}
		for _, n := range s.Nodes {
			if ref == fleet.NodeRef(n.Name) {
				return true
			}
		}
		for _, b := range s.Bridges {
			if ref == fleet.BridgeRef(b.Name) {
				return true
			}
		}
		for _, d := range s.DataProviders {
			if ref == fleet.DataProviderRef(d.Name) {
				return true
			}
		}
	}
	switch ref.Kind() {
	case fleet.KindHost:
		_, known := c.config().Hosts[ref.Name()]
		return known
	case fleet.KindNetwork, fleet.KindStakePool:
		return c.onChain(ref)
	}
	return ref == fleet.Fleet
}

const (
	beatHouse  = "house"
	houseEvery = time.Hour
)

// houseStep keeps the memory tidy: what is too old goes, what is no longer configured is forgotten.
func (c *Control) houseStep(ctx context.Context, now time.Time) (time.Time, error) {
	if _, ours := c.board.Lease(FleetLease, now); !ours {
		return now.Add(leaseRenew), nil
	}
	gone, err := c.store.Prune(ctx, now)
	if gone > 0 {
		c.log.Info("old records removed", "rows", gone)
	}
	return now.Add(houseEvery), errors.Join(err, c.store.Forget(ctx, c.configured), c.desk.forget(ctx, c.configured, now))
}

// channelStep tells one channel what it has to know.
func (c *Control) channelStep(ch *notify.Channel, told func(incident string) (time.Time, bool)) Step {
	return func(ctx context.Context, now time.Time) (time.Time, error) {
		if _, ours := c.board.Lease(FleetLease, now); !ours {
			return now.Add(leaseRenew / 3), nil
		}
		incidents := c.desk.telling(now)
		again, err := ch.Tell(ctx, incidents, now)
		next, sendErr := ch.Step(ctx, now)
		errs := []error{err, sendErr}
		for _, i := range incidents {
			if !i.Open() || !i.Told.IsZero() {
				continue // asking costs a look at every message
			}
			if at, ok := told(i.ID); ok {
				errs = append(errs, c.desk.told(ctx, i.ID, at))
			}
		}
		if !again.IsZero() && again.Before(next) {
			next = again
		}
		return next, errors.Join(errs...)
	}
}

// tell has every channel look at the incidents now.
func (c *Control) tell(now time.Time) { c.sched.WakePrefix(string(fleet.KindChannel)+"/", now) }
