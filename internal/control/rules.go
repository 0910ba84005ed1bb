package control

import (
	"context"
	"errors"
	"sync"
	"time"

	"phalops/internal/config"
	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/rule"
)

// rulebook keeps the operator's rules compiled from one beat to the next. It is safe for concurrent use.
type rulebook struct {
	mu       sync.Mutex
	programs map[string]*rule.Program // by condition
	told     map[[2]string]bool       // names and conditions of rules that went wrong, told already
}

// of is the configured rules for decide. A condition that does not compile, which config check has made sure of, never holds.
func (b *rulebook) of(rules []config.Rule) []decide.UserRule {
	if len(rules) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := make(map[string]*rule.Program, len(rules))
	out := make([]decide.UserRule, 0, len(rules))
	for _, r := range rules {
		p := b.programs[r.When]
		if p == nil {
			var err error
			if p, err = rule.Compile(r.When, rule.OfWorker); err != nil {
				continue
			}
		}
		kept[r.When] = p
		out = append(out, decide.UserRule{Name: r.Name, When: p, For: r.For, Do: r.Do, Cooldown: r.Cooldown, Mode: r.Mode})
	}
	b.programs = kept
	return out
}

// broken are the rules that went wrong about these targets and were not told before.
func (b *rulebook) broken(decisions []fleet.Decision) []fleet.Event {
	var out []fleet.Event
	for _, d := range decisions {
		for _, h := range d.Holds {
			if h.Why.Code != "rule.no_answer" {
				continue
			}
			b.mu.Lock()
			key := [2]string{h.Rule, h.When}
			known := b.told[key]
			if !known {
				if b.told == nil {
					b.told = map[[2]string]bool{}
				}
				b.told[key] = true
			}
			b.mu.Unlock()
			if !known {
				out = append(out, fleet.Event{At: d.At, Kind: fleet.EventConfig, Author: "rule:" + h.Rule, Target: d.Target, Reason: h.Why})
			}
		}
	}
	return out
}

// tellUnanswered writes down, once, that a rule of the operator's goes wrong: it does nothing, and nobody else would say so.
func (c *Control) tellUnanswered(ctx context.Context, decisions []fleet.Decision, now time.Time) error {
	var errs []error
	for _, e := range c.rules.broken(decisions) {
		c.log.Warn("a rule of the configuration has no answer", "rule", e.Author, "target", e.Target, "why", e.Reason)
		e.At = now
		errs = append(errs, c.store.Append(ctx, e))
	}
	return errors.Join(errs...)
}
