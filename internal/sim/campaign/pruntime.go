package campaign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/pruntime"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

// kickLimit is how long the client of a pRuntime waits for the answer to a kick.
const kickLimit = 15 * time.Second

// pruntimeAt answers as the HTTP server in a pRuntime does.
type pruntimeAt struct {
	*reach
	url   string
	world *world.Pruntime // nil: nobody listens there
}

var _ remedy.Pruntime = (*pruntimeAt)(nil)

func (p *pruntimeAt) answers(ctx context.Context, limit time.Duration, path string) error {
	url := strings.TrimSuffix(p.url, "/") + path
	switch {
	case p.world == nil || p.world.Down():
		return refused(url)
	case p.world.Hung():
		return p.slow(ctx, forEver, limit, url)
	}
	return nil
}

// GetInfo asks for its state.
func (p *pruntimeAt) GetInfo(ctx context.Context) (fleet.PruntimeStatus, error) {
	s := fleet.PruntimeStatus{Endpoint: p.url}
	if err := p.answers(ctx, pruntime.DefaultInfoTimeout, "/prpc/PhactoryAPI.GetInfo"); err != nil {
		return s, err
	}
	fillInfo(&s, p.world)
	return s, nil
}

// What every simulated pRuntime says of itself.
const (
	infoVersion  = "2.2.0"
	infoRevision = "6f2d1c7a3b904e58a1c0d9b7e6f5a4c3b2d1e0f9-20240201000000"
)

func fillInfo(s *fleet.PruntimeStatus, p *world.Pruntime) {
	yes, no := true, false
	fresh, registered := p.Uninitialized, !p.Uninitialized && p.Registered()
	s.Version, s.Revision = infoVersion, infoRevision
	s.Memory = fleet.Memory{Used: 182_452_224, Peak: 301_989_888, TotalPeak: 420_478_976, Free: 1_520_435_200}
	s.Waiting, s.FastSync, s.Registered, s.Attests = &no, &fresh, &registered, []string{"none", "dcap"}
	s.Pending = height(0)
	if fresh {
		s.Initialized, s.Relay, s.ParaHeader, s.Para = &no, height(-1), height(-1), height(-1)
		return
	}
	para, relay := p.Heights()
	s.Initialized, s.PublicKey, s.Score = &yes, p.PublicKey, int64(p.Score())
	s.ECDHKey, s.GenesisHash = digest("ecdh"+p.PublicKey), digest("genesis")
	s.Relay, s.ParaHeader, s.Para = height(relay), height(para), height(para)
	s.BlockTime, s.Consensus = p.BlockTime().Truncate(time.Millisecond).UTC(), height(0)
}

func digest(what string) string {
	sum := sha256.Sum256([]byte(what))
	return hex.EncodeToString(sum[:])
}

// TakeCheckpoint makes it write its state down.
func (p *pruntimeAt) TakeCheckpoint(ctx context.Context) (fleet.Height, error) {
	if err := p.gone(); err != nil {
		return fleet.Height{}, err
	}
	if err := p.answers(order(ctx), pruntime.DefaultCheckpointTimeout, "/prpc/PhactoryAPI.TakeCheckpoint"); err != nil {
		return fleet.Height{}, err
	}
	if p.world.Uninitialized {
		return fleet.Height{}, fleet.FailWith(fleet.Failed, fleet.Because("pruntime.uninitialized", "method", "TakeCheckpoint", "url", p.url), pruntime.ErrUninitialized)
	}
	return height(p.world.TakeCheckpoint()), nil
}

// Kick makes its process exit.
func (p *pruntimeAt) Kick(ctx context.Context) error {
	if err := p.gone(); err != nil {
		return err
	}
	if err := p.answers(order(ctx), kickLimit, "/kick"); err != nil {
		return err
	}
	if !p.world.Kick() {
		return fleet.FailWith(fleet.Refused, fleet.Because("pruntime.no_kick", "url", p.url), pruntime.ErrNoMethod)
	}
	return nil
}

// solo is a worker without a bridge as a bridge of one: its pRuntime tells all there is.
type solo struct {
	name string
	rt   *pruntimeAt
}

var _ prb.Bridge = (*solo)(nil)

func (s *solo) look(ctx context.Context) (fleet.WorkerStatus, error) {
	info, err := s.rt.GetInfo(ctx)
	w := pruntime.Worker(info, err)
	w.ID, w.Name, w.StakeOK = s.name, s.name, true
	return w, err
}

// Read asks the pRuntime.
func (s *solo) Read(ctx context.Context) prb.Reading {
	w, _ := s.look(ctx)
	return prb.Reading{Workers: []fleet.WorkerStatus{w}}
}

// States asks the pRuntime.
func (s *solo) States(ctx context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if len(ids) > 0 && !slices.Contains(ids, s.name) {
		return nil, nil
	}
	w, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	return []fleet.WorkerStatus{w}, nil
}

// RestartWorker is refused: nobody can be asked.
func (s *solo) RestartWorker(context.Context, string) error {
	return fleet.Fail(fleet.Refused, fleet.Because("daemon.solo_restart", "worker", s.name, "plan", remedy.RestartBridge))
}
