package daemon

import (
	"strings"
	"testing"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/store"
)

// TestSiteModeAndMaintenance: a site that only observes, and one under maintenance, decide and record and touch nothing.
func TestSiteModeAndMaintenance(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*config.Config)
		guard  string
	}{
		"mode": {func(c *config.Config) { c.Sites[0].Mode = "observe" }, "guard.observe"},
		"maintenance": {func(c *config.Config) {
			c.Windows = []config.Window{{Name: "always", At: "0 0 * * *", For: 25 * time.Hour}}
		}, "guard.maintenance"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, `- { at: 45s, fault: worker.error, target: w-07, text: timeout }`)
			tc.change(&r.cfg)
			d, _ := r.start(r.options())
			r.until("it says what holds it back", 60*time.Second, func() bool {
				all, err := incidents(d, store.IncidentFilter{Open: true})
				return err == nil && len(all) == 1 && guarded(all[0].Decision, tc.guard)
			})
			if got := r.effects(); len(got) != 0 {
				t.Errorf("it acted: %q", got)
			}
			if plans, err := d.Store.Plans(t.Context(), store.PlanFilter{}); err != nil || len(plans) != 0 {
				t.Errorf("plans: %+v, %v", plans, err)
			}
		})
	}
}

func guarded(d fleet.Decision, code string) bool {
	for _, g := range d.Guards {
		if strings.HasPrefix(g.Code, code) {
			return true
		}
	}
	return false
}
