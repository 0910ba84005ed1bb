package docker

import (
	"phalops/internal/clock"
	"phalops/internal/host"
)

// Host is a machine of which phalops uses the container engine only.
type Host struct {
	name   string
	engine *Engine
}

var _ host.Host = (*Host)(nil)

// NewHost makes a Host of that name with the engine at addr, as New takes it.
func NewHost(name, addr string, c clock.Clock) (*Host, error) {
	engine, err := New(addr, c)
	if err != nil {
		return nil, err
	}
	return &Host{name: name, engine: engine}, nil
}

// Name is the host's name in the configuration.
func (h *Host) Name() string { return h.name }

// Containers is the machine's container engine.
func (h *Host) Containers() host.Containers { return h.engine }

// Close lets go of idle connections.
func (h *Host) Close() { h.engine.Close() }
