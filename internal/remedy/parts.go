package remedy

import (
	"context"
	"slices"
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

// Graces of a stop: chain databases want two minutes to flush (operations, 4.2); a lifecycle writes its state at once, but
// finishes the transaction that it is signing.
const (
	bridgeGrace = 60 * time.Second
	queueGrace  = 10 * time.Second
)

// part is one container that a plan may stop and start.
type part struct {
	host      string
	service   string
	owner     fleet.Ref // the bridge, data provider or node that it belongs to
	container fleet.ContainerStatus
	grace     time.Duration
}

// bridgeParts finds the running containers of a bridge that hang on its node, by the compose labels of its exact project,
// in the order in which they must be stopped. What does not run is left out, and so is left alone.
func (r *Remedies) bridgeParts(ctx context.Context, b config.Bridge) ([]part, error) {
	if b.Project == "" {
		return nil, nil
	}
	var parts []part
	for _, svc := range []struct {
		name  string
		grace time.Duration
	}{{svcLifecycle, bridgeGrace}, {svcTrade, bridgeGrace}, {svcRedisQ, queueGrace}} {
		where := b.Host
		if at, ok := b.Roles[svc.name]; ok {
			where = at
		}
		running, err := r.running(ctx, where, host.Filter{Project: b.Project, Service: svc.name})
		if err != nil {
			return nil, err
		}
		for _, c := range running {
			parts = append(parts, part{host: where, service: svc.name, owner: fleet.BridgeRef(b.Name), container: c, grace: svc.grace})
		}
	}
	return parts, nil
}

// providerParts finds the running data provider containers of one configured data provider.
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
	return slices.DeleteFunc(all, func(c fleet.ContainerStatus) bool { return !ran(c) }), nil
}

// ran reports whether a container counts as "ran before": it runs, or its restart policy is bringing it back right now (a
// lifecycle in a crash loop because the node is gone ran, as far as its operator is concerned).
func ran(c fleet.ContainerStatus) bool { return c.Running() || c.State == "restarting" }
