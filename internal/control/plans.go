package control

import (
	"context"
	"errors"
	"time"

	"phalops/internal/act"
	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/store"
)

const (
	beatPlans = "plans"
	// plansEvery is how soon a plan that another process wrote down (a command) is noticed.
	plansEvery = time.Second
	// attemptsBack is how far back treatments count: further than any budget's period.
	attemptsBack = 48 * time.Hour
)

// plansStep reads the journal: what is unended gets a beat of its own, what was tried goes on the board, and so do the
// maintenance windows that persons opened.
func (c *Control) plansStep(ctx context.Context, now time.Time) (time.Time, error) {
	plans, err := c.store.Plans(ctx, store.PlanFilter{Unended: true})
	if err != nil {
		return now.Add(plansEvery), err
	}
	attempts, err := c.store.Attempts(ctx, now.Add(-attemptsBack))
	if err != nil {
		return now.Add(plansEvery), err
	}
	if err := c.readWindows(ctx, now); err != nil {
		return now.Add(plansEvery), err
	}
	c.board.setWork(c.dates.mend(attempts, now), plans)
	for _, p := range plans {
		if _, ours := c.board.Lease(p.Site, now); ours && p.State != fleet.PlanParked && p.State != fleet.PlanPaused {
			c.sched.Set(beatPlan(p.ID), c.planStep(p.ID, p.Site), now)
		}
	}
	return now.Add(plansEvery), nil
}

// readWindows forgets no window while the store does not answer: one that was read stays until it ends.
func (c *Control) readWindows(ctx context.Context, now time.Time) error {
	windows, err := c.store.Maintenance(ctx, now)
	if err == nil {
		c.board.setWindows(windows)
	}
	return err
}

func beatPlan(id string) string { return "plan/" + id }

// planStep lets the engine take one move of one plan.
func (c *Control) planStep(id, site string) Step {
	return func(ctx context.Context, now time.Time) (time.Time, error) {
		lease, ours := c.board.Lease(site, now)
		if !ours {
			c.sched.Remove(beatPlan(id))
			return now, nil
		}
		if until, waits := c.rivals.wait(site, now); waits {
			return until, nil
		}
		next, ended, err := c.engine.Advance(ctx, id, store.Fence{Lease: lease.Name, Token: lease.Token}, now)
		if errors.Is(err, store.ErrFenced) {
			c.board.setLease(site, store.Lease{})
			c.sched.Wake("lease/"+site, now)
		}
		if ended {
			c.sched.Remove(beatPlan(id))
			c.afterPlan(ctx, id, now)
		}
		return next, err
	}
}

// afterPlan has whoever was treated looked at again now, so that a cure is seen and told without waiting for the next poll.
func (c *Control) afterPlan(ctx context.Context, id string, now time.Time) {
	c.sched.Wake(beatPlans, now)
	p, err := c.store.Plan(ctx, id)
	if err != nil {
		c.log.Error("read an ended plan", "plan", id, "err", err)
		return
	}
	for _, ref := range p.Locks {
		c.sched.Wake(beatOf(ref), now)
	}
}

// notTreated carries the refusal's own arguments, so that its sentence can be said inside this one.
func notTreated(action string, err error) fleet.Reason {
	why := fleet.ReasonOf(err)
	r := fleet.Because("control.not_treated", "action", "plan_kind."+action, "why", why.Code)
	for k, v := range why.Args {
		if _, taken := r.Args[k]; !taken {
			r.Args[k] = v
		}
	}
	return r
}

// beatOf is the beat that watches a target.
func beatOf(ref fleet.Ref) string {
	if parent := ref.Parent(); parent != "" {
		ref = parent
	}
	return string(ref)
}

// treat turns decisions that want to act into plans. One that cannot be made or is locked is no failure of the beat: it is
// written down, and the next look decides anew.
func (c *Control) treat(ctx context.Context, site string, decisions []fleet.Decision, now time.Time) error {
	var errs []error
	for _, d := range decisions {
		if d.Verdict != fleet.Act {
			continue
		}
		defer c.board.redeem(d.Target)
		if until, waits := c.refused.until(d.Target, now); waits {
			c.log.Debug("a refused treatment rests", "target", d.Target, "until", until)
			continue
		}
		incident := c.desk.incidentOf(d)
		plan, err := c.engine.Build(ctx, act.Request{
			Kind: d.Action, Targets: []fleet.Ref{d.Target}, Author: "rule:" + d.Rule, Reason: d.Reason, Incident: incident,
		}, now)
		if err == nil {
			err = c.engine.Submit(ctx, plan, now)
		}
		if shared, underWay := act.UnderWay(err); underWay { // somebody asked for the same already: that serves us, too
			c.refused.clear(d.Target)
			errs = append(errs, c.desk.acted(ctx, incident, now))
			c.log.Debug("a treatment is under way already", "target", d.Target, "plan", shared.ID)
			continue
		}
		if err != nil {
			c.refused.add(d, err, now)
			if d.Action == decide.ActionWorkerContainer {
				c.board.noBox(d.Target, now.Add(boxlessFor)) // the ladder goes on to a person
			}
			errs = append(errs, c.store.Append(ctx, fleet.Event{At: now, Kind: fleet.EventPlan, Author: "rule:" + d.Rule, Target: d.Target, Incident: incident,
				Reason: notTreated(d.Action, err)}))
			continue
		}
		c.refused.clear(d.Target)
		c.board.addPlan(plan)
		c.sched.Set(beatPlan(plan.ID), c.planStep(plan.ID, site), now)
		errs = append(errs, c.desk.acted(ctx, incident, now))
	}
	return errors.Join(errs...)
}
