package remedy

import (
	"context"
	"slices"
	"strings"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Services of a v2 bridge's compose project (prb-v0-v2-api, 4.2). The monitor only shows, and arena only looks at the queue:
// neither is touched.
const (
	svcLifecycle    = "lifecycle"
	svcTrade        = "trade"
	svcRedisQ       = "redis-q"
	svcDataProvider = "data_provider"
)

// Graces of a stop: a lifecycle and a trade may be in the middle of a transaction; the queue is never persisted. A node's
// grace is configured, because chain databases want minutes to flush (operations, 4.2).
const (
	bridgeGrace = 60 * time.Second
	queueGrace  = 10 * time.Second
)

// What runs of a bridge stops in this order and comes back in the other one (operations, 4.6): the queue is there before
// those who use it, and the trade reads keys and database of its lifecycle.
var (
	stopOrder  = [...]string{svcLifecycle, svcTrade, svcRedisQ}
	startOrder = [...]string{svcRedisQ, svcLifecycle, svcTrade}
)

// part is one container that a plan may stop and start.
type part struct {
	host      string
	service   string
	owner     fleet.Ref // the bridge, data provider or node that it belongs to
	container fleet.ContainerStatus
	grace     time.Duration
}

// place names a part as people find it.
func (p part) place() string { return p.host + "/" + p.container.Name }

// bridgeParts are the parts of a bridge that run.
type bridgeParts struct {
	name  string
	parts []part
}

// in is the parts in the order of their services.
func (b bridgeParts) in(order [3]string) []part {
	var out []part
	for _, service := range order {
		for _, p := range b.parts {
			if p.service == service {
				out = append(out, p)
			}
		}
	}
	return out
}

func (b bridgeParts) has(service string) bool {
	return slices.ContainsFunc(b.parts, func(p part) bool { return p.service == service })
}

// partsOf finds what runs of a bridge among the services that hang on its node, by the compose labels of its exact project.
// What does not run is left out, and so is left alone. A bridge without a project is not ours to touch: it has no parts.
func (r *Remedies) partsOf(ctx context.Context, b config.Bridge) (bridgeParts, error) {
	out := bridgeParts{name: b.Name}
	if b.Project == "" {
		return out, nil
	}
	for _, service := range stopOrder {
		where, grace := b.Host, bridgeGrace
		if at, ok := b.Roles[service]; ok {
			where = at
		}
		if service == svcRedisQ {
			grace = queueGrace
		}
		running, err := r.running(ctx, where, host.Filter{Project: b.Project, Service: service})
		if err != nil {
			return out, err
		}
		for _, c := range running {
			out.parts = append(out.parts, part{host: where, service: service, owner: fleet.BridgeRef(b.Name), container: c, grace: grace})
		}
	}
	return out, nil
}

// providerParts finds the running containers of one configured data provider.
func (r *Remedies) providerParts(ctx context.Context, dp config.DataProvider) ([]part, error) {
	if dp.Project == "" {
		return nil, nil
	}
	running, err := r.running(ctx, dp.Host, host.Filter{Project: dp.Project, Service: svcDataProvider})
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, c := range running {
		parts = append(parts, part{host: dp.Host, service: svcDataProvider, owner: fleet.DataProviderRef(dp.Name), container: c, grace: bridgeGrace})
	}
	return parts, nil
}

func (r *Remedies) running(ctx context.Context, where string, f host.Filter) ([]fleet.ContainerStatus, error) {
	engine, err := r.reach.Containers(where)
	if err != nil {
		return nil, err
	}
	all, err := engine.List(ctx, f)
	if err != nil {
		return nil, fleet.FailWith(fleet.Unavailable, fleet.Because("remedy.host_silent", "host", where, "err", err), err)
	}
	return slices.DeleteFunc(all, func(c fleet.ContainerStatus) bool { return !runs(c) }), nil
}

// alive reports whether a container has a process, or its restart policy is bringing one back right now: a lifecycle in a
// crash loop because the node is gone counts as running for its operator, and so it does here.
func alive(c fleet.ContainerStatus) bool { return c.Running() || c.State == "restarting" }

// runs reports whether a plan may stop a container and start it again. What a person has paused stays as it is: nothing
// here could put it back into that state.
func runs(c fleet.ContainerStatus) bool { return alive(c) && c.State != "paused" }

// places is a set of containers as one argument of a step.
func places(bridges []bridgeParts) string {
	var all []string
	for _, b := range bridges {
		for _, p := range b.parts {
			all = append(all, p.place())
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}
