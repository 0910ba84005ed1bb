package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"phalops/internal/fleet"
)

// SaveChain implements store.Ledger.
func (s *Store) SaveChain(ctx context.Context, v fleet.ChainView, samples ...fleet.ChainSample) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	v.Others = nil
	s.chains[v.Ref] = cloneView(v)
	for _, sample := range samples {
		s.samples[sample.Network] = append(s.samples[sample.Network], cloneSample(sample))
		slices.SortStableFunc(s.samples[sample.Network], func(a, b fleet.ChainSample) int { return a.At.Compare(b.At) })
	}
	return nil
}

// Chains implements store.Ledger.
func (s *Store) Chains(ctx context.Context) ([]fleet.ChainView, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var out []fleet.ChainView
	for _, ref := range slices.Sorted(maps.Keys(s.chains)) {
		out = append(out, cloneView(s.chains[ref]))
	}
	return out, nil
}

// ChainSamples implements store.Ledger.
func (s *Store) ChainSamples(ctx context.Context, network fleet.Ref, since time.Time) ([]fleet.ChainSample, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var out []fleet.ChainSample
	for _, sample := range s.samples[network] {
		if !sample.At.Before(since) {
			out = append(out, cloneSample(sample))
		}
	}
	return out, nil
}

func (s *Store) pruneSamples(before time.Time) (n int64) {
	for network, samples := range s.samples {
		kept := slices.DeleteFunc(samples, func(sample fleet.ChainSample) bool { return sample.At.Before(before) })
		n += int64(len(samples) - len(kept))
		if s.samples[network] = kept; len(kept) == 0 {
			delete(s.samples, network)
		}
	}
	return n
}

func cloneView(v fleet.ChainView) fleet.ChainView {
	v.Probe, v.Upgrade, v.Totals.Sessions = cloneProbe(v.Probe), clonePointer(v.Upgrade), maps.Clone(v.Totals.Sessions)
	v.Pools, v.Workers = slices.Clone(v.Pools), slices.Clone(v.Workers)
	for i := range v.Pools {
		p := &v.Pools[i]
		p.Cap, p.Workers, p.Queue, p.Operators = clonePointer(p.Cap), maps.Clone(p.Workers), slices.Clone(p.Queue), slices.Clone(p.Operators)
		for j := range p.Operators {
			p.Operators[j].Proxy = clonePointer(p.Operators[j].Proxy)
		}
	}
	return v
}

func cloneSample(s fleet.ChainSample) fleet.ChainSample {
	s.Rewards, s.Gas = maps.Clone(s.Rewards), maps.Clone(s.Gas)
	return s
}
