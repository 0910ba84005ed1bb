package daemon

import (
	"context"
	"slices"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/pruntime"
	"phalops/internal/remedy"
	"phalops/internal/wire"
)

// solo is a worker without a bridge as a bridge of one: its pherry has no API, so its pRuntime tells all there is.
type solo struct {
	name string
	rt   *pruntime.Client
}

var _ prb.Bridge = (*solo)(nil)

func newSolo(name, url string, http *wire.Client) (*solo, error) {
	rt, err := pruntime.New(pruntime.Options{URL: url, HTTP: http})
	if err != nil {
		return nil, err
	}
	return &solo{name, rt}, nil
}

// Read asks the pRuntime. The configuration is the inventory, and there is no monitor: neither is ever silent, and why a
// pRuntime did not answer stands with the worker.
func (s *solo) Read(ctx context.Context) prb.Reading {
	w, _ := s.look(ctx)
	return prb.Reading{Workers: []fleet.WorkerStatus{w}}
}

func (s *solo) look(ctx context.Context) (fleet.WorkerStatus, error) {
	info, err := s.rt.GetInfo(ctx)
	w := pruntime.Worker(info, err)
	w.ID, w.Name, w.StakeOK = s.name, s.name, true
	return w, err
}

// States asks the pRuntime; a worker whose pRuntime does not answer is an error here.
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

// RestartWorker is refused: nobody can be asked to begin anew but the container of its pherry.
func (s *solo) RestartWorker(context.Context, string) error {
	return fleet.Fail(fleet.Refused, fleet.Because("daemon.solo_restart", "worker", s.name, "plan", remedy.RestartBridge))
}
