package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"phalops/internal/fleet"
)

// pulled turns a Snapshot into series at every scrape. What is unknown has no series: a gap in a graph says so, a zero would
// lie.
type pulled struct {
	source Source
	descs  map[string]*prometheus.Desc
}

func newPulled(source Source) *pulled {
	p := &pulled{source: source, descs: map[string]*prometheus.Desc{}}
	for _, f := range pulledFamilies() {
		p.descs[f.name] = prometheus.NewDesc(f.name, f.help, f.labels, nil)
	}
	return p
}

// Describe implements prometheus.Collector.
func (p *pulled) Describe(out chan<- *prometheus.Desc) {
	for _, d := range p.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (p *pulled) Collect(out chan<- prometheus.Metric) {
	s := p.source.Snapshot()
	e := &emitter{out: out, descs: p.descs, seen: map[string]bool{}}
	for _, n := range s.Nodes {
		e.node(n)
	}
	for _, b := range s.Bridges {
		e.bridge(b)
	}
	for _, v := range s.Chains {
		e.chain(v, s.Bridges)
	}
	for _, state := range []fleet.PlanState{fleet.PlanRunning, fleet.PlanPaused, fleet.PlanParked, fleet.PlanRestoring} {
		e.put(plansByState, float64(s.Plans[state]), string(state))
	}
	for _, severity := range []fleet.Severity{fleet.Info, fleet.Warning, fleet.Critical} {
		e.put(incidentsOpen, float64(s.Incidents[severity]), string(severity))
	}
	for site, held := range s.Leases {
		e.put(leaseHeld, one(held), site)
	}
	e.put(configReloaded, one(s.Reloaded))
	e.put(storeFull, one(s.StoreFull))
}

type emitter struct {
	out   chan<- prometheus.Metric
	descs map[string]*prometheus.Desc
	seen  map[string]bool
}

// put emits one series, once: a second one of the same labels (two data providers with one peer id) would make the whole
// scrape fail. Foreign strings may be anything but must be UTF-8 here.
func (e *emitter) put(f family, value float64, labels ...string) {
	for n := range labels {
		labels[n] = strings.ToValidUTF8(labels[n], "�")
	}
	key := f.name + "\x00" + strings.Join(labels, "\x00")
	if e.seen[key] {
		return
	}
	e.seen[key] = true
	kind := prometheus.GaugeValue
	if f.kind == "counter" {
		kind = prometheus.CounterValue
	}
	e.out <- prometheus.MustNewConstMetric(e.descs[f.name], kind, value, labels...)
}

func (e *emitter) height(f family, h fleet.Height, labels ...string) {
	if h.Known {
		e.put(f, float64(h.Value), labels...)
	}
}

func (e *emitter) node(n fleet.NodeStatus) {
	name := n.Ref.Name()
	up := false
	for chain, c := range map[string]*fleet.ChainStatus{"para": n.Para, "relay": n.Relay} {
		if c == nil || !c.Fresh() {
			continue
		}
		up = true
		e.height(nodeHeight, c.Best, name, chain)
		e.height(nodeFinalized, c.Finalized, name, chain)
		if c.Best.Known && c.Target.Known {
			e.put(nodeLag, float64(max(0, c.Target.Value-c.Best.Value)), name, chain)
		}
		if c.Peers >= 0 {
			e.put(nodePeers, float64(c.Peers), name, chain)
		}
	}
	e.put(nodeUp, one(up), name)
	for _, c := range nodeConditions() {
		e.put(nodeCondition, one(n.Condition == c), name, string(c))
	}
}

func (e *emitter) bridge(b fleet.BridgeStatus) {
	name := b.Ref.Name()
	e.put(bridgeUp, one(b.Monitor.Fresh()), name)
	for _, c := range bridgeConditions() {
		e.put(bridgeCondition, one(b.Condition == c), name, string(c))
	}
	count := map[fleet.Condition]int{}
	for _, w := range b.Workers {
		count[w.Condition]++
	}
	for _, c := range fleet.Conditions() {
		e.put(workers, float64(count[c]), name, string(c))
	}
	for _, d := range b.DataProviders {
		if !d.Fresh() {
			continue
		}
		e.height(dpHeight, d.ParentTarget, name, d.PeerID, "relay", "target")
		e.height(dpHeight, d.ParentFetched, name, d.PeerID, "relay", "fetched")
		e.height(dpHeight, d.Parent, name, d.PeerID, "relay", "processed")
		e.height(dpHeight, d.ParaTarget, name, d.PeerID, "para", "target")
		e.height(dpHeight, d.ParaFetched, name, d.PeerID, "para", "fetched")
		e.height(dpHeight, d.Para, name, d.PeerID, "para", "processed")
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func nodeConditions() []fleet.NodeCondition {
	return []fleet.NodeCondition{
		fleet.NodeHealthy, fleet.NodeSyncing, fleet.NodeLagging, fleet.NodeStalled, fleet.NodeStarved,
		fleet.NodeDown, fleet.NodeNetworkStalled, fleet.NodeNetworkEnded, fleet.NodeUnknown,
	}
}

func bridgeConditions() []fleet.BridgeCondition {
	return []fleet.BridgeCondition{
		fleet.BridgeHealthy, fleet.BridgeBlind, fleet.BridgeNoLifecycle, fleet.BridgeStarved, fleet.BridgeUnknown,
	}
}
