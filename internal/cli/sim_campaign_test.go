package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"phalops/internal/i18n"
	"phalops/internal/sim/campaign"
)

// TestCampaign: a day of a small fleet as a table in both languages, and the keys of its JSON.
func TestCampaign(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "two.yaml")
	scenario := "name: two\nfaults:\n  - { fault: worker.error, target: prb-01/*, every: 12h, source: test }\n" +
		"  - { fault: worker.pause, at: [3h], for: 10m, source: test }\n"
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"sim", "campaign", "--days", "1", "--workers", "20", "--scenario", file, "--policy"}
	for _, lang := range i18n.Langs() {
		r := shell{lang: lang}.run(t, append(args, "none")...)
		if r.code != exitDone || strings.Count(r.err, "\n") != 2 {
			t.Errorf("exit %d: %s", r.code, r.err)
		}
		golden(t, lang, "sim_campaign", r.out)
	}
	r := shell{lang: i18n.EN}.run(t, append(args, "phalops", "-o", "json")...)
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.out), &keys); err != nil {
		t.Fatalf("%v: %s", err, r.out)
	}
	for key := range strings.FieldsSeq("policy days workers seed scenario lost_worker_hours floor_worker_hours actions needless_actions harmful_actions " +
		"alerts alerts_per_day ttr_seconds by_fault") {
		if keys[key] == nil {
			t.Errorf("no key %s", key)
		}
	}
	var split, ttr map[string]float64
	if err := json.Unmarshal(keys["lost_worker_hours"], &split); err != nil || len(split) != 5 {
		t.Errorf("lost_worker_hours: %v, %v", split, err)
	}
	if err := json.Unmarshal(keys["ttr_seconds"], &ttr); err != nil || len(ttr) != 3 {
		t.Errorf("ttr_seconds: %v, %v", ttr, err)
	}
}

func TestCampaignIsRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--policy", "script"}, {"--days", "0"}, {"--workers", "9"}, {"--scenario", "missing.yaml"}} {
		r := shell{lang: i18n.EN}.run(t, append([]string{"sim", "campaign"}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.err, args[1]) {
			t.Errorf("%v: exit %d: %s", args, r.code, r.err)
		}
	}
	if r := (shell{lang: i18n.EN}).run(t, "sim", "campaign", "--show-scenario"); r.out != campaign.DefaultScenarioYAML() {
		t.Errorf("%s%s", r.out, r.err)
	}
}
