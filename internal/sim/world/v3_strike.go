package world

// victims are what faults can strike of a v3 bridge: wm in the part of a lifecycle.
func (b *V3Bridge) victims(what string) []victim {
	switch what {
	case "lifecycle", "monitor", "bridge", "peer":
		return []victim{{b.Name, b.strike}}
	case "worker", "pruntime":
		var all []victim
		for _, c := range b.contexts {
			if c.rt != nil {
				all = append(all, victim{c.name(), c.strike})
			}
		}
		return all
	}
	return nil
}

func (b *V3Bridge) strike(f Fault) {
	switch f.Kind {
	case LifecycleCrash:
		b.wm.Exit(1)
		return
	case MonitorCrash:
		b.monitor.Exit(1)
		return
	}
	t := b.w.newTrouble(f)
	refeed := func() {
		b.rebase()
		for _, c := range b.contexts {
			c.refeed()
		}
	}
	b.rebase() // while it still says what it fed
	b.trouble = append(b.trouble, t)
	refeed()
	b.w.heal(f, func() {
		b.trouble = without(b.trouble, t)
		refeed()
	})
}

func (c *V3Worker) strike(f Fault) {
	t, rt := c.b.w.newTrouble(f), c.rt
	switch f.Kind {
	case WorkerDeadEnd:
		c.deadEnd(f.Text)
		return
	case WorkerError:
		t.text = v3ErrorText(f.Text, c)
	case WorkerMessage:
		t.text = or(f.Text, "Sync offchain message met error, will retry. Tx timed out!")
	case PruntimeHang, PruntimeDown, WorkerPause:
		t.curedBy = or(f.CuredBy, CuredByNothing)
	}
	rt.trouble = append(rt.trouble, t)
	switch f.Kind {
	case WorkerError:
		c.stop(t.text)
	case WorkerStarting:
		c.begin()
		rt.trouble = append(withoutKind(rt.trouble, WorkerStarting), t)
	case WorkerFreeze:
		c.refeed()
	case PruntimeDown, PruntimeHang, WorkerPause:
		rt.stand()
	}
	c.b.w.healWithin(c.b.Name, f, func() {
		c.keepNotice()
		rt.trouble = without(rt.trouble, t)
		if f.Kind == WorkerStarting && !c.gone && c.state == V3Starting && !c.started {
			c.hello()
		}
		rt.stand()
	})
}

// v3ErrorText makes HasError's text of the short names that ErrorText knows.
func v3ErrorText(name string, c *V3Worker) string {
	const call = "pRuntime returned an error: "
	switch name {
	case "refused", "unreachable", "etimedout", "", "timeout", "blob", "reset":
		return call + c.refusal()
	case "500":
		return call + "Internal Server Error"
	case "pool":
		return "Failed to add_worker_to_pool. PhalaStakePoolv2::WorkerInAnotherPool"
	case "tx":
		return "Failed to start computing. PhalaStakePoolv2::InsufficientFreeStake"
	case "txtimeout":
		return "Failed to start computing. Tx timed out!"
	case "trader":
		return "Failed to start computing. Invalid pool operator"
	case "restart":
		return v3NeedRestart
	}
	if name[0] >= 'A' && name[0] <= 'Z' && len(name) < 40 {
		return call + name
	}
	return name
}
