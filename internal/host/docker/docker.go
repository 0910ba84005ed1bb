// Package docker drives a Docker Engine (or whatever speaks its API from 1.40 on, such as Podman) over a local socket. An
// engine on another machine is reached through a tunnel that ends here: its API has no login, so nothing else is dialled.
package docker

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// DefaultAddr is where the engine of this machine listens.
const DefaultAddr = "unix:///var/run/docker.sock"

// How long a request may take on the machine's clock, beyond what its caller allows.
const (
	dialTimeout = 5 * time.Second
	readTimeout = 20 * time.Second // list and inspect
	actTimeout  = 60 * time.Second // start; stop and restart beyond their grace: the engine tears down networks and mounts
)

// maxReply bounds one answer of the engine; a list of a thousand containers is about 2 MiB.
const maxReply = 16 << 20

// Engine is one container engine. It implements host.Engine and is safe for concurrent use.
type Engine struct {
	addr   string
	clock  clock.Clock
	pool   *http.Transport
	api    atomic.Pointer[client.Client] // nil until a version of the API is agreed on
	asking chan struct{}                 // full while somebody agrees on it
}

var _ host.Engine = (*Engine)(nil)

// New makes an Engine at addr: unix:///path or tcp://127.x.y.z:port (also [::1]); "" is DefaultAddr. It dials nothing yet;
// the API version is agreed on with the first request. c stamps what is read. An addr that is neither is fleet.Invalid.
func New(addr string, c clock.Clock) (*Engine, error) {
	if addr == "" {
		addr = DefaultAddr
	}
	network, address, err := split(addr)
	if err != nil {
		return nil, fleet.FailWith(fleet.Invalid, fleet.Because("host.engine_address", "engine", addr, "err", err), err)
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	return Through(addr, func(ctx context.Context) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}, c), nil
}

// Through makes an Engine that is reached by dial, such as a tunnel; name stands for it in messages. An error of dial that
// carries a fleet.Error is passed on as it is.
func Through(name string, dial func(ctx context.Context) (net.Conn, error), c clock.Clock) *Engine {
	pool := &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		MaxIdleConns:           6,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
	return &Engine{addr: name, clock: c, pool: pool, asking: make(chan struct{}, 1)}
}

// ready returns a client that has agreed on the API's version. The client library would do this by itself, but with a
// request of the newest version when the engine does not answer, and with one version for ever: an engine that is upgraded
// under us may refuse it.
func (e *Engine) ready(ctx context.Context) (*client.Client, error) {
	if api := e.api.Load(); api != nil {
		return api, nil
	}
	select {
	case e.asking <- struct{}{}:
		defer func() { <-e.asking }()
	case <-ctx.Done():
		return nil, e.failed("", ctx.Err())
	}
	if api := e.api.Load(); api != nil {
		return api, nil
	}
	hc := &http.Client{Transport: bounded{e.pool}, CheckRedirect: client.CheckRedirect}
	// The order matters, and the host does not: WithHost wants the client's own transport, which WithHTTPClient then replaces.
	api, err := client.New(client.WithHost(DefaultAddr), client.WithHTTPClient(hc), client.WithUserAgent("phalops"))
	if err != nil {
		return nil, e.failed("", err)
	}
	if _, err := api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return nil, e.failed("", err)
	}
	e.api.Store(api)
	return api, nil
}

// Close lets go of idle connections. The Engine stays usable.
func (e *Engine) Close() { e.pool.CloseIdleConnections() }

// split is the network and address to dial.
func split(addr string) (network, address string, err error) {
	if path, ok := strings.CutPrefix(addr, "unix://"); ok {
		if !filepath.IsAbs(path) {
			return "", "", errors.New("the path of the socket is not absolute")
		}
		return "unix", path, nil
	}
	u, err := url.Parse(addr)
	if err != nil {
		return "", "", err
	}
	if u.Scheme != "tcp" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", errors.New("neither unix:///path nor tcp://127.0.0.1:port")
	}
	at, err := netip.ParseAddrPort(u.Host)
	if err != nil {
		return "", "", err
	}
	if !at.Addr().IsLoopback() {
		return "", "", errors.New("not a loopback address")
	}
	return "tcp", at.String(), nil
}

