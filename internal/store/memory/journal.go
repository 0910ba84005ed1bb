package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// CreatePlan implements store.Journal.
func (s *Store) CreatePlan(ctx context.Context, p fleet.Plan) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if s.full {
		return fmt.Errorf("plan %s: %w", p.ID, store.ErrFull)
	}
	if _, used := s.plans[p.ID]; used {
		return fmt.Errorf("plan %s: %w", p.ID, store.ErrExists)
	}
	for _, want := range p.Locks {
		for _, l := range s.locks {
			if want.Overlaps(l.Ref) && (p.Under == "" || l.Plan != p.Under) {
				l.Reason = cloneReason(l.Reason)
				return &store.LockedError{Wanted: want, Held: l}
			}
		}
	}
	p = clonePlan(p)
	p.Counts = nil
	s.plans[p.ID] = &p
	s.order = append(s.order, &p)
	if !p.State.Ended() {
		s.open = append(s.open, &p)
		s.lock(&p)
	}
	s.add(store.Created(p))
	return nil
}

func (s *Store) lock(p *fleet.Plan) {
	for i, ref := range p.Locks {
		if slices.Contains(p.Locks[:i], ref) {
			continue
		}
		s.token++
		s.locks = append(s.locks, store.Lock{Ref: ref, Plan: p.ID, Owner: p.Author, Reason: p.Reason, Since: p.Created, Token: s.token})
	}
}

// Plan implements store.Journal.
func (s *Store) Plan(ctx context.Context, id string) (fleet.Plan, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return fleet.Plan{}, err
	}
	defer end()
	p, ok := s.plans[id]
	if !ok {
		return fleet.Plan{}, fmt.Errorf("plan %s: %w", id, store.ErrNotFound)
	}
	return clonePlan(*p), nil
}

// PlanHead implements store.Journal.
func (s *Store) PlanHead(ctx context.Context, id string) (fleet.Plan, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return fleet.Plan{}, err
	}
	defer end()
	p, ok := s.plans[id]
	if !ok {
		return fleet.Plan{}, fmt.Errorf("plan %s: %w", id, store.ErrNotFound)
	}
	head := *p
	head.Steps = nil
	return clonePlan(head), nil
}

// Plans implements store.Journal.
func (s *Store) Plans(ctx context.Context, f store.PlanFilter) ([]fleet.Plan, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var found []*fleet.Plan
	from := s.order
	if f.Unended {
		from = s.open
	}
	for _, p := range slices.Backward(from) {
		if chosen(f, p) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b *fleet.Plan) int { return b.Created.Compare(a.Created) })
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[:f.Limit]
	}
	out := make([]fleet.Plan, len(found))
	for i, p := range found {
		listed := *p
		listed.Steps = nil
		out[i] = clonePlan(listed)
		out[i].Counts = map[fleet.StepState]int{}
		for _, step := range p.Steps {
			out[i].Counts[step.State]++
		}
	}
	return out, nil
}

func chosen(f store.PlanFilter, p *fleet.Plan) bool {
	switch {
	case f.Unended && p.State.Ended(),
		len(f.Sites) > 0 && !slices.Contains(f.Sites, p.Site),
		f.Kind != "" && f.Kind != p.Kind,
		f.Target != "" && !slices.Contains(p.Targets, f.Target) && !slices.Contains(p.Locks, f.Target),
		p.Created.Before(f.Since),
		f.Incident != "" && f.Incident != p.Incident:
		return false
	}
	return true
}

// fenced refuses a write whose lease is not the plan's, or not the newest.
func (s *Store) fenced(p *fleet.Plan, f store.Fence) error {
	if l := s.leases[f.Lease]; f.Lease == p.Site && l != nil && l.Token == f.Token {
		return nil
	}
	return fmt.Errorf("plan %s, lease %q with token %d: %w", p.ID, f.Lease, f.Token, store.ErrFenced)
}

// SaveStep implements store.Journal.
func (s *Store) SaveStep(ctx context.Context, plan string, step fleet.Step, f store.Fence, events ...fleet.Event) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	p, ok := s.plans[plan]
	if !ok || step.Seq < 0 || step.Seq >= len(p.Steps) {
		return fmt.Errorf("plan %s, step %d: %w", plan, step.Seq, store.ErrNotFound)
	}
	if err := s.fenced(p, f); err != nil {
		return err
	}
	p.Steps[step.Seq] = cloneStep(step)
	s.add(events...)
	return nil
}

// SavePlan implements store.Journal.
func (s *Store) SavePlan(ctx context.Context, p fleet.Plan, f store.Fence, events ...fleet.Event) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	old, ok := s.plans[p.ID]
	if !ok {
		return fmt.Errorf("plan %s: %w", p.ID, store.ErrNotFound)
	}
	executor := f != store.Fence{}
	if executor {
		if err := s.fenced(old, f); err != nil {
			return err
		}
	}
	if old.State.Ended() {
		return fmt.Errorf("plan %s: %w", p.ID, store.ErrEnded)
	}
	if executor && old.State == fleet.PlanPaused && p.State == fleet.PlanRunning {
		p.State = fleet.PlanPaused
	}
	old.State, old.Note, old.Next, old.Ended, old.Untouched = p.State, cloneReason(p.Note), p.Next, p.Ended, slices.Clone(p.Untouched)
	old.Abort = p.Abort || executor && old.Abort
	if old.State.Ended() {
		s.open = slices.DeleteFunc(s.open, func(p *fleet.Plan) bool { return p == old })
		s.locks = slices.DeleteFunc(s.locks, func(l store.Lock) bool { return l.Plan == old.ID })
	}
	s.add(events...)
	return nil
}

// Attempts implements store.Journal.
func (s *Store) Attempts(ctx context.Context, since time.Time) ([]fleet.Attempt, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var out []fleet.Attempt
	for _, p := range s.order {
		if p.Ended.IsZero() || !p.Ended.Before(since) {
			out = append(out, store.AttemptsOf(*p, since)...)
		}
	}
	slices.SortStableFunc(out, func(a, b fleet.Attempt) int { return a.At.Compare(b.At) })
	return out, nil
}

// Locks implements store.Journal.
func (s *Store) Locks(ctx context.Context) ([]store.Lock, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	out := slices.Clone(s.locks)
	for i := range out {
		out[i].Reason = cloneReason(out[i].Reason)
	}
	return out, nil
}

func (s *Store) prunePlans(before time.Time) int64 {
	n := len(s.order)
	s.order = slices.DeleteFunc(s.order, func(p *fleet.Plan) bool {
		old := p.State.Ended() && p.Ended.Before(before)
		if old {
			delete(s.plans, p.ID)
		}
		return old
	})
	return int64(n - len(s.order))
}
