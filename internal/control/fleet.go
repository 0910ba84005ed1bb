package control

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"phalops/internal/config"
	"phalops/internal/decide"
	"phalops/internal/fleet"
)

const (
	beatFleet  = "fleet"
	fleetEvery = 5 * time.Second
	// promiseFor is how long a worker that a decision treats counts as treated without a plan: a build that hangs must not
	// hold its place for ever.
	promiseFor = 2 * time.Minute
	// boxlessFor is how long a worker whose container could not be found is taken for one without.
	boxlessFor = time.Hour
)

// fleetStep looks at all bridges together: at parents that many bad workers share, at what failed treatments say of whole
// sites, and at whether phalops itself is blind. While nothing is wrong anywhere it costs a glance.
func (c *Control) fleetStep(ctx context.Context, now time.Time) (time.Time, error) {
	in := c.fleetInput(now)
	if in == nil {
		c.board.suspect(nil)
		return now.Add(fleetEvery), nil
	}
	suspicions, decisions := decide.Fleet(*in)
	for _, s := range c.board.suspect(suspicions) { // ask the new suspects, and whoever can tell about them, at once
		for _, w := range s.Members {
			c.sched.Wake(beatOf(w), now)
			c.sched.Wake(string(in.Nodes[w.Parent()]), now)
		}
	}
	var errs []error
	for _, d := range decisions {
		site := c.siteOf(d.Target)
		lease := site
		if lease == "" {
			lease = FleetLease
		}
		if _, ours := c.board.Lease(lease, now); !ours {
			continue
		}
		errs = append(errs, c.record(ctx, site, map[fleet.Ref]string{d.Target: titleOf(d.Target)}, []fleet.Decision{d},
			func(_, is fleet.Decision) bool { return is.Verdict == fleet.Healthy }, now))
	}
	return now.Add(fleetEvery), errors.Join(errs...)
}

// fleetInput is what decide.Fleet is asked about, nil while there is nothing to ask.
func (c *Control) fleetInput(now time.Time) *decide.FleetInput {
	cfg := c.config()
	in := decide.FleetInput{
		Attempts: c.board.allAttempts(), SiteLoads: map[string]decide.Load{}, Open: c.openParents(),
		Hosts: map[string]fleet.Ref{}, Nodes: map[fleet.Ref]fleet.Ref{}, Decisions: map[fleet.Ref]fleet.Decision{}, Now: now,
	}
	in.BlindFrom, _ = c.board.blind()
	in.Blind = !in.BlindFrom.IsZero()
	busy := in.Blind || len(in.Open) > 0
	in.Load, in.SiteLoads = c.loads(now)
	busy = busy || in.Load.Held != nil
	for _, s := range cfg.Sites {
		in.Sites = append(in.Sites, s.Name)
		busy = busy || in.SiteLoads[s.Name].Held != nil
		for _, b := range s.Bridges {
			if b.Node != "" {
				in.Nodes[fleet.BridgeRef(b.Name)] = fleet.NodeRef(b.Node)
			}
		}
	}
	for name, h := range cfg.Hosts {
		if h.Address != "" {
			in.Hosts[h.Address] = fleet.HostRef(name)
		}
	}
	in.Bridges = c.board.Bridges()
	for i := range in.Bridges {
		if c.lockedBy(in.Bridges[i].Ref) != nil {
			continue // what a plan stops is no trouble of its own
		}
		for j := range in.Bridges[i].Workers {
			w := &in.Bridges[i].Workers[j]
			if w.Condition != fleet.Failing && w.Condition != fleet.Unresponsive && w.Condition != fleet.Starting {
				continue
			}
			if d, known := c.board.Decision(w.Ref); known && bad(d) {
				in.Decisions[w.Ref] = d
			}
		}
	}
	if !busy && len(in.Decisions) == 0 {
		return nil
	}
	return &in
}