// List lists containers with all that Inspect would say of each.
func (e *Engine) List(ctx context.Context, f host.Filter) ([]fleet.ContainerStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	api, err := e.ready(ctx)
	if err != nil {
		return nil, err
	}
	found, err := api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters(f)})
	if err != nil {
		return nil, e.failed("", err)
	}
	out := make([]fleet.ContainerStatus, 0, len(found.Items))
	for _, item := range found.Items {
		// The list knows no exit code, start time or restart count.
		c, err := e.inspect(ctx, item.ID)
		if errors.Is(err, host.ErrNoContainer) {
			continue // removed in between
		}
		if err != nil {
			return nil, err
		}
		if chosen(f, c) {
			out = append(out, c)
		}
	}
	byName(out)
	return out, nil
}

// Inspect reads one container by name, full id or an id's first 12 digits or more.
func (e *Engine) Inspect(ctx context.Context, name string) (fleet.ContainerStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if !validName.MatchString(name) {
		return fleet.ContainerStatus{}, e.noContainer(name, nil)
	}
	c, err := e.inspect(ctx, name)
	if err == nil && !names(c, name) {
		return fleet.ContainerStatus{}, e.noContainer(name, nil)
	}
	return c, err
}

func (e *Engine) inspect(ctx context.Context, name string) (fleet.ContainerStatus, error) {
	api, err := e.ready(ctx)
	if err != nil {
		return fleet.ContainerStatus{}, err
	}
	r, err := api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		return fleet.ContainerStatus{}, e.failed(name, err)
	}
	return status(r.Container, e.clock.Now()), nil
}

// Start starts a stopped container.
func (e *Engine) Start(ctx context.Context, name string) error {
	return e.act(ctx, name, actTimeout, func(ctx context.Context, api *client.Client, id string) error {
		_, err := api.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
}

// Stop stops a container. grace is rounded up to whole seconds, which is all that the API knows.
func (e *Engine) Stop(ctx context.Context, name string, grace time.Duration) error {
	t := seconds(grace)
	return e.act(ctx, name, max(grace, 0)+actTimeout, func(ctx context.Context, api *client.Client, id string) error {
		_, err := api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &t})
		return err
	})
}

// Restart stops and starts a container; grace as in Stop.
func (e *Engine) Restart(ctx context.Context, name string, grace time.Duration) error {
	t := seconds(grace)
	return e.act(ctx, name, max(grace, 0)+actTimeout, func(ctx context.Context, api *client.Client, id string) error {
		_, err := api.ContainerRestart(ctx, id, client.ContainerRestartOptions{Timeout: &t})
		return err
	})
}

func (e *Engine) act(ctx context.Context, name string, limit time.Duration, do func(ctx context.Context, api *client.Client, id string) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if !validName.MatchString(name) {
		return e.noContainer(name, nil)
	}
	id := name
	if hexName.MatchString(name) {
		// The engine would take "fade" for the beginning of an id when no container is named so.
		c, err := e.Inspect(ctx, name)
		if err != nil {
			return err
		}
		id = c.ID
	}
	api, err := e.ready(ctx)
	if err != nil {
		return err
	}
	if err := do(ctx, api, id); err != nil {
		return e.failed(name, err)
	}
	return nil
}

var (
	validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
	hexName   = regexp.MustCompile(`^[0-9a-f]+$`)
)

// names reports whether name means c and not only, by chance, the beginning of its id.
func names(c fleet.ContainerStatus, name string) bool {
	return c.Name == name || len(name) >= 12 && strings.HasPrefix(c.ID, name)
}

func seconds(d time.Duration) int { return int((max(d, 0) + time.Second - 1) / time.Second) }
