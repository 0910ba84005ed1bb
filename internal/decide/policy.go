package decide

import (
	"path"
	"slices"
	"time"

	"phalops/internal/fleet"
)

// Plan kinds that decisions ask for.
const (
	ActionNodeRestart     = "node.restart"
	ActionBridgeRestart   = "bridge.restart" // lifecycle, trade and queue together; v3: prb-wm
	ActionBridgeMonitor   = "bridge.monitor" // what only shows
	ActionWorkerRestart   = "worker.restart"
	ActionWorkerContainer = "worker.container" // checkpoint, stop with grace, start
	ActionWorkerDisable   = "worker.disable"   // at its bridge: a lost identity must not lock a second stake
)

// Modes of healing.
const (
	ModeAct     = "act"
	ModeObserve = "observe" // decide and record what would have been done
)

// Rungs of the ladder of a worker, mildest first. RungAlert is a person, and always the last.
const (
	RungRestart   = "restart"
	RungContainer = "container"
	RungAlert     = "alert"
)

// Budget bounds the restarts of one target: at most AtMost in any span of Per, with a pause of Backoff after the first
// that doubles with each further one. Restarts that a person asked for are not counted.
type Budget struct {
	Per     time.Duration
	AtMost  int
	Backoff time.Duration
}

// Policy is everything that an operator may set about deciding.
type Policy struct {
	StalledAfter time.Duration // a node's height that stands still this long is a finding
	DownAfter    time.Duration // no answer this long is a finding
	NodeBudget   Budget
	WorkerBudget Budget
	Mode         string     // ModeAct or ModeObserve; "" is ModeObserve
	SiteMode     bool       // Mode is the site's own, not the fleet's
	Watch        []string   // names (globs) of rules that only report what they would have done
	Rules        []UserRule // the operator's own, asked in front of the built-in ones
	PerBridge    float64    // share of a bridge's enabled workers under treatment at the same time, 0…1
	AtOnce       int        // number of a bridge's workers under treatment at the same time; one is always allowed
	Ladder       []string   // rungs for a worker, mildest first
	Maintenance  bool       // a maintenance window covers the target: decide and record, do not act
	// Treatments of workers that did not help, in all of a bridge, a site, the fleet: when they are used up, nobody there is
	// treated until the oldest is past Per. A treatment that helped costs nothing here; places and worker budgets bound those.
	BridgeBudget, SiteBudget, FleetBudget Budget
	SiteAtOnce, FleetAtOnce               int       // places under treatment at once in a site and the fleet, before any wave has proved itself
	NotBefore                             time.Time // answers older than this do not count: phalops itself was blind until then
	// TooOld is the age at which an answer is no fact any more even though nobody failed to answer since (phalops itself
	// slept). Zero: 5 minutes. It must be longer than a few polls.
	TooOld time.Duration
	// ChainOld is the same for what was read of a chain, which is done every few minutes. Zero: 20 minutes.
	ChainOld time.Duration
}

// DefaultPolicy is the documented default of the configuration.
func DefaultPolicy() Policy {
	return Policy{
		StalledAfter: 5 * time.Minute,
		DownAfter:    2 * time.Minute,
		NodeBudget:   Budget{Per: 6 * time.Hour, AtMost: 3, Backoff: 10 * time.Minute},
		WorkerBudget: Budget{Per: 6 * time.Hour, AtMost: 3, Backoff: 10 * time.Minute},
		Mode:         ModeAct,
		PerBridge:    0.10,
		AtOnce:       3,
		Ladder:       []string{RungRestart, RungContainer, RungAlert},
		BridgeBudget: Budget{Per: time.Hour, AtMost: 10, Backoff: 5 * time.Minute},
		SiteBudget:   Budget{Per: time.Hour, AtMost: 20, Backoff: 5 * time.Minute},
		FleetBudget:  Budget{Per: time.Hour, AtMost: 40, Backoff: 5 * time.Minute},
		SiteAtOnce:   6,
		FleetAtOnce:  12,
		TooOld:       5 * time.Minute,
	}
}

// observes says why a decision of a rule is only reported; nil: it is acted upon.
func (p Policy) observes(rule string) *fleet.Reason {
	switch {
	case p.Mode == ModeAct:
		for _, glob := range p.Watch {
			if ok, err := path.Match(glob, rule); ok && err == nil {
				return new(fleet.Because("guard.observe_rule", "rule", rule, "glob", glob))
			}
		}
		return nil
	case p.SiteMode:
		return new(fleet.Because("guard.observe_site"))
	}
	return new(fleet.Because("guard.observe"))
}

// current reports whether what the source said last may be taken as true at now.
func (p Policy) current(probe fleet.Probe, now time.Time) bool {
	limit := p.TooOld
	if limit <= 0 {
		limit = 5 * time.Minute
	}
	return probe.Fresh() && now.Sub(probe.At) <= limit && !probe.At.Before(p.NotBefore)
}

// has reports whether a rung is on the ladder.
func (p Policy) has(rung string) bool { return slices.Contains(p.Ladder, rung) }

// BlockTimes is how often a network makes a block. Zero fields mean Khala's and Phala's: 12 s and 6 s.
type BlockTimes struct {
	Para  time.Duration
	Relay time.Duration
}

// Spans that are not worth a knob.
const (
	recheck       = 30 * time.Second // next look where only a new fact, not time, can change the verdict
	restartGrace  = 5 * time.Minute  // what a restarted node gets to come back (opens its databases, finds peers)
	loneRest      = 6 * time.Hour    // how long a node without witnesses is left alone after a restart that did not help
	endedAfter    = 72 * time.Hour   // a head that stands still this long does not come back
	crashLoop     = 10 * time.Minute // how long a container may be in its engine's restart loop before a person is told
	finalityAfter = 30 * time.Minute // finalized height frozen while blocks are made
	lagWindow     = 5 * time.Minute  // least distance in time between two readings that tell a growing lag
)
