package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/store"
)

// explain prints, under the table of a status command, the whole decision about each of its targets: about those that are
// not well, and about every one that was asked for by name.
func (s *session) explain(now snapshot, named bool, targets []fleet.Ref) {
	if s.flags.output != "table" {
		return
	}
	for _, ref := range targets {
		d := now.Decisions[ref]
		if !named && d.Severity == "" && (d.Verdict == fleet.Healthy || d.Verdict == "") {
			continue
		}
		fmt.Fprintf(s.Stdout, "\n%s\n", s.paint(bold, s.word("kind.", string(ref.Kind()))+" "+ref.Name()))
		if d.Verdict != "" {
			s.line("col.condition", s.conditionOf(ref, d.Condition))
		}
		s.decision(d)
		s.checked(d)
		if b, ok := bridgeOf(now, ref); ok {
			s.silentBridge(b)
		}
	}
}

// checked says, where nothing is wrong, what was looked at to know that.
func (s *session) checked(d fleet.Decision) {
	if d.Verdict != fleet.Healthy {
		return
	}
	switch d.Target.Kind() {
	case fleet.KindWorker:
		s.line("col.checked", s.say("cli.checked_worker"))
	case fleet.KindBridge:
		s.line("col.checked", s.say("cli.checked_bridge"))
	case fleet.KindNode:
		s.line("col.checked", s.say("cli.checked_node"))
	}
}

func bridgeOf(now snapshot, ref fleet.Ref) (fleet.BridgeStatus, bool) {
	at := slices.IndexFunc(now.Bridges, func(b fleet.BridgeStatus) bool { return b.Ref == ref })
	if at < 0 {
		return fleet.BridgeStatus{}, false
	}
	return now.Bridges[at], true
}

// silentBridge says which part of a bridge does not answer, since when, and why.
func (s *session) silentBridge(b fleet.BridgeStatus) {
	if b.Version == config.VersionSolo {
		return // its parts are its worker's
	}
	s.silence(s.say("cli.part_monitor", "bridge", b.Ref.Name()), b.Monitor)
	s.silence(s.say("cli.part_lifecycle", "bridge", b.Ref.Name()), b.Lifecycle)
}

// lookedAt says when a worker was seen last, and by whom nothing was answered since.
func (s *session) lookedAt(w fleet.WorkerStatus, now snapshot) {
	b, ok := bridgeOf(now, w.Ref.Parent())
	solo := ok && b.Version == config.VersionSolo
	seen := ""
	if !w.At.IsZero() && !solo {
		seen = s.say("cli.seen_through", "bridge", w.Ref.Parent().Name(), "ago", s.ago(w.At, now.At))
	}
	if p := w.Pruntime; p != nil && !p.At.IsZero() {
		seen = strings.Trim(seen+" · "+s.say("cli.seen_pruntime", "ago", s.ago(p.At, now.At)), " ·")
	}
	s.line("col.looked", seen)
	if ok {
		s.silentBridge(b)
	}
	if w.Pruntime != nil {
		s.silence("pRuntime "+w.Pruntime.Endpoint, w.Pruntime.Probe)
	}
}

func (s *session) silence(who string, p fleet.Probe) {
	if p.Missed == 0 {
		return
	}
	s.line("col.silent", s.say("cli.silent_since", "who", who, "since", p.Failed, "missed", p.Missed, "cause", s.text(p.Cause)))
}

// newest is an incident with the decision about its target as the target's own page shows it while it is open: the incident
// itself is written when the story changes or somebody was told, the decision whenever its numbers have grown old.
func (s *session) newest(ctx context.Context, i fleet.Incident) (fleet.Incident, error) {
	if !i.Open() {
		return i, nil
	}
	d, err := s.core.Store.Decision(ctx, i.Target)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return i, nil
	case err != nil:
		return i, fmt.Errorf("read the decision about %s: %w", i.Target, err)
	case d.Same(i.Decision):
		i.Decision = d
	}
	return i, nil
}

// reasonOf is why an incident is: why it is still, or, once it has ended, why it was.
func reasonOf(i fleet.Incident) fleet.Reason {
	if i.Open() && !i.Decision.Reason.IsZero() {
		return i.Decision.Reason
	}
	return i.Reason
}

// nobodyFits names the workers that are called nearly so, when a worker that was asked for by name is not there.
func nobodyFits(err error, now snapshot, names []string) error {
	if fleet.KindOf(err) != fleet.NotFound {
		return err
	}
	for _, name := range names {
		if near := nearestWorkers(now, name); len(near) > 0 {
			return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_worker_near", "name", name, "near", strings.Join(near, ", ")))
		}
	}
	return err
}

// nearMost is how many names are offered in place of one that is not there.
const nearMost = 3

func nearestWorkers(now snapshot, wanted string) []string {
	type candidate struct {
		name string
		far  int
	}
	var all []candidate
	for _, b := range now.Bridges {
		for _, w := range b.Workers {
			far := fleet.Distance(wanted, w.Name)
			if ok, err := path.Match("*"+wanted+"*", w.Name); err == nil && ok {
				far = 0
			}
			if far <= max(1, len([]rune(wanted))/3) {
				all = append(all, candidate{w.Name, far})
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Or(a.far-b.far, strings.Compare(a.name, b.name)) })
	var out []string
	for _, c := range all[:min(nearMost, len(all))] {
		if c.far == all[0].far {
			out = append(out, c.name)
		}
	}
	return slices.Compact(out)
}

// together is events that say the same of several targets in one breath, as one line.
type together struct {
	fleet.Event
	targets []fleet.Ref
}

// breath is how long one round of judging many workers may take.
const breath = 10 * time.Second

// gather joins neighbouring events of one kind, author and sentence about different targets.
func gather(events []fleet.Event) []together {
	var out []together
	for _, e := range events {
		if n := len(out); n > 0 && e.Kind == fleet.EventDecision {
			last := &out[n-1]
			if last.Kind == e.Kind && last.Author == e.Author && last.Reason.Code == e.Reason.Code && e.At.Sub(last.At) <= breath && !slices.Contains(last.targets, e.Target) {
				last.targets = append(last.targets, e.Target)
				continue
			}
		}
		out = append(out, together{Event: e, targets: []fleet.Ref{e.Target}})
	}
	return out
}
