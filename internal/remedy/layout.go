package remedy

import "phalops/internal/config"

// Services of compose projects: v2 (prb-v0-v2-api, 4.2), v0 (4.1, whose io, redis, arena and inspect are never touched: a
// restart of io breaks every client's socket for good) and v3 (operations, 4.8).
const (
	svcLifecycle    = "lifecycle"
	svcTrade        = "trade"
	svcRedisQ       = "redis-q"
	svcFetch        = "fetch"
	svcDataProvider = "data_provider"
	svcWM           = "wm"
	svcHeadersCache = "headers-cache"
	svcMonitor      = "monitor"
	svcPherry       = "pherry" // solo: not a compose service but the configured container
)

// Generations of bridges.
const (
	genV0 = "v0"
	genV2 = "v2"
	genV3 = "v3"
)

// layout is what a generation's bridge is made of, as far as restarts care.
type layout struct {
	// feeder is the service that holds the workers' contexts and sends blocks. Two of them for one worker are harm.
	feeder string
	// core stops in this order, as a whole (operations, 4.6: a queue that outlives its lifecycle holds transactions that
	// nobody waits for), and comes back in the order of back: the queue before those who use it, and the trade after the
	// lifecycle, whose keys and database it reads.
	core, back []string
	// source stops after the core and comes back before it: v0's fetch, which the lifecycle asks at its start.
	source string
	// riders stay where they are when the node is restarted under them: v3's wm reconnects every 30 s by itself, and stopping it
	// would drop every worker's context. A rider that does not follow is restarted, except a headers-cache, which only must run.
	riders []string
}

func layoutOf(b config.Bridge) layout {
	switch b.Version {
	case genV0:
		return layout{feeder: svcLifecycle, core: []string{svcLifecycle, svcTrade, svcRedisQ}, back: []string{svcRedisQ, svcLifecycle, svcTrade}, source: svcFetch}
	case genV3:
		return layout{feeder: svcWM, riders: []string{svcHeadersCache, svcWM}}
	case config.VersionSolo:
		return layout{feeder: svcPherry, core: []string{svcPherry}, back: []string{svcPherry}}
	default:
		return layout{feeder: svcLifecycle, core: []string{svcLifecycle, svcTrade, svcRedisQ}, back: []string{svcRedisQ, svcLifecycle, svcTrade}}
	}
}

// services are all that the layout names.
func (l layout) services() []string {
	all := append([]string{}, l.core...)
	if l.source != "" {
		all = append(all, l.source)
	}
	return append(all, l.riders...)
}
