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

// Docker's restart policy: the pause before a dead process is brought back doubles from the first to the longest, and
// starts over once a process has lived long enough.
const (
	restartFirst   = 100 * time.Millisecond
	restartLongest = time.Minute
	restartForgets = 10 * time.Second
)

// Host is a machine with a container engine.
type Host struct {
	Name string
	// Down makes the machine silent: its engine answers nobody. What runs on it runs on; whoever breaks the machine
	// decides that too.
	Down bool

	w          *World
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

func (h *Host) find(name string) (*Container, error) {
	if c := h.Container(name); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrNoContainer, name)
}

func (h *Host) effect(kind EffectKind, c *Container) {
	h.effects = append(h.effects, HostEffect{Kind: kind, Container: c.Name, At: h.w.now})
}

// ContainerState is a container's state in the engine's words.
type ContainerState = string

// States of containers.
const (
	StateCreated    ContainerState = "created"
	StateRunning    ContainerState = "running"
	StateRestarting ContainerState = "restarting"
	StateExited     ContainerState = "exited"
)

// Container is a container with one process. The exported fields are set before Host.Add; what a fault changes of them
// later holds from the next start or stop on.
type Container struct {
	Name             string // without the leading slash
	Image            string
	Project, Service string            // compose names; Add makes the labels of them
	Labels           map[string]string // Add copies them
	RestartAlways    bool              // restart policy "always"
	StartTakes       time.Duration     // from the start of the process until it is up
	StopTakes        time.Duration     // from SIGTERM until the process is gone
	StopCode         int               // its exit code after SIGTERM: 0, or 143 for a program that does not handle it
	StartError       string            // not empty: the engine cannot start it and says this
	OnStart          func()            // the process is up
	OnExit           func(code int)    // the process is gone, whether it was up or not

	host *Host
	w    *World

	id         string
	state      ContainerState
	up         bool
	runs       int // processes so far
	epoch      int // grows whenever what was on its way becomes void
	stopping   bool
	again      bool // start once the stopping process is gone
	exitCode   int
	createdAt  time.Time
	startedAt  time.Time
	finishedAt time.Time
	restarts   int
	backoff    time.Duration
	failure    error
}

// ID is the engine's id: 64 hex digits.
func (c *Container) ID() string { return c.id }

// State is created, running, restarting or exited. A process that is not up yet runs.
func (c *Container) State() ContainerState { return c.state }

// Running reports whether there is a process.
func (c *Container) Running() bool { return c.state == StateRunning }

// Up reports whether the process is there and has finished starting.
func (c *Container) Up() bool { return c.up }

// Busy reports whether a stop or a restart is on its way.
func (c *Container) Busy() bool { return c.stopping }

// ExitCode is the last process's exit code; 0 while one runs.
func (c *Container) ExitCode() int { return c.exitCode }

// CreatedAt is when the container was made.
func (c *Container) CreatedAt() time.Time { return c.createdAt }

// StartedAt is when the newest process began; zero when there was none.
func (c *Container) StartedAt() time.Time { return c.startedAt }

// FinishedAt is when a process ended last; zero when none did.
func (c *Container) FinishedAt() time.Time { return c.finishedAt }

// RestartCount is how often the restart policy brought the container back since somebody started it.
func (c *Container) RestartCount() int { return c.restarts }

// Failure is why the engine could not start the container when it tried last; nil when it could.
func (c *Container) Failure() error { return c.failure }

// Runs is how many processes the container has had.
func (c *Container) Runs() int { return c.runs }

// BootRunning makes the process up at once, as if it had always been there. It is no effect.
func (c *Container) BootRunning() *Container {
	if !c.alive() {
		c.begin()
		c.rise()
	}
	return c
}

// Exit ends the process from within, as a crash or an out-of-memory kill does. Without a process nothing happens.
func (c *Container) Exit(code int) {
	if c.Running() {
		c.gone(code)
	}
}

// alive is the engine's own notion of running: waiting for the restart policy counts.
func (c *Container) alive() bool { return c.state == StateRunning || c.state == StateRestarting }

func (c *Container) begin() {
	c.runs++
	c.epoch++
	c.state, c.up, c.stopping, c.again = StateRunning, false, false, false
	c.startedAt, c.exitCode = c.w.now, 0
}

func (c *Container) rise() {
	c.up = true
	if c.OnStart != nil {
		c.OnStart()
	}
}

// launch starts a process, unless the engine fails to: then the container stays exited, and the restart policy does not
// try again.
func (c *Container) launch() {
	c.again, c.failure = false, nil
	if c.StartError != "" {
		c.failure = errors.New(c.StartError)
		if c.runs > 0 {
			c.state = StateExited
		}
		return
	}
	c.begin()
	c.after(c.StartTakes, c.rise)
}

// after has f done d from now unless the process is another one by then.
func (c *Container) after(d time.Duration, f func()) {
	epoch := c.epoch
	c.w.After(d, func() {
		if c.epoch == epoch && c.Running() {
			f()
		}
	})
}

func (c *Container) terminate(grace time.Duration) {
	if c.state == StateRestarting { // no process to wait for
		c.epoch++
		c.state = StateExited
		if c.again {
			c.launch()
		}
		return
	}
	if !c.stopping {
		c.stopping = true
		c.after(c.StopTakes, func() { c.gone(c.StopCode) })
	}
	if grace >= 0 {
		c.after(grace, c.kill)
	}
}

func (c *Container) kill() {
	c.host.effect(EffectKill, c)
	c.gone(137)
}

func (c *Container) gone(code int) {
	byHand, lived := c.stopping, c.w.now.Sub(c.startedAt)
	c.state, c.up, c.stopping = StateExited, false, false
	c.exitCode, c.finishedAt = code, c.w.now
	epoch := c.epoch
	if !byHand && c.RestartAlways {
		c.comeBack(lived)
	}
	if c.OnExit != nil {
		c.OnExit(code)
	}
	if c.again && c.epoch == epoch && c.state == StateExited {
		c.launch()
	}
}

// comeBack is the restart policy.
func (c *Container) comeBack(lived time.Duration) {
	switch {
	case lived >= restartForgets || c.backoff == 0:
		c.backoff = restartFirst
	default:
		c.backoff = min(2*c.backoff, restartLongest)
	}
	c.state = StateRestarting
	c.restarts++
	epoch := c.epoch
	c.w.After(c.backoff, func() {
		if c.epoch == epoch && c.state == StateRestarting {
			c.launch()
		}
	})
}
