package control

import (
	"time"

	"phalops/internal/config"
	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// policyAt is the policy for what belongs to a site at now: its own mode, and whether a maintenance window is open there, of
// the configuration or of a person. The configuration's are in this machine's time zone.
func (c *Control) policyAt(s config.Site, now time.Time) decide.Policy {
	cfg := c.config()
	p := policyOf(cfg)
	if s.Mode != "" {
		p.Mode, p.SiteMode = s.Mode, true
	}
	p.Maintenance = len(cfg.OpenWindows(s.Name, now.Local())) > 0 || c.board.maintained(s.Name, now)
	_, p.NotBefore = c.board.blind()
	return p
}

// silent reports whether nobody on the way to a bridge answered the newest question. A solo worker has no monitor: its
// pRuntime is all that could answer.
func silent(b fleet.BridgeStatus) bool {
	if b.Version != config.VersionSolo {
		return b.Monitor.Missed > 0
	}
	for _, w := range b.Workers {
		if w.Pruntime == nil || w.Pruntime.Missed == 0 {
			return false
		}
	}
	return true
}
