package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// SaveNode implements store.Statuses.
func (s *Store) SaveNode(ctx context.Context, n fleet.NodeStatus) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	s.nodes[n.Ref] = cloneNode(n)
	return nil
}

// SaveBridge implements store.Statuses.
func (s *Store) SaveBridge(ctx context.Context, b fleet.BridgeStatus) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	s.bridges[b.Ref] = cloneBridge(b)
	return nil
}

// Nodes implements store.Statuses; they are in the order of their names.
func (s *Store) Nodes(ctx context.Context) ([]fleet.NodeStatus, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	out := make([]fleet.NodeStatus, 0, len(s.nodes))
	for _, ref := range slices.Sorted(maps.Keys(s.nodes)) {
		out = append(out, cloneNode(s.nodes[ref]))
	}
	return out, nil
}

// Bridges implements store.Statuses; they are in the order of their names.
func (s *Store) Bridges(ctx context.Context) ([]fleet.BridgeStatus, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	out := make([]fleet.BridgeStatus, 0, len(s.bridges))
	for _, ref := range slices.Sorted(maps.Keys(s.bridges)) {
		out = append(out, cloneBridge(s.bridges[ref]))
	}
	return out, nil
}

// SaveDecisions implements store.Statuses.
func (s *Store) SaveDecisions(ctx context.Context, decisions ...fleet.Decision) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, d := range decisions {
		s.decisions[d.Target] = cloneDecision(d)
	}
	return nil
}

// Decision implements store.Statuses.
func (s *Store) Decision(ctx context.Context, target fleet.Ref) (fleet.Decision, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return fleet.Decision{}, err
	}
	defer end()
	d, ok := s.decisions[target]
	if !ok {
		return fleet.Decision{}, fmt.Errorf("decision about %s: %w", target, store.ErrNotFound)
	}
	return cloneDecision(d), nil
}

// Forget implements store.Statuses.
func (s *Store) Forget(ctx context.Context, keep func(fleet.Ref) bool) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	gone := func(ref fleet.Ref) bool {
		if bridge := ref.Parent(); bridge != "" {
			ref = bridge
		}
		if network := ref.Network(); network != "" {
			ref = network
		}
		return (ref.Kind() == fleet.KindNode || ref.Kind() == fleet.KindBridge || ref.Kind() == fleet.KindNetwork) && !keep(ref)
	}
	maps.DeleteFunc(s.chains, func(ref fleet.Ref, _ fleet.ChainView) bool { return gone(ref) })
	maps.DeleteFunc(s.samples, func(ref fleet.Ref, _ []fleet.ChainSample) bool { return gone(ref) })
	maps.DeleteFunc(s.nodes, func(ref fleet.Ref, _ fleet.NodeStatus) bool { return gone(ref) })
	maps.DeleteFunc(s.bridges, func(ref fleet.Ref, _ fleet.BridgeStatus) bool { return gone(ref) })
	maps.DeleteFunc(s.decisions, func(ref fleet.Ref, _ fleet.Decision) bool { return gone(ref) })
	return nil
}

// fact keeps the order of writing beside the fact, for those that were true at the same moment.
type fact struct {
	fleet.Fact
	nth int64
}

// LogFacts implements store.FactLog.
func (s *Store) LogFacts(ctx context.Context, facts ...fleet.Fact) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, f := range facts {
		s.logged++
		s.facts[f.Target] = append(s.facts[f.Target], fact{f, s.logged})
		if parent := f.Target.Parent(); parent != "" {
			s.facts[parent] = append(s.facts[parent], fact{f, s.logged})
		}
	}
	return nil
}

// Facts implements store.FactLog.
func (s *Store) Facts(ctx context.Context, target fleet.Ref, since time.Time, limit int) ([]fleet.Fact, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var found []fact
	for _, f := range s.facts[target] {
		if !f.At.Before(since) {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b fact) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.nth, b.nth)) })
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	out := make([]fleet.Fact, len(found))
	for i, f := range found {
		out[i] = f.Fact
	}
	return out, nil
}

func (s *Store) pruneFacts(before time.Time) int64 {
	var n int64
	for target, facts := range s.facts {
		s.facts[target] = slices.DeleteFunc(facts, func(f fact) bool {
			old := f.At.Before(before)
			if old && f.Target == target { // not the parent's copy
				n++
			}
			return old
		})
		if len(s.facts[target]) == 0 {
			delete(s.facts, target)
		}
	}
	return n
}
