package remedy

import (
	"context"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
)

// providerPatience is how long a data provider may take to follow a restarted node by itself: its process exits when the
// node's socket drops and its restart policy brings it back (prb-v0-v2-api, 4.1 and 4.2).
const providerPatience = 3 * time.Minute

// providerWait gives a data provider time to follow by itself. Its proof is "it follows" or "we have waited long enough":
// the next step then restarts what does not.
func (r *Remedies) providerWait() act.Op {
	return act.Op{
		Effect: act.Visible, Deadline: 2 * providerPatience, Timeout: 90 * time.Second,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["provider"], s.Now.Add(pollEvery)
			switch {
			case r.providerFollows(ctx, s):
				return act.Proved, next, fleet.Because("remedy.provider_follows", "provider", name), nil
			case s.Now.Sub(s.Step.Effected) >= providerPatience:
				return act.Proved, next, fleet.Because("remedy.provider_does_not_follow", "provider", name, "for", providerPatience), nil
			default:
				return act.NotYet, next, fleet.Because("remedy.provider_not_yet", "provider", name), nil
			}
		},
	}
}

// providerCure restarts a data provider's container unless it follows. Whether the restart happened is visible: the
// container was started at another time than the note of the intent says.
func (r *Remedies) providerCure() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 3 * time.Minute,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			if r.providerFollows(ctx, s) {
				return true, nil
			}
			before, begun := s.Step.Note["started"]
			if !begun {
				return false, nil
			}
			engine, name, err := r.engineOf(s)
			if err != nil {
				return false, err
			}
			c, err := engine.Inspect(ctx, name)
			return err == nil && c.Running() && startedAt(c) != before, err
		},
		Prepare: func(ctx context.Context, s act.StepContext) (map[string]string, error) {
			engine, name, err := r.engineOf(s)
			if err != nil {
				return nil, err
			}
			c, err := engine.Inspect(ctx, name)
			return map[string]string{"started": startedAt(c)}, err
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			engine, name, err := r.engineOf(s)
			if err != nil {
				return err
			}
			grace, err := time.ParseDuration(s.Step.Args["grace"])
			if err != nil {
				return err
			}
			return engine.Restart(ctx, name, grace)
		},
	}
}

func startedAt(c fleet.ContainerStatus) string { return c.Started.UTC().Format(time.RFC3339Nano) }

// providerGrows proves that a data provider follows its node again.
func (r *Remedies) providerGrows() act.Op {
	return act.Op{
		Effect: act.Visible, Deadline: 15 * time.Minute, Timeout: 90 * time.Second,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			next := s.Now.Add(pollEvery)
			if r.providerFollows(ctx, s) {
				return act.Proved, next, fleet.Because("remedy.provider_follows", "provider", s.Step.Args["provider"]), nil
			}
			return act.NotYet, next, fleet.Because("remedy.provider_not_yet", "provider", s.Step.Args["provider"]), nil
		},
	}
}

// providerFollows reports whether a data provider that the bridge's monitor knows answers and has processed a parachain
// block since an earlier look, in whichever step of this plan that was. The monitor never forgets a peer that went away,
// so silent ones do not count; names of containers and peer ids cannot be matched, so any of them may be the proof.
func (r *Remedies) providerFollows(ctx context.Context, s act.StepContext) bool {
	client, err := r.reach.Bridge(s.Step.Args["bridge"])
	if err != nil {
		return false
	}
	follows := false
	for _, dp := range client.Read(ctx).DataProviders {
		if dp.Err == nil && dp.Status.Para.Known && dp.Status.Para.Value >= 0 {
			key := s.Plan.ID + "/dp/" + s.Step.Args["provider"] + "/" + dp.Status.PeerID
			follows = r.growth.grew(key, dp.Status.Para.Value) || follows
		}
	}
	return follows
}
