package decide

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"phalops/internal/fleet"
)

// FleetInput is everything that Fleet may know.
type FleetInput struct {
	Bridges   []fleet.BridgeStatus
	Decisions map[fleet.Ref]fleet.Decision // newest, about workers
	Hosts     map[string]fleet.Ref         // configured hosts by address
	Nodes     map[fleet.Ref]fleet.Ref      // what each bridge hangs on
	Attempts  []fleet.Attempt
	Load      Load     // of the fleet, from FleetLoad
	Sites     []string // every site
	SiteLoads map[string]Load
	Blind     bool        // everything turned dark at once
	BlindFrom time.Time   // … since then
	Open      []fleet.Ref // parents with an open incident: they get a decision each time
	Now       time.Time
}

// Kinds of what many can share. They name a name each ("common." + kind).
const (
	sharedHost    = "host"
	sharedSegment = "segment"
	sharedVersion = "version"
	sharedPool    = "pool"
	sharedMinute  = "minute" // of a site: power, uplink
	sharedBlock   = "block"  // pRuntimes that die at one block
)

// causeWindow is how long after one another those may turn bad whose own words name the same parent: each finds out when it
// next needs it.
const causeWindow = time.Hour

// Suspicion is a parent that many bad workers of more than one bridge share, or one that a bridge cannot see. Until it is
// cleared, the workers' own actions wait.
type Suspicion struct {
	Parent   fleet.Ref   `json:"parent"`   // whose incident it is
	Kind     string      `json:"kind"`     // what they share: "host", "segment", … or the word of a cause
	Name     string      `json:"name"`     // which one: the segment, the version, the account
	Members  []fleet.Ref `json:"members"`  // the bad workers
	Names    []string    `json:"names"`    //
	Total    int         `json:"total"`    // of all workers that share it; of the whole fleet where the workers' own words name it
	Since    time.Time   `json:"since"`    // when the first of them turned bad
	Until    time.Time   `json:"until"`    // when they are taken one by one, in waves; zero: not as long as they are bad
	Explicit bool        `json:"explicit"` // the workers' own words name it
}

func (s *Suspicion) guard() fleet.Reason {
	what := "common." + s.Kind
	if s.Until.IsZero() {
		return fleet.Because("guard.parent_cause", "n", len(s.Members), "what", what, "name", s.Name)
	}
	return fleet.Because("guard.suspected", "n", len(s.Members), "total", s.Total, "what", what, "name", s.Name, "until", s.Until)
}

// Concerns reports whether one of the members belongs to a bridge.
func (s *Suspicion) Concerns(bridge fleet.Ref) bool {
	return slices.ContainsFunc(s.Members, func(w fleet.Ref) bool { return w.Parent() == bridge })
}

// Fleet looks at all bridges together for parents that many bad workers share, and decides about those parents, the sites
// and the fleet itself. A bridge finds what its own workers share (shared.go); here are the parents that it cannot see.
func Fleet(in FleetInput) ([]Suspicion, []fleet.Decision) {
	suspicions := in.suspect()
	said := map[fleet.Ref]fleet.Decision{}
	for i := range suspicions {
		s := &suspicions[i]
		if s.Parent.Kind() == fleet.KindBridge {
			continue // it speaks for itself
		}
		d := s.finding().frame(s.Parent, "", time.Time{}, in.Now)
		if old, known := said[s.Parent]; known { // one incident for one parent: the heavier speaks
			old.Witnesses = append(old.Witnesses, d.Reason)
			said[s.Parent] = old
			continue
		}
		said[s.Parent] = d
	}
	for ref, d := range in.restraint() {
		if old, known := said[ref]; known {
			d.Witnesses = append(d.Witnesses, old.Reason)
		}
		said[ref] = d
	}
	for _, ref := range in.Open {
		if _, known := said[ref]; !known {
			said[ref] = finding{condition: string(fleet.ParentClear), rule: "fleet.clear"}.frame(ref, "", time.Time{}, in.Now)
		}
	}
	out := make([]fleet.Decision, 0, len(said))
	for _, ref := range slices.Sorted(maps.Keys(said)) {
		out = append(out, said[ref])
	}
	return suspicions, out
}

