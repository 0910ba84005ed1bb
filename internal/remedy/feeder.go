package remedy

import (
	"context"
	"slices"
	"strings"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// standbyRests refuses while the stopped copy of a bridge runs: two feeders of one worker are worse than none. A standby
// host that does not answer cannot be asked, and is no reason to leave a fleet unfed.
func (r *Remedies) standbyRests(ctx context.Context, b config.Bridge) error {
	return r.copyRests(ctx, b.Standby, b.Project, layoutOf(b).feeder, b.Name)
}

func (r *Remedies) copyRests(ctx context.Context, standby, project, service, bridge string) error {
	if standby == "" || project == "" {
		return nil
	}
	all, err := r.list(ctx, standby, host.Filter{Project: project, Service: service})
	if err != nil {
		return nil //nolint:nilerr // see standbyRests
	}
	for _, c := range all {
		if alive(c) {
			return fleet.Fail(fleet.Refused, fleet.Because("remedy.standby_runs", "bridge", bridge, "container", c.Name, "host", standby))
		}
	}
	return nil
}

// wouldComeBack refuses what the restart of a feeder would ruin:
//
//   - v2: an enabled worker with a stake below 1 PHA: its runner, and so the whole lifecycle, exits at every start
//     (prb-v0-v2-api, 2.5);
//   - v0: two enabled records of one pRuntime: a deleted worker stays listed and starts again at the next lifecycle start
//     (2.4), beside the one that took its place;
//   - v2, v0: a worker that was stopped on chain and whose cool-down is over: its context waits, a new one would put it to
//     work again; v3 registers and starts whatever cools down.
//
// A bridge that does not answer cannot be checked, and a dead one is exactly what a restart is for, so silence does not
// refuse.
func (r *Remedies) wouldComeBack(ctx context.Context, b bridgeParts) error {
	if !b.feeds() || b.bridge.Version == config.VersionSolo {
		return nil
	}
	client, err := r.reach.Bridge(b.bridge.Name)
	if err != nil {
		return nil //nolint:nilerr // see above: silence is no reason to refuse
	}
	reading := client.Read(ctx) // without an answer it has no workers
	name, version := b.bridge.Name, b.bridge.Version
	if low := lowStakes(version, reading.Workers); low != "" {
		return fleet.Fail(fleet.Refused, fleet.Because("remedy.low_stake", "bridge", name, "workers", low))
	}
	if twins := zombies(version, reading.Workers); twins != "" {
		return fleet.Fail(fleet.Refused, fleet.Because("remedy.zombie", "bridge", name, "workers", twins))
	}
	if left := revived(version, reading.Workers); left != "" {
		return fleet.Fail(fleet.Refused, fleet.Because("remedy.would_revive", "bridge", name, "workers", left))
	}
	return nil
}

func lowStakes(version string, workers []fleet.WorkerStatus) string {
	if version == genV0 || version == genV3 {
		return "" // such a worker only stays without a context there
	}
	return namesOf(workers, func(w fleet.WorkerStatus) bool {
		return w.Enabled && (!w.StakeOK || w.Stake.Cmp(fleet.PHA(1)) < 0)
	})
}

func zombies(version string, workers []fleet.WorkerStatus) string {
	if version != genV0 {
		return ""
	}
	seen := map[string]int{}
	for _, w := range workers {
		if w.Enabled {
			seen[w.Endpoint]++
		}
	}
	return namesOf(workers, func(w fleet.WorkerStatus) bool { return w.Enabled && seen[w.Endpoint] > 1 })
}

func revived(version string, workers []fleet.WorkerStatus) string {
	return namesOf(workers, func(w fleet.WorkerStatus) bool {
		return w.Enabled && !w.SyncOnly && (leaving(w) || version == genV3 && cooling(w))
	})
}

// cooling reads the chain's word, in either era's.
func cooling(w fleet.WorkerStatus) bool { return strings.HasSuffix(w.Session, "CoolingDown") }

// leaving is a worker that was stopped on chain, has cooled down, and has not been put to work again since: its context
// still waits behind the words of the cool-down.
func leaving(w fleet.WorkerStatus) bool {
	return w.Condition == fleet.Leaving || w.State == "S_SYNCHED" && strings.Contains(w.Message, "is cooling down") && !cooling(w)
}

func namesOf(workers []fleet.WorkerStatus, bad func(fleet.WorkerStatus) bool) string {
	var names []string
	for _, w := range workers {
		if bad(w) {
			names = append(names, w.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
