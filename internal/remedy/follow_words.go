package remedy

import (
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
)

func (f follower) waitLabel() fleet.Reason {
	switch f.what {
	case whatFetch:
		return fleet.Because("remedy.step_fetch_wait", "bridge", f.name)
	case whatWM:
		return fleet.Because("remedy.step_wm_wait", "bridge", f.name)
	default:
		return fleet.Because("remedy.step_provider_wait", "provider", f.name)
	}
}

func (f follower) followLabel() fleet.Reason {
	switch f.what {
	case whatFetch:
		return fleet.Because("remedy.step_fetch_follow", "bridge", f.name)
	case whatWM:
		return fleet.Because("remedy.step_wm_follow", "bridge", f.name)
	default:
		return fleet.Because("remedy.step_provider_follow", "provider", f.name)
	}
}

func (f follower) cureLabel(p part) fleet.Reason {
	switch f.what {
	case whatFetch:
		return fleet.Because("remedy.step_fetch_restart", "bridge", f.name, "container", p.container.Name, "host", p.host)
	case whatWM:
		return fleet.Because("remedy.step_wm_restart", "bridge", f.name, "container", p.container.Name, "host", p.host)
	default:
		return fleet.Because("remedy.step_provider_restart", "provider", f.name, "container", p.container.Name, "host", p.host)
	}
}

func followed(s act.StepContext) fleet.Reason {
	switch name := s.Step.Args["provider"]; s.Step.Args["what"] {
	case whatFetch:
		return fleet.Because("remedy.fetch_follows", "bridge", name)
	case whatWM:
		return fleet.Because("remedy.wm_follows", "bridge", name)
	default:
		return fleet.Because("remedy.provider_follows", "provider", name)
	}
}

func notFollowed(s act.StepContext) fleet.Reason {
	switch name := s.Step.Args["provider"]; s.Step.Args["what"] {
	case whatFetch:
		return fleet.Because("remedy.fetch_not_yet", "bridge", name)
	case whatWM:
		return fleet.Because("remedy.wm_not_yet", "bridge", name)
	default:
		return fleet.Because("remedy.provider_not_yet", "provider", name)
	}
}

func doesNotFollow(s act.StepContext, waited time.Duration) fleet.Reason {
	switch name := s.Step.Args["provider"]; s.Step.Args["what"] {
	case whatFetch:
		return fleet.Because("remedy.fetch_does_not_follow", "bridge", name, "for", waited)
	case whatWM:
		return fleet.Because("remedy.wm_does_not_follow", "bridge", name, "for", waited)
	default:
		return fleet.Because("remedy.provider_does_not_follow", "provider", name, "for", waited)
	}
}