// restraint is what holds back whole sites or the fleet: blindness, the brake, used up budgets. Each is a person's once.
func (in *FleetInput) restraint() map[fleet.Ref]fleet.Decision {
	out := map[fleet.Ref]fleet.Decision{}
	say := func(ref fleet.Ref, rule string, loud fleet.Severity, since time.Time, until time.Time, why fleet.Reason) {
		f := finding{condition: string(fleet.ParentSuspect), rule: rule, want: wantPerson, since: since, until: until, loud: loud, reason: why}
		out[ref] = f.frame(ref, "", time.Time{}, in.Now)
	}
	for _, site := range in.Sites {
		if l := in.SiteLoads[site]; l.Held != nil && l.Until.After(in.Now) {
			say(fleet.SiteRef(site), "site.budget", fleet.Warning, in.Now, l.Until, *l.Held)
		}
	}
	switch {
	case in.Blind:
		say(fleet.Fleet, "fleet.blind", fleet.Critical, in.BlindFrom, time.Time{}, fleet.Because("fleet.blind", "at", in.BlindFrom))
	case in.Load.Held != nil && in.Load.Until.After(in.Now):
		say(fleet.Fleet, "fleet.brake", fleet.Critical, in.Now, in.Load.Until, *in.Load.Held)
	}
	return out
}

// finding is what the parent's incident says.
func (s *Suspicion) finding() finding {
	args := []any{"n", len(s.Members), "total", s.Total, "names", few(s.Names), "what", "common." + s.Kind, "name", s.Name}
	f := finding{condition: string(fleet.ParentSuspect), rule: "shared." + s.Kind, since: s.Since, until: s.Until, quiet: fleet.Warning, loud: fleet.Warning}
	if s.Explicit {
		f.cause = s.Kind
		f.want, f.until, f.reason = wantPerson, time.Time{}, fleet.Because("shared.says", args...)
		if clusterShare*len(s.Members) >= s.Total {
			f.loud = fleet.Critical
		}
		return f
	}
	args = append(args, "until", s.Until)
	f.want, f.reason = wantTime, fleet.Because("shared.suspect", args...)
	switch s.Kind {
	case sharedHost, sharedSegment:
		f.want = wantPerson // nobody here can look at it
	case sharedBlock:
		f.want, f.loud = wantPerson, fleet.Critical
		f.reason = fleet.Because("shared.block_dies", args...)
	}
	return f
}

// suspected is which suspicion covers which of this bridge's workers.
func (j *judge) suspected() map[fleet.Ref]*Suspicion {
	if len(j.Suspicions) == 0 {
		return nil
	}
	out := map[fleet.Ref]*Suspicion{}
	for i := range j.Suspicions {
		s := &j.Suspicions[i]
		if !s.Until.IsZero() && !s.Until.After(j.Now) {
			continue
		}
		for _, ref := range s.Members {
			if ref.Parent() == j.Status.Ref && out[ref] == nil {
				out[ref] = s
			}
		}
	}
	return out
}

// likely orders what explains the same workers equally well.
var likely = []string{sharedBlock, sharedHost, sharedSegment, sharedMinute, sharedVersion, sharedPool}

// heavier puts the suspicion first that explains more.
func heavier(a, b *group) int {
	if a.explicit != b.explicit {
		if a.explicit {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.lift(), a.lift()), cmp.Compare(len(b.window), len(a.window)), cmp.Compare(a.total, b.total),
		cmp.Compare(slices.Index(likely, a.key.kind), slices.Index(likely, b.key.kind)), cmp.Compare(a.key.name, b.key.name))
}
