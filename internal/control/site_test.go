package control

import (
	"testing"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
)

// TestPolicyOfASite: a site's own mode and its maintenance windows hold for it alone.
func TestPolicyOfASite(t *testing.T) {
	cfg, problems := config.Parse([]byte(`
sites: [ { name: dc1 }, { name: dc2, mode: observe }, { name: dc3, mode: act } ]
healing: { mode: act }
maintenance:
  - { name: noon, at: "0 12 * * *", for: 1h, sites: [dc1] }
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c := &Control{board: NewBoard(), config: func() config.Config { return cfg }}
	noon := time.Date(2026, 3, 1, 12, 30, 0, 0, time.Local)
	c.board.setWindows([]fleet.Maintenance{
		{ID: "a", Sites: []string{"dc2", "dc4"}, Began: noon.Add(3 * time.Hour), Ends: noon.Add(4 * time.Hour)},
	})
	for _, tc := range []struct {
		site        int
		healing     string
		at          time.Time
		mode        string
		maintenance bool
	}{
		{0, "act", noon, "act", true},
		{0, "act", noon.UTC(), "act", true}, // clocks count in UTC
		{0, "act", noon.Add(time.Hour), "act", false},
		{1, "act", noon, "observe", true}, // the clock was set back since a person opened the window
		{2, "act", noon, "act", false},
		{0, "observe", noon, "observe", true},
		{2, "observe", noon, "act", false},
		{1, "act", noon.Add(3*time.Hour + 59*time.Minute), "observe", true},
		{1, "act", noon.Add(4 * time.Hour), "observe", false},
		{2, "act", noon.Add(3*time.Hour + 30*time.Minute), "act", false},
	} {
		cfg.Healing.Mode = tc.healing
		p := c.policyAt(cfg.Sites[tc.site], tc.at)
		if p.Mode != tc.mode || p.Maintenance != tc.maintenance {
			t.Errorf("%s, healing %s, at %s: mode %s, maintenance %v", cfg.Sites[tc.site].Name, tc.healing, tc.at, p.Mode, p.Maintenance)
		}
	}
}

// TestSilent: a bridge is asked at its monitor, a solo worker at its pRuntime.
func TestSilent(t *testing.T) {
	quiet, loud := fleet.Probe{Missed: 1}, fleet.Probe{}
	soloOf := func(p fleet.Probe) fleet.BridgeStatus {
		return fleet.BridgeStatus{Version: config.VersionSolo, Workers: []fleet.WorkerStatus{{Pruntime: &fleet.PruntimeStatus{Probe: p}}}}
	}
	for name, tc := range map[string]struct {
		bridge fleet.BridgeStatus
		want   bool
	}{
		"a monitor is silent":  {fleet.BridgeStatus{Version: "v0", Monitor: quiet}, true},
		"a monitor answers":    {fleet.BridgeStatus{Version: "v3", Monitor: loud}, false},
		"a pRuntime is silent": {soloOf(quiet), true},
		"a pRuntime answers":   {soloOf(loud), false},
	} {
		if got := silent(tc.bridge); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestHostSilent: only a host that answers lets its node be restarted.
func TestHostSilent(t *testing.T) {
	boxed := config.Node{Name: "node-1", Container: "phala-node"}
	box := func(p fleet.Probe) *fleet.ContainerStatus { return &fleet.ContainerStatus{Probe: p} }
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	mute := fleet.Probe{At: at, Failed: at, Missed: fleet.MissedLimit}
	for name, tc := range map[string]struct {
		node config.Node
		box  *fleet.ContainerStatus
		want bool
	}{
		"no container is configured":  {config.Node{Name: "node-1"}, nil, false},
		"the engine cannot be asked":  {boxed, nil, true},
		"the engine answers":          {boxed, box(fleet.Probe{At: at}), false},
		"the engine is silent":        {boxed, box(mute), true},
		"there is no such container":  {boxed, box(fleet.Probe{At: at, Missed: fleet.MissedLimit, Cause: fleet.Because("observe.no_container")}), false},
		"its host key is not trusted": {boxed, box(fleet.Probe{Missed: 1, Cause: fleet.Because("host.key_changed")}), true},
	} {
		if got := hostSilent(tc.node, fleet.NodeStatus{Container: tc.box}); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
