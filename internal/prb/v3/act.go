package v3

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

// Generation tells the two builds apart that call themselves crate prb 0.1.0.
type Generation string

// Generations.
const (
	// V30 (2023-04 to 2024-05) applies changes of the inventory at RestartManager only and leaves disabled workers out of
	// its contexts.
	V30 Generation = "v3.0"
	// V32 (since 2024-05-30) applies changes at once and lists disabled workers; RestartManager does nothing there.
	V32 Generation = "v3.2"
)

const generationAge = 10 * time.Minute

// Generation finds out which build answers, by a question without effect: workers/take_checkpoint came with v3.2, so a GET
// of it is a wrong method there (405) and an unknown path in v3.0 (418). The answer is remembered for some minutes.
func (c *Client) Generation(ctx context.Context) (Generation, error) {
	c.mu.Lock()
	g, age := c.generation, c.clock.Now().Sub(c.probed)
	c.mu.Unlock()
	if g != "" && age >= 0 && age < generationAge {
		return g, nil
	}
	data, err := c.get(ctx, "workers/take_checkpoint")
	switch {
	case faultOf(err) == faultRoute && statusOf(err) == http.StatusMethodNotAllowed:
		g = V32
	case faultOf(err) == faultRoute:
		g = V30
	case err != nil:
		return "", err
	default:
		return "", badData("workers/take_checkpoint", errors.New(prb.Redact(string(data))))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation, c.probed = g, c.clock.Now()
	return g, nil
}

// RestartWorker asks for one worker's context to be dropped and, 15 s later, made again. It does not touch the pRuntime.
// A worker that is Restarting already is not asked for again.
func (c *Client) RestartWorker(ctx context.Context, id string) error {
	return c.RestartWorkers(ctx, id)
}

// RestartWorkers is RestartWorker for several in one request: all of them, or an error that says which one cannot be.
func (c *Client) RestartWorkers(ctx context.Context, ids ...string) error {
	running, err := c.contextsOf(ctx, ids)
	if err != nil {
		return err
	}
	var stopped []string
	for _, s := range running {
		if s.State != stateRestarting {
			stopped = append(stopped, s.ID)
		}
	}
	if len(stopped) == 0 {
		return nil
	}
	return c.act(ctx, "workers/restart", idList{stopped})
}

// ForceRegister makes workers register again. Each costs a transaction of the pool's operator: it is for a person to ask.
func (c *Client) ForceRegister(ctx context.Context, ids ...string) error {
	if _, err := c.contextsOf(ctx, ids); err != nil {
		return err
	}
	return c.act(ctx, "workers/force_register", idList{ids})
}

// TakeCheckpoint asks pRuntimes to write a checkpoint, also those of workers in HasError. LastMessage then tells "Checkpoint
// saved to #N.". v3.0 cannot.
func (c *Client) TakeCheckpoint(ctx context.Context, ids ...string) error {
	if _, err := c.contextsOf(ctx, ids); err != nil {
		return err
	}
	err := c.act(ctx, "workers/take_checkpoint", idList{ids})
	if faultOf(err) == faultRoute {
		return fleet.FailWith(fleet.Failed, fleet.Because("prb3.no_checkpoint", "url", c.shown), err)
	}
	return err
}

// Endpoints are the public addresses that a worker shall announce on the chain.
type Endpoints struct {
	ID        string   `json:"id"`
	Endpoints []string `json:"endpoints"`
}

// UpdateEndpoints announces endpoints: a transaction each. v3.0 ignores it for a worker that does not work; that is refused
// here.
func (c *Client) UpdateEndpoints(ctx context.Context, requests ...Endpoints) error {
	ids := make([]string, len(requests))
	for i, r := range requests {
		ids[i] = r.ID
	}
	running, err := c.contextsOf(ctx, ids)
	if err != nil {
		return err
	}
	g, err := c.Generation(ctx)
	if err != nil {
		return unsent(err)
	}
	for _, s := range running {
		if g == V30 && s.State != stateWorking && s.State != stateGatekeeperWorking {
			return fleet.FailWith(fleet.Failed, fleet.Because("prb3.not_working", "worker", s.Name, "state", s.State), prb.ErrNotRunning)
		}
	}
	return c.act(ctx, "workers/update_endpoints", struct {
		Requests []Endpoints `json:"requests"`
	}{requests})
}

// RestartManager makes v3.0 load its inventory again, some 15 s later; every worker starts anew. v3.2 answers 405 with
// {"ok":true} and does nothing: that is the error prb3.restart_ignored, and only a restart of the process helps.
func (c *Client) RestartManager(ctx context.Context) error {
	err := c.act(ctx, "wm/restart", nil)
	if faultOf(err) == faultRoute && statusOf(err) == http.StatusMethodNotAllowed {
		return fleet.FailWith(fleet.Failed, fleet.Because("prb3.restart_ignored", "url", c.shown), err)
	}
	return err
}

type idList struct {
	IDs []string `json:"ids"`
}

// act sends a command once. Its answer says only that it was queued.
func (c *Client) act(ctx context.Context, route string, body any) error {
	q := question{method: http.MethodPut, route: route, name: route}
	if body != nil {
		var err error
		if q.body, err = json.Marshal(body); err != nil {
			return err
		}
	}
	data, err := c.call(ctx, q)
	if err != nil {
		return commandError(err)
	}
	var told struct {
		OK prb.Flag `json:"ok"`
	}
	if json.Unmarshal(data, &told) != nil || !bool(told.OK) {
		return prb.Ambiguous(badData(route, nil))
	}
	return nil
}

// commandError marks err as ambiguous when the command may have been carried out.
func commandError(err error) error {
	if faultOf(err).ambiguous() || wire.IsAmbiguous(err) {
		return prb.Ambiguous(err)
	}
	return err
}

// contextsOf looks before a command is sent: v3.2 answers "ok" for ids that it does not know and for disabled workers, and
// drops the command.
func (c *Client) contextsOf(ctx context.Context, ids []string) ([]Context, error) {
	contexts, err := c.Contexts(ctx)
	if err != nil {
		return nil, unsent(err)
	}
	byID := make(map[string]Context, len(contexts))
	for _, s := range contexts {
		byID[s.ID] = s
	}
	var found []Context
	for _, id := range ids {
		s, ok := byID[id]
		if !ok || s.State == stateDisabled {
			return nil, c.missing(ctx, id, s.Name)
		}
		found = append(found, s)
	}
	if len(found) == 0 {
		return nil, noWorker("")
	}
	return found, nil
}

// missing says why a worker has no context that could be acted on.
func (c *Client) missing(ctx context.Context, id, name string) error {
	if name == "" {
		pools, err := c.Pools(ctx)
		if err != nil {
			return unsent(err)
		}
		w, ok := findWorker(pools, id)
		if !ok {
			return noWorker(id)
		}
		name = w.Name
	}
	return fleet.FailWith(fleet.Failed, fleet.Because("prb3.not_running", "worker", name), prb.ErrNotRunning)
}

// unsent is the error of a look before a command.
func unsent(err error) error { return prb.Unsent(err) }
