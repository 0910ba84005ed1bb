package world

import "slices"

// Action is what one can ask a lifecycle to do with a running worker.
type Action string

// Actions.
const (
	ActionRestart Action = "restart"
	ActionKick    Action = "kick"
	ActionRefresh Action = "refresh" // a fresh RA report, then as restart
)

// errNoRunners is what a lifecycle in config mode says to everything about running workers.
var errNoRunners = serverError("TypeError: Cannot read properties of undefined (reading 'workers')")

func (b *Bridge) known(ids []string) error {
	for _, id := range ids {
		if !slices.ContainsFunc(b.workers, func(w Worker) bool { return w.UUID == id }) {
			return notFound("Worker %s not found!", id)
		}
	}
	return nil
}

// States are the contexts of these workers, or all of them (in no order that means anything) when ids is empty.
func (b *Bridge) States(ids []string) ([]*Context, error) {
	if err := b.known(ids); err != nil {
		return nil, err
	}
	if b.ConfigMode {
		return nil, errNoRunners
	}
	if len(ids) == 0 {
		return slices.Clone(b.contexts), nil
	}
	found := make([]*Context, 0, len(ids))
	for _, id := range ids {
		c := b.byWorker[id]
		if c == nil {
			return nil, serverError("TypeError: Cannot read properties of undefined (reading 'status')")
		}
		found = append(found, c)
	}
	return found, nil
}

// Act asks for an action; it happens a little later, so the contexts returned still show the state before it. All ids must
// be in the database, or nothing is done; one of them without a context is an error after the earlier ones were acted on.
func (b *Bridge) Act(a Action, ids []string) ([]*Context, error) {
	if err := b.known(ids); err != nil {
		return nil, err
	}
	if b.ConfigMode && len(ids) > 0 {
		return nil, errNoRunners
	}
	done := make([]*Context, 0, len(ids))
	for _, id := range ids {
		c := b.byWorker[id]
		if c == nil {
			return nil, serverError("TypeError: Cannot read properties of undefined (reading 'runner')")
		}
		b.act(a, c)
		done = append(done, c)
	}
	return done, nil
}

func (b *Bridge) act(a Action, c *Context) {
	b.w.did(string(a), c.name())
	b.judge(c)
	switch a {
	case ActionKick:
		c.kick()
	case ActionRefresh:
		c.forceRA = true
		c.restart()
	case ActionRestart:
		c.restart()
	}
}

func (b *Bridge) judge(c *Context) {
	source, _ := b.source(b.w.now)
	b.w.judge(c.rt, c.name(), c.feeding && c.state == StateSynching, c.feeding && c.state == StateActive, source)
}

// judge records a treatment that a worker did not need: it was catching up and moving, or it worked, up to source.
func (w *World) judge(rt *Pruntime, name string, syncing, working bool, source int64) {
	if rt == nil || rt.para.still || len(rt.trouble) > 0 {
		return
	}
	para, _ := rt.Heights()
	switch {
	case syncing && para < source:
		w.harm(HarmRestartSyncing, name)
	case working && source-para <= 3:
		w.harm(HarmRestartHealthy, name)
	}
}

// enoughStake is the runner's own check: at least 1 PHA, in 10⁻¹² PHA.
func enoughStake(s string) bool {
	const onePHA = 13 // digits
	for len(s) > 0 && s[0] == '0' {
		s = s[1:]
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) >= onePHA
}
