package sqlite

import (
	"context"
	"fmt"

	"phalops/internal/fleet"
)

const (
	saveStatus   = `INSERT INTO statuses (ref, kind, doc) VALUES (?,?,?) ON CONFLICT (ref) DO UPDATE SET doc = excluded.doc`
	saveDecision = `INSERT INTO decisions (target, doc) VALUES (?,?) ON CONFLICT (target) DO UPDATE SET doc = excluded.doc`
	listStatuses = `SELECT doc FROM statuses WHERE kind = ? ORDER BY ref`
)

// SaveNode implements store.Statuses.
func (s *Store) SaveNode(ctx context.Context, n fleet.NodeStatus) error {
	return s.saveStatus(ctx, n.Ref, fleet.KindNode, n)
}

// SaveBridge implements store.Statuses.
func (s *Store) SaveBridge(ctx context.Context, b fleet.BridgeStatus) error {
	return s.saveStatus(ctx, b.Ref, fleet.KindBridge, b)
}

func (s *Store) saveStatus(ctx context.Context, ref fleet.Ref, kind fleet.Kind, status any) error {
	raw, err := encode(status)
	if err != nil {
		return s.explain(ctx, fmt.Sprintf("save status of %s", ref), err)
	}
	return s.write(ctx, "save status of "+string(ref), ordinary, func(t tx) error {
		_, err := t.exec(ctx, saveStatus, ref, kind, raw)
		return err
	})
}

// Nodes implements store.Statuses.
func (s *Store) Nodes(ctx context.Context) ([]fleet.NodeStatus, error) {
	var out []fleet.NodeStatus
	err := s.read(ctx, "nodes", func(t tx) (err error) {
		out, err = docs[fleet.NodeStatus](ctx, t, listStatuses, fleet.KindNode)
		return err
	})
	return out, err
}

// Bridges implements store.Statuses.
func (s *Store) Bridges(ctx context.Context) ([]fleet.BridgeStatus, error) {
	var out []fleet.BridgeStatus
	err := s.read(ctx, "bridges", func(t tx) (err error) {
		out, err = docs[fleet.BridgeStatus](ctx, t, listStatuses, fleet.KindBridge)
		return err
	})
	return out, err
}

// SaveDecisions implements store.Statuses.
func (s *Store) SaveDecisions(ctx context.Context, decisions ...fleet.Decision) error {
	if len(decisions) == 0 {
		return nil
	}
	return s.write(ctx, "save decisions", ordinary, func(t tx) error {
		for _, d := range decisions {
			raw, err := encode(d)
			if err != nil {
				return err
			}
			if _, err := t.exec(ctx, saveDecision, d.Target, raw); err != nil {
				return err
			}
		}
		return nil
	})
}

// Decision implements store.Statuses.
func (s *Store) Decision(ctx context.Context, target fleet.Ref) (fleet.Decision, error) {
	var out fleet.Decision
	err := s.read(ctx, "decision about "+string(target), func(t tx) (err error) {
		out, err = doc[fleet.Decision](ctx, t, `SELECT doc FROM decisions WHERE target = ?`, target)
		return err
	})
	return out, err
}

// Forget implements store.Statuses.
func (s *Store) Forget(ctx context.Context, keep func(fleet.Ref) bool) error {
	var refs []fleet.Ref
	err := s.read(ctx, "forget", func(t tx) error {
		refs = nil
		rows, err := t.QueryContext(ctx, `SELECT ref FROM statuses UNION SELECT target FROM decisions UNION SELECT network FROM chain_samples`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var ref fleet.Ref
			if err := rows.Scan(&ref); err != nil {
				return err
			}
			refs = append(refs, ref)
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	var gone []fleet.Ref // decided before the transaction, so that keep may use the store
	answers := map[fleet.Ref]bool{}
	for _, ref := range refs {
		asked := ownerRef(ref)
		if network := ref.Network(); network != "" {
			asked = network
		}
		if k := asked.Kind(); k != fleet.KindNode && k != fleet.KindBridge && k != fleet.KindNetwork {
			continue
		}
		kept, known := answers[asked]
		if !known {
			kept = keep(asked)
			answers[asked] = kept
		}
		if !kept {
			gone = append(gone, ref)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.write(ctx, "forget", restoring, func(t tx) error {
		for _, ref := range gone {
			for _, q := range []string{`DELETE FROM statuses WHERE ref = ?`, `DELETE FROM decisions WHERE target = ?`, `DELETE FROM chain_samples WHERE network = ?`} {
				if _, err := t.exec(ctx, q, ref); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
