package world

import (
	"errors"
	"time"
)

// Docker's restart policy: the pause before a dead process is brought back doubles from the first to the longest, and
// starts over once a process has lived long enough.
const (
	restartFirst   = 100 * time.Millisecond
	restartLongest = time.Minute
	restartForgets = 10 * time.Second
)

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

	body *Body // its real process, while there is one
	real bool  // it has had one: nothing here starts it any more
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
	c.dieOfDisk()
}

// launch starts a process, unless the engine fails to: then the container stays exited, and the restart policy does not
// try again.
func (c *Container) launch() {
	c.again, c.failure = false, nil
	if c.real {
		return
	}
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
	if !byHand && c.RestartAlways && !c.real {
		c.comeBack(lived)
	}
	if c.OnExit != nil {
		c.OnExit(code)
	}
	c.disembody(code)
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
