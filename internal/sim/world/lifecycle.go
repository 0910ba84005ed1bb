package world

import "time"

// later does f d from now unless the lifecycle's process is another one by then.
func (b *Bridge) later(after time.Duration, f func()) {
	run := b.run
	b.w.After(after, func() {
		if b.lifecycleUp && b.run == run {
			f()
		}
	})
}

func (b *Bridge) lifecycleStarts() {
	b.lifecycleUp = true
	b.run++
	b.later(lifecycleListens, func() {
		b.listening = true
		b.w.peerUp(b.peer())
	})
	b.later(lifecycleChecks, func() {
		if !b.Node.linked {
			b.lifecycle.Exit(255)
		}
	})
	b.later(lifecycleForms, b.form)
}

func (b *Bridge) lifecycleExits(int) {
	for _, c := range b.contexts {
		c.drop()
	}
	b.contexts, b.byWorker = nil, map[string]*Context{}
	b.lifecycleUp, b.listening, b.formed = false, false, false
	b.run++
	b.trouble = withoutKind(b.trouble, PeerFrozen)
}

// form reads the database, once, and gives every enabled worker a context. Runners wait without limit for a data provider;
// one enabled worker with a stake below 1 PHA makes the runner, and the lifecycle with it, exit.
func (b *Bridge) form() {
	if b.formed || b.ConfigMode || !b.lifecycleUp || b.provider() == nil ||
		b.w.now.Before(b.lifecycle.StartedAt().Add(lifecycleForms)) {
		return
	}
	b.formed = true
	for _, row := range b.workers {
		if row.Enabled && !enoughStake(row.Stake) {
			b.lifecycle.Exit(255)
			return
		}
	}
	for _, row := range b.workers {
		if row.Enabled {
			b.addContext(row).begin()
		}
	}
}

func (b *Bridge) addContext(row Worker) *Context {
	c := &Context{Worker: row, b: b, rt: b.w.parts.pruntimes[row.Endpoint], syncOnly: row.SyncOnly || b.poolSyncOnly(row.PID)}
	b.contexts = append(b.contexts, c)
	b.byWorker[row.UUID] = c
	return c
}

// provider is the data provider that the runners read from: the first one that has blocks.
func (b *Bridge) provider() *DataProvider {
	for _, d := range b.Providers {
		if d.listening && d.indexing {
			return d
		}
	}
	return nil
}

// source are the heights up to which the runners get blocks; 0 without a data provider.
func (b *Bridge) source(now time.Time) (para, relay int64) {
	if d := b.provider(); d != nil {
		return d.paraHeight(now), d.relayHeight(now)
	}
	return 0, 0
}

// rebase fixes the heights of all pRuntimes that it feeds, because what they follow may fall.
func (b *Bridge) rebase() {
	for _, c := range b.contexts {
		if c.rt != nil && c.feeding {
			c.keepNotice()
			c.rt.rebase()
		}
	}
}

func (b *Bridge) keepNotices() {
	for _, c := range b.contexts {
		c.keepNotice()
	}
}

func (b *Bridge) settle() {
	if b.monitorUp {
		b.listening = b.lifecycleUp
		b.meetAll()
	}
	if !b.lifecycleUp || b.ConfigMode || b.provider() == nil {
		return
	}
	b.formed, b.listening = true, true
	for _, row := range b.workers {
		if row.Enabled {
			b.addContext(row).settle()
		}
	}
	if b.monitorUp {
		b.meetAll()
	}
}
