// Package host is where commands run, files go and containers live: the machine itself, a machine behind SSH, a container
// engine. One conformance suite (hosttest) holds for every implementation.
package host

import (
	"context"
	"errors"
	"time"

	"phalops/internal/fleet"
)

// ErrNoContainer is returned for a container that the engine does not have.
var ErrNoContainer = errors.New("no such container")

// Filter chooses containers. All given fields must match exactly; the zero Filter chooses all.
type Filter struct {
	Project string // label com.docker.compose.project
	Service string // label com.docker.compose.service
	Name    string // container name without the leading slash
}

// Containers is a container engine. All calls are bounded by ctx.
type Containers interface {
	// List lists containers, also stopped ones, in the order of their names.
	List(ctx context.Context, f Filter) ([]fleet.ContainerStatus, error)
	// Inspect reads one container by name or id; ErrNoContainer when there is none.
	Inspect(ctx context.Context, name string) (fleet.ContainerStatus, error)
	// Start starts a stopped container; one that runs already is no error.
	Start(ctx context.Context, name string) error
	// Stop asks with SIGTERM, waits up to grace, then kills; it returns when the process is gone. One that is stopped
	// already is no error. A restart policy does not bring it back. ctx must last longer than grace.
	Stop(ctx context.Context, name string, grace time.Duration) error
	// Restart is Stop and Start in one request.
	Restart(ctx context.Context, name string, grace time.Duration) error
}

// Host is one machine.
type Host interface {
	// Name is the host's name in the configuration; "local" is the machine that phalops runs on.
	Name() string
	// Containers is the machine's container engine.
	Containers() Containers
}
