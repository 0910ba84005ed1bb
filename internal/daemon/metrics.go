package daemon

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"phalops/internal/control"
	"phalops/internal/fleet"
	"phalops/internal/metrics"
	"phalops/internal/store"
)

// beatMaxAge is how old the newest beat may be before the process counts as hung: the runner beats leases and plans every
// few seconds.
const beatMaxAge = 2 * time.Minute

// face is the daemon as its metrics see it.
type face struct {
	control *control.Control
	core    *Core
	refused atomic.Bool // the newest configuration file was not taken over
}

// Snapshot is the fleet as last seen.
func (f *face) Snapshot() metrics.Snapshot {
	board, now := f.control.Board(), f.core.Clock.Now()
	s := metrics.Snapshot{
		Nodes: board.Nodes(), Bridges: board.Bridges(), Chains: board.Chains(), Plans: map[fleet.PlanState]int{}, Incidents: map[fleet.Severity]int{},
		Leases: map[string]bool{}, Reloaded: !f.refused.Load(), StoreFull: f.core.Store.Full(),
		Ready: metrics.Ready{Config: true, Store: true, Beats: f.control.Looked()},
	}
	for _, p := range board.Plans() {
		s.Plans[p.State]++
	}
	for _, i := range f.control.Incidents() {
		s.Incidents[i.Severity]++
	}
	for _, site := range f.core.Config().Sites {
		_, s.Leases[site.Name] = board.Lease(site.Name, now)
	}
	return s
}

// routes are what the daemon serves without a login, on the metrics address.
func (d *Daemon) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", d.metrics.Handler())
	mux.Handle("GET /healthz", d.metrics.Healthz(d.Clock, beatMaxAge))
	mux.Handle("GET /readyz", d.metrics.Readyz())
	return mux
}

// beat counts a beat under the sort of its controller: the part of the identity before the slash.
func (d *Daemon) beat(id string, took time.Duration, err error) {
	sort, _, _ := strings.Cut(id, "/")
	d.metrics.Beat(sort, d.Clock.Now(), took, err)
}

// counted is an outbox that counts what becomes of the messages.
type counted struct {
	store.Outbox
	message func(channel string, state fleet.MessageState)
}

// SaveMessage counts messages that reach a final state.
func (c counted) SaveMessage(ctx context.Context, messages []fleet.Message, events ...fleet.Event) error {
	if err := c.Outbox.SaveMessage(ctx, messages, events...); err != nil {
		return err
	}
	for _, m := range messages {
		if m.State == fleet.MessageSent || m.State == fleet.MessageFailed {
			c.message(m.Channel, m.State)
		}
	}
	return nil
}
