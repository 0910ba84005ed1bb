package remedy

import (
	"context"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
)

// What follows a node: hands out its blocks, and may or may not do so again by itself after the node was restarted.
const (
	whatProvider = "dp"    // v2: exits when the node's socket drops, and its restart policy brings it back (operations, 4.6)
	whatFetch    = "fetch" // v0: was started by the plan, and walks from the last block that it has
	whatWM       = "wm"    // v3: was left running, and reconnects every 30 s
	whatKept     = "kept"  // nobody can tell how it fares: it only must run
)

const (
	// followDeadline is how long one may take after a restart of its own; a data provider indexes from -1 then.
	followDeadline = 15 * time.Minute
	// waitSlack is how much longer than its patience a step waits while nobody tells it anything.
	waitSlack = 3 * time.Minute
)

// patience is how long a follower may take by itself (operations, 5.5).
func patience(what string) time.Duration {
	if what == whatFetch {
		return 5 * time.Minute // until then its heights may stand still because it walks
	}
	return 3 * time.Minute
}

// follower is something that follows a node, with the containers of it that ran.
type follower struct {
	what, name string
	ref        fleet.Ref
	bridges    []string // that can tell how it fares
	parts      []part
}

// fetcher is a v0 bridge's fetch; without parts where it did not run.
func (b bridgeParts) fetcher() follower {
	return follower{what: whatFetch, name: b.bridge.Name, ref: b.ref(), bridges: []string{b.bridge.Name}, parts: b.in(b.layout.source)}
}

// riders are a v3 bridge's parts that stayed running.
func (b bridgeParts) riders() []follower {
	var all []follower
	for _, service := range b.layout.riders {
		parts := b.in(service)
		if len(parts) == 0 {
			continue
		}
		f := follower{what: whatKept, name: b.bridge.Name, ref: b.ref(), parts: parts}
		if service == svcWM {
			f.what, f.bridges = whatWM, []string{b.bridge.Name}
		}
		all = append(all, f)
	}
	return all
}

// followSteps wait for each to follow its node, restart what does not, and see that what ran before runs: where a restart
// policy does not bring a process back we must. What no bridge of ours reads from is only kept running: nobody can tell how
// it fares.
func followSteps(all []follower) []fleet.Step {
	var steps []fleet.Step
	for _, f := range all {
		told := len(f.bridges) > 0
		if told {
			steps = append(steps, f.step("wait ", opProviderWait, f.waitLabel()))
			for _, p := range f.parts {
				steps = append(steps, f.cure(p))
			}
		}
		for _, p := range f.parts {
			keep := startStep(p)
			keep.Name, keep.Label = "keep "+p.place(), fleet.Because("remedy.step_keep", "container", p.container.Name, "host", p.host)
			steps = append(steps, keep)
		}
		if told {
			steps = append(steps, f.step("follow ", opProviderGrow, f.followLabel()))
		}
	}
	return steps
}

func (f follower) step(verb, op string, label fleet.Reason) fleet.Step {
	var ids []string
	for _, p := range f.parts {
		ids = append(ids, shortID(p.container))
	}
	return fleet.Step{
		Name: verb + f.title(), Op: op, Target: f.ref, Class: fleet.ClassReversible, Label: label,
		Args: map[string]string{"what": f.what, "provider": f.name, "bridges": strings.Join(f.bridges, " "), "ids": strings.Join(ids, " ")},
	}
}

// title names the follower within its plan.
func (f follower) title() string {
	if f.what == whatProvider {
		return f.name
	}
	return f.what + " of " + f.name
}

func (f follower) cure(p part) fleet.Step {
	s := f.step("restart ", opProviderCure, f.cureLabel(p))
	s.Name, s.Class = "restart "+p.place(), fleet.ClassCostsMining
	s.Args["host"], s.Args["container"], s.Args["grace"] = p.host, p.container.Name, p.grace.String()
	return s
}

