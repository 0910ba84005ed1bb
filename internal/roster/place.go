package roster

import (
	"cmp"
	"maps"
	"slices"

	"phalops/internal/fleet"
)

// DefaultMax is how many workers a bridge bears.
const DefaultMax = 100

// Bridge is a bridge as Place sees it.
type Bridge struct {
	Name    string
	Site    string
	Version string               // v0 | v2 | v3
	Max     int                  // workers that it bears, disabled ones included; 0: DefaultMax
	Workers []fleet.WorkerStatus // its inventory; Name, PID, Endpoint, Stake, Enabled, PublicKey and Condition are read
	Pools   []fleet.Pool         // the pools that it knows; PID and Name are read
	Closed  fleet.Reason         // why it takes no new worker (it does not answer, it is no bridge …); zero: it does
}

// PlaceOptions say where workers may go.
type PlaceOptions struct {
	Bridge   string // all go to this one, whatever the list says; "" = spread them
	Site     string // spread over this site's bridges only; "" = over all
	NewPools bool   // a pool may go to a bridge that does not know it yet: see Placement.NewPools
}

// Fate is what becomes of an entry.
type Fate string

// Fates.
const (
	Add     Fate = "add"     // it goes to Placed.Bridge
	Already Fate = "already" // it is at Placed.Bridge under this name and endpoint; nothing is sent
	Refused Fate = "refused" // Placed.Reason says why
)

// Placed is an entry and what becomes of it.
type Placed struct {
	Entry  Entry
	Fate   Fate
	Bridge string       // Add: where to; Already: where it is; Refused: where the obstacle is, "" when it is at no one bridge
	Reason fleet.Reason // Refused: why; Already: what is different there, zero when nothing is; Add: zero
}

// PoolAt is a pool at a bridge.
type PoolAt struct {
	PID    uint64
	Bridge string
}

// Split is a pool whose new workers go to several bridges, because no one had room for all or because the list says so.
type Split struct {
	PID     uint64
	Bridges []string // in the order of Name
}

// Placement is where everything goes.
type Placement struct {
	Placed   []Placed // one for each entry, in their order
	NewPools []PoolAt // pools that must be added first, by bridge and PID; only with PlaceOptions.NewPools
	Splits   []Split  // by PID; an operator account that signs at two bridges makes transactions of one fail
}

// Count is how many entries have a fate.
func (p Placement) Count(f Fate) int {
	n := 0
	for _, one := range p.Placed {
		if one.Fate == f {
			n++
		}
	}
	return n
}

// Place decides for every entry where it goes, or why it goes nowhere. bridges are all bridges of the fleet, because names,
// endpoints and keys are compared across all of them. No bridge gets more than its Max. A pool's workers stay together, where
// the pool is already if there is room; a pool is split only when no bridge that may take it has room for all of its new
// workers, and then over as few bridges as possible. The same arguments always give the same Placement; running it again
// after it was carried out gives Already for all.
func Place(entries []Entry, bridges []Bridge, o PlaceOptions) Placement {
	p := newPlacer(entries, bridges, o)
	p.check()
	p.together()
	p.apart()
	return p.result()
}

// placer is one run of Place.
type placer struct {
	o       PlaceOptions
	placed  []Placed
	bridges []Bridge // by name
	room    []int    // places left at each bridge
	groups  []*group // what is to be placed, the largest first

	own       map[uint64][]int // by pool; see standing
	poolNames map[string]bool  // names of pools that some v3 bridge has
}

// group is what must stay together: the new workers of one pool that may go to the same bridges.
type group struct {
	pid     uint64
	entries []int        // into placed
	may     []int        // into bridges
	why     fleet.Reason // why it may go nowhere
	own     []int        // how much of the pool is at each bridge; see standing
	at      int          // into bridges; -1: nowhere yet
}

func newPlacer(entries []Entry, bridges []Bridge, o PlaceOptions) *placer {
	p := &placer{o: o, bridges: slices.Clone(bridges), own: map[uint64][]int{}, poolNames: map[string]bool{}}
	slices.SortStableFunc(p.bridges, func(a, b Bridge) int { return cmp.Compare(a.Name, b.Name) })
	for _, e := range entries {
		p.placed = append(p.placed, Placed{Entry: e})
	}
	for _, b := range p.bridges {
		limit := b.Max
		if limit <= 0 {
			limit = DefaultMax
		}
		p.room = append(p.room, max(0, limit-len(b.Workers)))
		for _, pool := range b.Pools {
			if b.Version == "v3" {
				p.poolNames[pool.Name] = true
			}
		}
	}
	return p
}

func (p *placer) result() Placement {
	out := Placement{Placed: p.placed}
	at := map[uint64]map[string]bool{}
	needed := map[PoolAt]bool{}
	for _, one := range p.placed {
		if one.Fate != Add {
			continue
		}
		pid := *one.Entry.PID
		if at[pid] == nil {
			at[pid] = map[string]bool{}
		}
		at[pid][one.Bridge] = true
		if b := p.bridges[p.find(one.Bridge)]; !b.knows(pid) {
			needed[PoolAt{pid, one.Bridge}] = true
		}
	}
	for _, pid := range slices.Sorted(maps.Keys(at)) {
		if len(at[pid]) > 1 {
			out.Splits = append(out.Splits, Split{PID: pid, Bridges: slices.Sorted(maps.Keys(at[pid]))})
		}
	}
	out.NewPools = slices.SortedFunc(maps.Keys(needed), func(a, b PoolAt) int {
		if a.Bridge != b.Bridge {
			return cmp.Compare(a.Bridge, b.Bridge)
		}
		return cmp.Compare(a.PID, b.PID)
	})
	return out
}