// openParents are the targets of open incidents that no other beat decides about.
func (c *Control) openParents() []fleet.Ref {
	var out []fleet.Ref
	for _, i := range c.desk.Open() {
		switch i.Target.Kind() {
		case fleet.KindFleet, fleet.KindSite, fleet.KindHost, fleet.KindPool:
			out = append(out, i.Target)
		}
	}
	return out
}

// loads is how much may be done now in the fleet and in each site.
func (c *Control) loads(now time.Time) (decide.Load, map[string]decide.Load) {
	policy := policyOf(c.config())
	attempts := c.board.allAttempts()
	busy := c.board.busy(now)
	all := decide.FleetLoad(attempts, policy, now)
	all.Busy = len(busy)
	own, working := map[string][]fleet.Attempt{}, map[string]int{}
	if len(attempts)+len(busy) > 0 {
		siteOf := c.sitesOfBridges()
		for _, a := range attempts {
			own[siteOf[a.Target.Parent()]] = append(own[siteOf[a.Target.Parent()]], a)
		}
		for ref := range busy {
			working[siteOf[ref.Parent()]]++
		}
	}
	sites := map[string]decide.Load{}
	for _, s := range c.config().Sites {
		l := decide.SiteLoad(own[s.Name], policy, now)
		l.Busy = working[s.Name]
		sites[s.Name] = l
	}
	return all, sites
}

func (c *Control) sitesOfBridges() map[fleet.Ref]string {
	out := map[fleet.Ref]string{}
	for _, s := range c.config().Sites {
		for _, b := range s.Bridges {
			out[fleet.BridgeRef(b.Name)] = s.Name
		}
	}
	return out
}

// containers are the workers of a bridge whose own container can be restarted: their endpoint is on a configured host with
// an engine. Whether there really is one shows when a plan is made.
func (c *Control) containers(b fleet.BridgeStatus, now time.Time) map[fleet.Ref]bool {
	at := map[string]string{}
	for name, h := range c.config().Hosts {
		if h.Address != "" {
			at[h.Address] = name
		}
	}
	if len(at) == 0 {
		return nil
	}
	out := map[fleet.Ref]bool{}
	for i := range b.Workers {
		w := &b.Workers[i]
		if w.Condition == fleet.Working {
			continue
		}
		u, err := url.Parse(w.Endpoint)
		if err != nil || at[u.Hostname()] == "" || c.board.isBoxless(w.Ref, now) {
			continue
		}
		if _, err := c.clients.Containers(at[u.Hostname()]); err == nil {
			out[w.Ref] = true
		}
	}
	return out
}

// dependantWorkers counts the workers that hang on a node, and those of them that work.
func (c *Control) dependantWorkers(cfg config.Config, node string) (all, working int) {
	for _, ref := range dependants(cfg, node) {
		b := c.board.Bridge(ref.Name())
		for i := range b.Workers {
			if b.Workers[i].Enabled {
				all++
			}
			if b.Workers[i].Condition == fleet.Working {
				working++
			}
		}
	}
	return all, working
}

// siteOf is the site that a target belongs to, "" where it belongs to none or to several.
func (c *Control) siteOf(ref fleet.Ref) string {
	if ref.Kind() == fleet.KindSite {
		return ref.Name()
	}
	if parent := ref.Parent(); parent != "" {
		ref = parent
	}
	for _, s := range c.config().Sites {
		if ref.Kind() == fleet.KindHost {
			if slices.ContainsFunc(s.Nodes, func(n config.Node) bool { return n.Host == ref.Name() }) {
				return s.Name
			}
			continue
		}
		if slices.ContainsFunc(s.Bridges, func(b config.Bridge) bool { return fleet.BridgeRef(b.Name) == ref }) {
			return s.Name
		}
	}
	return ""
}

// titleOf is what people call a parent.
func titleOf(ref fleet.Ref) string {
	if ref == fleet.Fleet {
		return "fleet"
	}
	_, name, _ := strings.Cut(string(ref), "/")
	return name
}
