package sqlite

import (
	"context"
	"time"

	"phalops/internal/fleet"
)

const insertSample = `INSERT INTO chain_samples (network, at, doc) VALUES (?,?,?)`

// SaveChain implements store.Ledger.
func (s *Store) SaveChain(ctx context.Context, v fleet.ChainView, samples ...fleet.ChainSample) error {
	what := "save what the chain of " + string(v.Ref) + " says"
	raw, err := encode(v)
	if err != nil {
		return s.explain(ctx, what, err)
	}
	return s.write(ctx, what, ordinary, func(t tx) error {
		if _, err := t.exec(ctx, saveStatus, v.Ref, fleet.KindNetwork, raw); err != nil {
			return err
		}
		for _, sample := range samples {
			raw, err := encode(sample)
			if err != nil {
				return err
			}
			if _, err := t.exec(ctx, insertSample, sample.Network, stamp(sample.At), raw); err != nil {
				return err
			}
		}
		return nil
	})
}

// Chains implements store.Ledger.
func (s *Store) Chains(ctx context.Context) ([]fleet.ChainView, error) {
	var out []fleet.ChainView
	err := s.read(ctx, "chains", func(t tx) (err error) {
		out, err = docs[fleet.ChainView](ctx, t, listStatuses, fleet.KindNetwork)
		return err
	})
	return out, err
}

// ChainSamples implements store.Ledger.
func (s *Store) ChainSamples(ctx context.Context, network fleet.Ref, since time.Time) ([]fleet.ChainSample, error) {
	w := where{}
	w.add("network = ?", network)
	if !since.IsZero() {
		w.add("at >= ?", stamp(since))
	}
	var out []fleet.ChainSample
	err := s.read(ctx, "samples of "+string(network), func(t tx) (err error) {
		out, err = docs[fleet.ChainSample](ctx, t, "SELECT doc FROM chain_samples"+w.String()+" ORDER BY at, n", w.args...)
		return err
	})
	return out, err
}
