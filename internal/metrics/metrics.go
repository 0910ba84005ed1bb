// Package metrics shows the fleet and phalops itself to Prometheus, and answers whether the process is alive and ready.
//
// What can be read at any moment (heights, conditions, open incidents) comes from a Source at every scrape; what only
// happens (beats, actions, messages) is counted when it happens. Nothing is shown per worker: a fleet of thousands would
// drown a small Prometheus, and the counts by condition say when to look.
package metrics

import (
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"phalops/internal/fleet"
)

// Source is asked at every scrape. Snapshot must be quick, must not block on the network and must be safe for concurrent
// use.
type Source interface {
	Snapshot() Snapshot
}

// Snapshot is the fleet as last seen and the state of the process.
type Snapshot struct {
	Nodes     []fleet.NodeStatus
	Bridges   []fleet.BridgeStatus
	Chains    []fleet.ChainView
	Plans     map[fleet.PlanState]int // not ended
	Incidents map[fleet.Severity]int  // open
	Leases    map[string]bool         // by site: held by this process
	Reloaded  bool                    // the newest configuration file was taken over
	StoreFull bool
	Ready     Ready
}

// Ready says what a process needs before it may be relied on.
type Ready struct {
	Config bool `json:"config"` // loaded
	Store  bool `json:"store"`  // open
	Beats  bool `json:"beats"`  // every controller had its first beat
}

func (r Ready) all() bool { return r.Config && r.Store && r.Beats }

// Metrics is one process's registry. It is safe for concurrent use.
type Metrics struct {
	source   Source
	registry *prometheus.Registry
	started  time.Time

	mu       sync.Mutex
	lastBeat time.Time

	actions, messages, beatErrors *prometheus.CounterVec
	beats                         *prometheus.HistogramVec
	beatAt                        *prometheus.GaugeVec
}

// New makes the registry of a process of this version that started at a moment of the fleet's clock.
func New(source Source, version string, started time.Time) *Metrics {
	counter := func(f family) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: f.name, Help: f.help}, f.labels)
	}
	m := &Metrics{
		source: source, registry: prometheus.NewRegistry(), started: started,
		actions: counter(actionsTotal), messages: counter(messagesTotal), beatErrors: counter(beatErrorsTotal),
		beats: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: beatDuration.name, Help: beatDuration.help, Buckets: []float64{.001, .01, .1, .5, 1, 5, 15, 30, 60},
		}, beatDuration.labels),
		beatAt: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: lastBeatTime.name, Help: lastBeatTime.help}, lastBeatTime.labels),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: buildInfo.name, Help: buildInfo.help}, buildInfo.labels)
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(build, m.actions, m.messages, m.beats, m.beatErrors, m.beatAt, newPulled(source))
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Beat counts one beat of a controller (its sort, such as "node", not its identity): when it ended, on the fleet's clock,
// and how long it took, in real time.
func (m *Metrics) Beat(controller string, at time.Time, took time.Duration, err error) {
	m.beats.WithLabelValues(controller).Observe(took.Seconds())
	m.beatAt.WithLabelValues(controller).Set(float64(at.UnixMilli()) / 1000)
	errs := m.beatErrors.WithLabelValues(controller)
	if err != nil {
		errs.Inc()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at.After(m.lastBeat) {
		m.lastBeat = at
	}
}

// Action counts a plan that ended.
func (m *Metrics) Action(kind string, outcome fleet.PlanState) {
	m.actions.WithLabelValues(kind, string(outcome)).Inc()
}

// Message counts an alert that a channel took or that was given up.
func (m *Metrics) Message(channel string, state fleet.MessageState) {
	m.messages.WithLabelValues(channel, string(state)).Inc()
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
