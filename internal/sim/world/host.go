package world

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What a container engine refuses.
var (
	ErrNoContainer = errors.New("no such container")
	ErrNotRunning  = errors.New("container is not running")
)

// Host is a machine with a container engine.
type Host struct {
	Name string
	// Down makes the machine silent: its engine answers nobody. What runs on it runs on; whoever breaks the machine
	// decides that too.
	Down bool
	// DiskFull is a disk without room: what writes all the time dies of it.
	DiskFull bool

	w          *World
	dark       bool // without power
	containers map[string]*Container
	effects    []HostEffect
}

// EffectKind is what was done to a container from outside.
type EffectKind string

// Effects. What an engine answers with "not modified" is none; neither is what the restart policy does.
const (
	EffectStart   EffectKind = "start"
	EffectStop    EffectKind = "stop"
	EffectRestart EffectKind = "restart"
	EffectKill    EffectKind = "kill" // SIGKILL, asked for or after the grace of a stop or a restart
)

// HostEffect is one thing that was done to a container, so that a test can count.
type HostEffect struct {
	Kind      EffectKind
	Container string
	At        time.Time
}

// AddHost puts a machine into the world. It panics when the name is taken.
func (w *World) AddHost(name string) *Host {
	if w.hosts[name] != nil {
		panic("world: two hosts named " + name)
	}
	h := &Host{Name: name, w: w, containers: map[string]*Container{}}
	w.hosts[name] = h
	return h
}

// Host finds a machine; nil when there is none of that name.
func (w *World) Host(name string) *Host { return w.hosts[name] }

// Hosts are all machines in the order of their names.
func (w *World) Hosts() []*Host {
	return slices.SortedFunc(maps.Values(w.hosts), func(a, b *Host) int { return strings.Compare(a.Name, b.Name) })
}

// Add creates a container, not started yet, and returns it. It panics when the name is taken or empty.
func (h *Host) Add(c *Container) *Container {
	if c.Name == "" || h.containers[c.Name] != nil {
		panic(fmt.Sprintf("world: host %s: container name %q is empty or taken", h.Name, c.Name))
	}
	c.host, c.w = h, h.w
	c.state, c.createdAt = StateCreated, h.w.now
	r := h.w.Rand("container/" + h.Name + "/" + c.Name)
	c.id = fmt.Sprintf("%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
	labels := maps.Clone(c.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	if c.Project != "" {
		labels["com.docker.compose.project"] = c.Project
	}
	if c.Service != "" {
		labels["com.docker.compose.service"] = c.Service
	}
	c.Labels = labels
	h.containers[c.Name] = c
	return c
}

// Container finds a container by its name, its id or an unambiguous beginning of its id; nil when there is none.
func (h *Host) Container(nameOrID string) *Container {
	if c := h.containers[nameOrID]; c != nil {
		return c
	}
	var found *Container
	for _, c := range h.containers {
		if nameOrID != "" && strings.HasPrefix(c.id, nameOrID) {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

// Containers are all containers in the order of their names.
func (h *Host) Containers() []*Container {
	return slices.SortedFunc(maps.Values(h.containers), func(a, b *Container) int { return strings.Compare(a.Name, b.Name) })
}

// Effects is everything that was done to containers from outside so far.
func (h *Host) Effects() []HostEffect { return slices.Clone(h.effects) }

// Start starts a container; one whose process is there, or is being brought back by its restart policy, is left alone.
func (h *Host) Start(name string) error {
	c, err := h.find(name)
	if err != nil {
		return err
	}
	if c.alive() {
		return nil
	}
	h.effect(EffectStart, c)
	c.restarts, c.backoff = 0, 0
	c.launch()
	return c.failure
}

// Stop sends SIGTERM and returns at once. The process is gone after StopTakes, or after grace by SIGKILL; grace < 0 waits
// for ever. The restart policy does not bring it back. A container without a process is left alone.
func (h *Host) Stop(name string, grace time.Duration) error {
	c, err := h.find(name)
	if err != nil {
		return err
	}
	if !c.alive() {
		return nil
	}
	h.effect(EffectStop, c)
	c.again = false
	c.terminate(grace)
	return nil
}

// Restart is Stop and, once the process is gone, Start; a container without a process is started.
func (h *Host) Restart(name string, grace time.Duration) error {
	c, err := h.find(name)
	if err != nil {
		return err
	}
	h.effect(EffectRestart, c)
	c.restarts, c.backoff = 0, 0
	if !c.alive() {
		c.launch()
		return c.failure
	}
	c.again = true
	c.terminate(grace)
	return nil
}

// Kill sends SIGKILL. The restart policy does not bring the container back. It is ErrNotRunning when there is no process.
func (h *Host) Kill(name string) error {
	c, err := h.find(name)
	if err != nil {
		return err
	}
	if !c.Running() {
		return fmt.Errorf("%w: %s", ErrNotRunning, name)
	}
	c.again = false
	c.stopping = true
	c.kill()
	return nil
}

// find finds a container that something is about to be done to.
func (h *Host) find(name string) (*Container, error) {
	if c := h.Container(name); c != nil {
		if c.real {
			return nil, fmt.Errorf("%w: %s", ErrReal, name)
		}
		return c, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrNoContainer, name)
}

func (h *Host) effect(kind EffectKind, c *Container) {
	h.effects = append(h.effects, HostEffect{Kind: kind, Container: c.Name, At: h.w.now})
}
