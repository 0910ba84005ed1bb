package decide

import (
	"fmt"
	"time"

	"phalops/internal/fleet"
)

// Room on the file system of a node's chain data.
const (
	gib      = 1 << 30
	diskFull = 1 * gib          // a database does not work with less, and no restart makes room
	diskOld  = 20 * time.Minute // it is asked for every few minutes
)

// Spans of a headers cache. It looks at its node every half minute, but takes relay chain headers in steps that end with a
// finality proof, up to a thousand blocks.
const (
	cacheFrozen   = 30 * time.Minute
	headersFrozen = 4 * time.Hour
	cacheSilent   = 15 * time.Minute
)

// around lets speak what is not the chains' own: a full disk and what the log says forbid the restart that a finding asks
// for, and what is wrong beside a node that works is remarked without touching its condition.
func (in *NodeInput) around(v chainFinding) chainFinding {
	if v.weight == weighStranger {
		return v
	}
	bad := v.quiet != ""
	if f, ok := in.fullDisk(bad); ok {
		return v.give(f)
	}
	if bad {
		if f, ok := in.unmendable(v); ok {
			return v.give(f)
		}
		v.witnesses = append(v.witnesses, in.logLines()...)
		return v
	}
	for _, ask := range []func() (finding, bool){in.lowDisk, in.oddReference, in.staleCache} {
		if f, ok := ask(); ok {
			v = v.give(f)
		}
	}
	return v
}

// give hands the word to another finding. The first one keeps it: what comes later, and what was said before, are
// witnesses. The condition stays.
func (v chainFinding) give(f finding) chainFinding {
	if v.remark {
		v.witnesses = append(v.witnesses, f.reason)
		return v
	}
	v.remark = v.quiet == ""
	if !v.reason.IsZero() {
		v.witnesses = append(v.witnesses, v.reason)
	}
	v.rule, v.reason, v.want, v.until, v.suspect = f.rule, f.reason, wantPerson, time.Time{}, ""
	v.quiet, v.loud = f.loud, f.loud
	return v
}

func (in *NodeInput) disk() (fleet.DiskStatus, bool) {
	d := in.Status.Disk
	if d == nil || !d.Fresh() || d.Total == 0 || in.Now.Sub(d.At) > diskOld {
		return fleet.DiskStatus{}, false
	}
	return *d, true
}

// fullDisk speaks when there is no room: by what the host says, and where it does not say, by the log of a node in trouble.
func (in *NodeInput) fullDisk(bad bool) (finding, bool) {
	d, known := in.disk()
	line := in.Status.Log.Line(fleet.SignNoSpace)
	switch {
	case known && d.Free < diskFull:
		return finding{rule: "node.disk_full", loud: fleet.Critical,
			reason: fleet.Because("node.disk_full", "path", d.Path, "free", size(d.Free), "total", size(d.Total))}, true
	case !known && bad && line != "" && in.logCurrent():
		return finding{rule: "node.disk_full", loud: fleet.Critical, reason: fleet.Because("node.disk_full_log", "line", line)}, true
	}
	return finding{}, false
}

// lowDisk speaks before it is too late: below a twentieth or 10 GiB. Once told, it takes a little more room to be quiet
// again, so that a database that breathes does not tell it every hour.
func (in *NodeInput) lowDisk() (finding, bool) {
	least, share := uint64(10*gib), 0.05
	if in.Last.Rule == "node.disk_low" {
		least, share = 12*gib, 0.06
	}
	d, known := in.disk()
	if !known || d.Free >= least && float64(d.Free) >= share*float64(d.Total) {
		return finding{}, false
	}
	return finding{rule: "node.disk_low", loud: fleet.Warning,
		reason: fleet.Because("node.disk_low", "path", d.Path, "free", size(d.Free), "total", size(d.Total))}, true
}

func size(bytes uint64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/gib) }

