package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/phala"
)

// historyOld is how long ago a daemon may have read the chain for its history to be told as that of the present.
const historyOld = time.Hour

// withDaily is r with what every session has earned in a day: as a daemon's history has it where that covers all sessions that were
// read, else by a second read of the block of a day before. A session that began anew at 0 is counted on in both.
// With sum only the sum of all is wanted.
func (a *app) withDaily(ctx context.Context, r phalaRead, f listFlags, sum bool) (phalaRead, error) {
	v := a.history(ctx, f.chainFlags)
	known := v != nil && (sum && r.sumByHistory(v) || r.byHistory(v))
	if !known {
		return r.readDaily(ctx, f.want())
	}
	if a.flags.output == "table" {
		fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.daily_history", "network", v.Ref, "height", v.Height)))
	}
	return r, nil
}

// history is what a daemon read last of the network of the node that is asked, nil where there is none, or it is old, or another block is
// asked for.
func (a *app) history(ctx context.Context, f chainFlags) (found *fleet.ChainView) {
	if f.rpc != "" || f.at != "" {
		return nil
	}
	err := a.withReader(ctx, func(ctx context.Context, s *session) error {
		views, err := s.core.Store.Chains(ctx)
		if err != nil {
			return err
		}
		now := s.core.Clock.Now()
		for i := range views {
			if v := &views[i]; v.Ref == fleet.NetworkRef(s.networkOf(f.node)) && v.Fresh() && now.Sub(v.At) < historyOld {
				found = v
			}
		}
		return nil
	})
	if err != nil {
		a.log.Debug("no history of the chain", "err", err)
	}
	return found
}

// networkOf is the network of a node; without a name, that of the first one.
func (s *session) networkOf(node string) string {
	for _, site := range s.core.Config().Sites {
		for _, n := range site.Nodes {
			if node == "" || n.Name == node {
				return site.Network
			}
		}
	}
	return ""
}

// sumByHistory takes what the whole network has earned in a day from a view that has it.
func (r *phalaRead) sumByHistory(v *fleet.ChainView) bool {
	if !r.Whole || !v.Whole || v.Totals.DailyFor <= 0 {
		return false
	}
	r.daily, r.earned = map[phala.Account]fleet.Amount{}, v.Totals.Daily
	return true
}

// byHistory takes the rewards of a day from a view that has those of every session that was read.
func (r *phalaRead) byHistory(v *fleet.ChainView) bool {
	daily := map[phala.Account]fleet.Amount{}
	for _, s := range r.Sessions {
		if s.Pool == nil || s.Worker == nil {
			continue // of a worker that left
		}
		w := v.Worker(hex.EncodeToString(s.Worker.Key[:]))
		if w == nil || w.DailyFor <= 0 {
			return false
		}
		daily[s.Account] = w.Daily
	}
	r.daily = daily
	r.earned = r.dailyOf(r.Sessions)
	return true
}
