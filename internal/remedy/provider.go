package remedy

import (
	"context"
	"slices"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

const (
	// providerPatience is how long a data provider may take to follow a restarted node by itself: its process exits when
	// the node's socket drops, and its restart policy brings it back (operations, 4.6).
	providerPatience = 3 * time.Minute
	// providerDeadline is how long it may take after a restart of its own, after which it indexes from -1.
	providerDeadline = 15 * time.Minute
)

// provider is a data provider with the containers of it that ran, and the bridges whose monitors can tell how it fares.
type provider struct {
	name    string
	bridges []string
	parts   []part
}

// bridgesOf are the bridges that read from a data provider.
func bridgesOf(cfg config.Config, dp string) []string {
	var out []string
	for _, s := range cfg.Sites {
		for _, b := range s.Bridges {
			if slices.Contains(b.DataProviders, dp) {
				out = append(out, b.Name)
			}
		}
	}
	return out
}

// providerSteps wait for each data provider to follow its node again, restart what does not, and see that what ran before
// runs: a data provider exits with its node's socket, and where its restart policy does not bring it back we must. One that
// no bridge of ours reads from is only kept running: nobody can tell how it fares.
func providerSteps(all []provider) []fleet.Step {
	var steps []fleet.Step
	for _, dp := range all {
		told := len(dp.bridges) > 0
		if told {
			steps = append(steps, providerStep(dp, "wait ", opProviderWait, fleet.Because("remedy.step_provider_wait", "provider", dp.name)))
			for _, p := range dp.parts {
				steps = append(steps, cureStep(dp, p))
			}
		}
		for _, p := range dp.parts {
			keep := startStep(p)
			keep.Label = fleet.Because("remedy.step_keep", "container", p.container.Name, "host", p.host)
			steps = append(steps, keep)
		}
		if told {
			steps = append(steps, providerStep(dp, "follow ", opProviderGrow, fleet.Because("remedy.step_provider_follow", "provider", dp.name)))
		}
	}
	return steps
}

func providerStep(dp provider, verb, op string, label fleet.Reason) fleet.Step {
	var ids []string
	for _, p := range dp.parts {
		ids = append(ids, shortID(p.container))
	}
	return fleet.Step{
		Name: verb + dp.name, Op: op, Target: fleet.DataProviderRef(dp.name), Class: fleet.ClassReversible, Label: label,
		Args: map[string]string{"provider": dp.name, "bridges": strings.Join(dp.bridges, " "), "ids": strings.Join(ids, " ")},
	}
}

func cureStep(dp provider, p part) fleet.Step {
	s := providerStep(dp, "restart ", opProviderCure,
		fleet.Because("remedy.step_provider_restart", "provider", dp.name, "container", p.container.Name, "host", p.host))
	s.Name, s.Class = "restart "+p.place(), fleet.ClassCostsMining
	s.Args["host"], s.Args["container"], s.Args["grace"] = p.host, p.container.Name, p.grace.String()
	return s
}

// shortID is what a container has for a host name unless it is given one.
func shortID(c fleet.ContainerStatus) string { return c.ID[:min(12, len(c.ID))] }

// providerWait gives a data provider time to follow by itself. Its proof is "it follows" or "we have waited long enough":
// the next step then restarts what does not. While no monitor answers it is neither.
func (r *Remedies) providerWait() act.Op {
	return act.Op{
		Deadline: 2 * providerPatience, Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["provider"], s.Now.Add(pollEvery)
			follows, err := r.providerFollows(ctx, s)
			switch waited := s.Now.Sub(s.Step.Effected); {
			case err != nil:
				return act.NotYet, next, fleet.Reason{}, err
			case follows:
				return act.Proved, next, fleet.Because("remedy.provider_follows", "provider", name), nil
			case waited >= providerPatience:
				return act.Proved, next, fleet.Because("remedy.provider_does_not_follow", "provider", name, "for", waited), nil
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
			if before, begun := s.Step.Note["started"]; begun {
				c, err := r.inspect(ctx, s)
				if err != nil || alive(c) && startedAt(c) != before {
					return err == nil, err
				}
			}
			return r.providerFollows(ctx, s)
		},
		Prepare: func(ctx context.Context, s act.StepContext) (map[string]string, error) {
			c, err := r.inspect(ctx, s)
			return map[string]string{"started": startedAt(c)}, err
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			engine, name, err := r.engineOf(s)
			if err != nil {
				return err
			}
			grace, err := graceOf(s)
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
		Deadline: providerDeadline, Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["provider"], s.Now.Add(pollEvery)
			follows, err := r.providerFollows(ctx, s)
			switch {
			case err != nil:
				return act.NotYet, next, fleet.Reason{}, err
			case follows:
				r.growth.forget(providerKey(s))
				return act.Proved, next, fleet.Because("remedy.provider_follows", "provider", name), nil
			default:
				return act.NotYet, next, fleet.Because("remedy.provider_not_yet", "provider", name), nil
			}
		},
	}
}

// providerKey begins the keys of a data provider's heights; all steps of a plan share them, so that what one step has seen
// need not be waited for again by the next.
func providerKey(s act.StepContext) string {
	return s.Plan.ID + "/dp/" + s.Step.Args["provider"] + "/"
}

// providerFollows reports whether the data provider has processed a parachain block since an earlier look. The first of
// its bridges whose monitor answers tells; it is an error when none does, because silence is not "it stands still".
func (r *Remedies) providerFollows(ctx context.Context, s act.StepContext) (bool, error) {
	cfg := r.config()
	var silence error
	for name := range strings.FieldsSeq(s.Step.Args["bridges"]) {
		client, err := r.reach.Bridge(name)
		if err == nil {
			reading := client.Read(ctx)
			if err = reading.MonitorErr; err == nil {
				follows := false
				for _, dp := range candidates(cfg, s.Step.Args["provider"], strings.Fields(s.Step.Args["ids"]), reading.DataProviders) {
					if p := dp.Status; dp.Err == nil && p.Para.Known && p.Para.Value >= 0 {
						follows = r.growth.grew(providerKey(s)+p.PeerID, p.Para.Value, s.Now) || follows
					}
				}
				return follows, nil
			}
		}
		if silence == nil {
			silence = fleet.FailWith(fleet.Unavailable, fleet.Because("remedy.bridge_silent", "bridge", name, "err", err), err)
		}
	}
	return false, silence
}

// candidates are those of a monitor's data providers that may be the configured one. A monitor knows peer ids, which the
// configuration does not, and never forgets one that went away. What it says besides is sometimes enough: the host name
// (a container's short id, or what operators call it) and the address that was dialled, which may as well be loopback or a
// bridge network's. Where none of that points at the wanted provider, every one counts that does not clearly belong to
// another: with two providers behind indistinguishable addresses, one that grows may speak for both.
func candidates(cfg config.Config, name string, ids []string, all []prb.DataProvider) []prb.DataProvider {
	var wanted config.DataProvider
	var others []config.DataProvider
	for _, s := range cfg.Sites {
		for _, dp := range s.DataProviders {
			if dp.Name == name {
				wanted = dp
			} else {
				others = append(others, dp)
			}
		}
	}
	points := func(p fleet.DataProviderStatus, at config.DataProvider) bool {
		address := cfg.Hosts[at.Host].Address
		return p.Hostname == at.Name || p.Hostname != "" && p.Hostname == at.Host || address != "" && addressOf(p.Addr) == address
	}
	var certain, possible []prb.DataProvider
	for _, p := range all {
		switch {
		case slices.Contains(ids, p.Status.Hostname), points(p.Status, wanted):
			certain = append(certain, p)
		case !slices.ContainsFunc(others, func(o config.DataProvider) bool { return points(p.Status, o) }):
			possible = append(possible, p)
		}
	}
	if len(certain) > 0 {
		return certain
	}
	return possible
}

// addressOf is the IP address or name in a multiaddr such as /ip4/192.168.3.10/tcp/28888/p2p/Qm….
func addressOf(multiaddr string) string {
	part := strings.Split(multiaddr, "/")
	if len(part) < 3 || part[0] != "" {
		return ""
	}
	return part[2]
}