func (in *NodeInput) logCurrent() bool {
	return in.Status.Log != nil && in.Policy.current(in.Status.Log.Probe, in.Now)
}

// unmendable speaks when the log names what no restart mends.
func (in *NodeInput) unmendable(v chainFinding) (finding, bool) {
	if v.want != wantRestart && v.want != wantTime || !in.logCurrent() {
		return finding{}, false
	}
	log := in.Status.Log
	f := finding{loud: fleet.Critical}
	switch {
	case log.Line(fleet.SignCorrupt) != "":
		f.rule, f.reason = "node.corrupt", fleet.Because("node.corrupt", "line", log.Line(fleet.SignCorrupt))
	case log.Line(fleet.SignJustification) != "":
		f.rule, f.reason = "node.justification", fleet.Because("node.justification", "line", log.Line(fleet.SignJustification))
	case log.Line(fleet.SignClock) != "":
		f.rule, f.reason = "node.clock", fleet.Because("node.clock", "line", log.Line(fleet.SignClock))
	case log.Line(fleet.SignRole) != "":
		f.rule, f.reason = "node.role", fleet.Because("node.role", "line", log.Line(fleet.SignRole))
	default:
		return finding{}, false
	}
	return f, true
}

// logLines are the lines that explain something, for people.
func (in *NodeInput) logLines() []fleet.Reason {
	if !in.logCurrent() {
		return nil
	}
	var out []fleet.Reason
	for _, s := range in.Status.Log.Signs {
		out = append(out, fleet.Because("witness.log", "line", s.Line))
	}
	return out
}

// oddReference speaks of the only outside head when it is of another chain than the node: one of the two is configured
// wrongly, and which one nobody can tell.
func (in *NodeInput) oddReference() (finding, bool) {
	if in.Status.Para == nil {
		return finding{}, false
	}
	t := in.hear(chainPara, in.Status.Para)
	if t.kin > 0 || t.strangeHeads != 1 || in.Status.Relay == nil {
		return finding{}, false
	}
	return finding{rule: "node.odd_reference", loud: fleet.Warning,
		reason: fleet.Because("node.odd_reference", "url", t.stranger, "genesis", in.Status.Para.Genesis)}, true
}

// staleCache speaks of a headers cache that does not follow although its node moves. Its restart is not ours.
func (in *NodeInput) staleCache() (finding, bool) {
	for i := range in.Status.Caches {
		c := &in.Status.Caches[i]
		if c.Missed >= fleet.MissedLimit && in.Now.Sub(c.Failed) >= cacheSilent {
			return finding{rule: "node.cache_silent", loud: fleet.Warning,
				reason: fleet.Because("node.cache_silent", "cache", c.Name, "url", c.URL, "for", in.Now.Sub(c.Failed))}, true
		}
		if !in.Policy.current(c.Probe, in.Now) {
			continue
		}
		for _, part := range []struct {
			fleet.Height
			what  string
			limit time.Duration
			node  *fleet.ChainStatus
		}{
			{c.Header, "node.cache.header", headersFrozen, in.Status.Relay},
			{c.ParaHeader, "node.cache.para_header", cacheFrozen, in.Status.Para},
			{c.StorageChanges, "node.cache.storage_changes", cacheFrozen, in.Status.Para},
		} {
			if frozen := part.FrozenFor(c.At); frozen >= part.limit && in.finalizing(part.node) && part.node.Finalized.Value > part.Value {
				return finding{rule: "node.cache_stale", loud: fleet.Warning,
					reason: fleet.Because("node.cache_stale", "cache", c.Name, "what", part.what, "height", part.Value, "for", frozen)}, true
			}
		}
	}
	return finding{}, false
}

// finalizing reports whether a chain of the node makes final blocks now.
func (in *NodeInput) finalizing(c *fleet.ChainStatus) bool {
	return c != nil && in.Policy.current(c.Probe, in.Now) && c.Finalized.Known && c.Finalized.FrozenFor(c.At) < in.Policy.StalledAfter
}
