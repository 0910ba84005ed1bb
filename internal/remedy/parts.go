package remedy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Graces of a stop: a lifecycle and a trade may be in the middle of a transaction; the queue is never persisted. A node's
// grace is configured, because chain databases want minutes to flush (operations, 4.2).
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
	standby   string // of a feeder: the host whose copy must not run when it starts
	project   string // of a feeder with a standby
}

// place names a part as people find it.
func (p part) place() string { return p.host + "/" + p.container.Name }

// bridgeParts are the parts of a bridge that run.
type bridgeParts struct {
	bridge config.Bridge
	layout layout
	parts  []part
	unseen string // solo: the host that did not answer, so that nothing is known
}

// in is the parts in the order of their services.
func (b bridgeParts) in(order ...string) []part {
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

// feeds reports whether the bridge's feeder runs.
func (b bridgeParts) feeds() bool { return b.has(b.layout.feeder) }

func (b bridgeParts) ref() fleet.Ref { return fleet.BridgeRef(b.bridge.Name) }

// partsOf finds what runs of a bridge, by the compose labels of its exact project, or by its container's name where it is a
// pherry. What does not run is left out, and so is left alone. A bridge without a project is not ours to touch: it has no
// parts.
func (r *Remedies) partsOf(ctx context.Context, b config.Bridge) (bridgeParts, error) {
	out := bridgeParts{bridge: b, layout: layoutOf(b)}
	if b.Version == config.VersionSolo {
		c, err := r.pherry(ctx, b)
		if err == nil && runs(c) {
			out.parts = []part{out.part(b.Host, svcPherry, c)}
		}
		if errors.Is(err, errNoPherry) {
			err = nil
		}
		return out, err
	}
	if b.Project == "" {
		return out, nil
	}
	for _, service := range out.layout.services() {
		where := hostOf(b, service)
		running, err := r.running(ctx, where, host.Filter{Project: b.Project, Service: service})
		if err != nil {
			return out, err
		}
		for _, c := range running {
			out.parts = append(out.parts, out.part(where, service, c))
		}
	}
	return out, nil
}

// hostOf is where a service of a bridge lives.
func hostOf(b config.Bridge, service string) string {
	if at, ok := b.Roles[service]; ok {
		return at
	}
	return b.Host
}

func (b bridgeParts) part(where, service string, c fleet.ContainerStatus) part {
	p := part{host: where, service: service, owner: b.ref(), container: c, grace: bridgeGrace}
	if service == svcRedisQ {
		p.grace = queueGrace
	}
	if service == b.layout.feeder {
		p.standby, p.project = b.bridge.Standby, b.bridge.Project
	}
	return p
}

// errNoPherry: none is configured, or its host has none of that name.
var errNoPherry = errors.New("no such pherry")

// pherry reads a solo worker's feeder.
func (r *Remedies) pherry(ctx context.Context, b config.Bridge) (fleet.ContainerStatus, error) {
	if b.Pherry == "" {
		return fleet.ContainerStatus{}, errNoPherry
	}
	engine, err := r.reach.Containers(b.Host)
	if err != nil {
		return fleet.ContainerStatus{}, err
	}
	c, err := engine.Inspect(ctx, b.Pherry)
	switch {
	case errors.Is(err, host.ErrNoContainer):
		return c, errNoPherry
	case err != nil:
		return c, hostSilent(b.Host, err)
	}
	return c, nil
}

func hostSilent(where string, err error) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("remedy.host_silent", "host", where, "err", err), err)
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
	all, err := r.list(ctx, where, f)
	return slices.DeleteFunc(all, func(c fleet.ContainerStatus) bool { return !runs(c) }), err
}

func (r *Remedies) list(ctx context.Context, where string, f host.Filter) ([]fleet.ContainerStatus, error) {
	engine, err := r.reach.Containers(where)
	if err != nil {
		return nil, err
	}
	all, err := engine.List(ctx, f)
	if err != nil {
		return nil, hostSilent(where, err)
	}
	return all, nil
}

// alive reports whether a container has a process, or its restart policy is bringing one back right now: a lifecycle in a
// crash loop because the node is gone counts as running for its operator, and so it does here.
func alive(c fleet.ContainerStatus) bool { return c.Running() || c.State == "restarting" }

// runs reports whether a plan may stop a container and start it again. What a person has paused stays as it is: nothing
// here could put it back into that state.
func runs(c fleet.ContainerStatus) bool { return alive(c) && c.State != "paused" }

// byHand reports whether a container that does not run looks as after docker stop, or was never started: then somebody
// wants it so. A process that crashed has another code, save one that the kernel killed for want of memory.
func byHand(c fleet.ContainerStatus) bool {
	return !alive(c) && (c.State == "created" || c.ExitCode == 0 || c.ExitCode == 137 || c.ExitCode == 143)
}

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