// follows asks once whether the step's follower does.
func (r *Remedies) follows(ctx context.Context, s act.StepContext) (bool, error) {
	if s.Step.Args["what"] == whatWM {
		return r.wmFollows(ctx, s)
	}
	return r.providerFollows(ctx, s)
}

// wmFollows reports whether a v3 bridge feeds anybody, or has nobody to feed.
func (r *Remedies) wmFollows(ctx context.Context, s act.StepContext) (bool, error) {
	name := s.Step.Args["provider"]
	client, err := r.reach.Bridge(name)
	if err != nil {
		return false, err
	}
	states, err := client.States(ctx)
	if err != nil {
		return false, bridgeSilent(name, err)
	}
	if someoneGrows(&r.growth, followKey(s), states, s.Now) {
		return true, nil
	}
	return !anyoneToFeed(states) && nobodyToFeed(client.Read(ctx)), nil
}

// followWait gives a follower time to follow by itself. Its proof is "it follows" or "we have waited long enough": the next
// step then restarts what does not. While nobody tells it is neither.
func (r *Remedies) followWait() act.Op {
	return act.Op{
		Deadline: patience(whatFetch) + waitSlack, Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			next := s.Now.Add(pollEvery)
			follows, err := r.follows(ctx, s)
			limit := patience(s.Step.Args["what"])
			switch waited := s.Now.Sub(s.Step.Effected); {
			case err != nil && waited >= limit+waitSlack:
				return act.TooLate, next, fleet.ReasonOf(err), nil
			case err != nil:
				return act.NotYet, next, fleet.Reason{}, err
			case follows:
				return act.Proved, next, followed(s), nil
			case waited >= limit:
				return act.Proved, next, doesNotFollow(s, waited), nil
			default:
				return act.NotYet, next, notFollowed(s), nil
			}
		},
	}
}

// followCure restarts a follower's container unless it follows. Whether the restart happened is visible: the container was
// started at another time than the note of the intent says.
func (r *Remedies) followCure() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 3 * time.Minute,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			if restarted, begun, err := r.restarted(ctx, s); begun && (restarted || err != nil) {
				return restarted, err
			}
			return r.follows(ctx, s)
		},
		Prepare: r.noteStart,
		Do:      r.restartContainer,
	}
}

// noteStart writes down when the step's container was started last, before it is restarted.
func (r *Remedies) noteStart(ctx context.Context, s act.StepContext) (map[string]string, error) {
	c, err := r.inspect(ctx, s)
	return map[string]string{"started": startedAt(c)}, err
}

// restarted reports whether the step's container was started since its intent; begun is false before there is one.
func (r *Remedies) restarted(ctx context.Context, s act.StepContext) (yes, begun bool, err error) {
	before, begun := s.Step.Note["started"]
	if !begun {
		return false, false, nil
	}
	c, err := r.inspect(ctx, s)
	return err == nil && alive(c) && startedAt(c) != before, true, err
}

func (r *Remedies) restartContainer(ctx context.Context, s act.StepContext) error {
	engine, name, err := r.engineOf(s)
	if err != nil {
		return err
	}
	grace, err := graceOf(s)
	if err != nil {
		return err
	}
	return engine.Restart(ctx, name, grace)
}

func startedAt(c fleet.ContainerStatus) string { return c.Started.UTC().Format(time.RFC3339Nano) }

// followGrows proves that a follower follows its node again.
func (r *Remedies) followGrows() act.Op {
	return act.Op{
		Deadline: followDeadline, Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			next := s.Now.Add(pollEvery)
			follows, err := r.follows(ctx, s)
			switch {
			case err != nil:
				return act.NotYet, next, fleet.Reason{}, err
			case follows:
				r.growth.forget(followKey(s))
				return act.Proved, next, followed(s), nil
			default:
				return act.NotYet, next, notFollowed(s), nil
			}
		},
	}
}

// followKey begins the keys of a follower's heights; all steps of a plan share them, so that what one step has seen need not
// be waited for again by the next.
func followKey(s act.StepContext) string {
	return s.Plan.ID + "/" + s.Step.Args["what"] + "/" + s.Step.Args["provider"] + "/"
}
