package cli

import (
	"fmt"
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/phala"
	"phalops/internal/view"
)

// age is how long ago something was true, for people.
func (a *app) age(t, now time.Time) string { return i18n.Ago(a.lang, now.Sub(t)) }

// networkDetail is what status says of a network: how far its chain is, how our sessions are, what a day brings.
func (s *session) networkDetail(v view.Network, read, now time.Time) string {
	if read.IsZero() {
		return s.say("cli.network_unread")
	}
	parts := []string{s.say("cli.network_at", "height", v.Height, "ago", s.age(read, now))}
	if ours := s.sessions(v.Ours); ours != "" {
		parts = append(parts, s.say("cli.network_ours", "states", ours))
	}
	if v.Daily != nil {
		parts = append(parts, s.say("cli.network_daily", "daily", s.short(*v.Daily)))
	}
	if v.Upgrade != nil && v.Condition != string(fleet.NetworkUpgrade) { // else it is the condition
		parts = append(parts, s.paint(yellow, s.say("cli.network_upgrade")))
	}
	return join(parts)
}

// sessions counts sessions by state, in the chain's own words.
func (a *app) sessions(by map[string]int) string {
	var out []string
	for _, state := range phala.States() {
		if n := by[string(state)]; n > 0 {
			out = append(out, fmt.Sprintf("%s %d", a.sessionState(string(state)), n))
		}
	}
	return joined(out)
}

// sessionState is the state of a session in the chain's own word.
func (a *app) sessionState(state string) string {
	switch {
	case a.csv():
		return state
	case state == string(phala.Idle):
		return a.paint(green, state)
	case state == string(phala.Ready):
		return a.paint(faint, state)
	}
	return a.paint(yellow, state)
}

// chainFeet say on stderr how old what the chains said is; of the named networks, or of all without a name.
func (s *session) chainFeet(now snapshot, of []fleet.Ref) {
	if s.flags.output != "table" {
		return
	}
	if len(now.Chains) == 0 {
		fmt.Fprintln(s.Stderr, s.paint(yellow, s.say("cli.chain_never")))
	}
	for i := range now.Chains {
		if v := &now.Chains[i]; len(of) == 0 || slices.Contains(of, v.Ref) {
			s.chainFoot(v, now.At)
		}
	}
}

func (s *session) chainFoot(v *fleet.ChainView, now time.Time) {
	if v.At.IsZero() {
		fmt.Fprintln(s.Stderr, s.paint(yellow, s.say("cli.chain_silent", "network", v.Ref, "cause", s.text(v.Cause))))
		return
	}
	fmt.Fprintln(s.Stderr, s.paint(faint, s.say("cli.chain_read", "network", v.Ref, "height", v.Height, "ago", s.age(v.At, now))))
	if v.Missed > 0 {
		fmt.Fprintln(s.Stderr, s.paint(yellow, s.say("cli.chain_since", "network", v.Ref, "since", v.Failed, "cause", s.text(v.Cause))))
	}
}
