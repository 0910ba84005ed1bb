package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// alice is a well-known account of test chains, with Phala's prefix.
const alice = "45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2"

func poolBriefs(entries []roster.PoolEntry) []string {
	out := []string{}
	for _, e := range entries {
		s := fmt.Sprintf("%d %d %q %s %s", e.Line, e.PID, e.Name, e.Operator, e.Proxied)
		if e.SyncOnly != nil {
			s += fmt.Sprintf(" sync=%t", *e.SyncOnly)
		}
		out = append(out, strings.TrimRight(s+" "+e.Bridge, " "))
	}
	return out
}

func TestPoolForms(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"numbers": {"83\n84 # the second\n", []string{`1 83 "83" env:ALL`, `2 84 "84" env:ALL`}},
		"fields":  {"83, alpha\n84,, env:POOL_84\n85,c,file:/etc/phalops/85," + alice, []string{`1 83 "alpha" env:ALL`, `2 84 "84" env:POOL_84`, `3 85 "c" file:/etc/phalops/85 ` + alice}},
		"a table": {"operator,池号,proxied,bridge,sync_only,workers\nage:/k,83," + alice + ",prb-a,yes,12\n", []string{`2 83 "83" age:/k ` + alice + ` sync=true prb-a`}},
		"YAML":    {"pools:\n- 83\n- {pid: 84, name: b, operator: 'cred:b'}\n", []string{`2 83 "83" env:ALL`, `3 84 "b" cred:b`}},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := roster.ParsePools(strings.NewReader(c.text), roster.PoolOptions{Operator: "env:ALL"})
			if err != nil || len(list.Problems) > 0 {
				t.Fatal(err, list.Problems)
			}
			if diff := cmp.Diff(c.want, poolBriefs(list.Entries)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPoolReferencesAreJudged by whoever knows what a reference to a secret is.
func TestPoolReferencesAreJudged(t *testing.T) {
	check := func(ref string) error {
		if ref == "env:GOOD" {
			return nil
		}
		return fleet.Fail(fleet.Invalid, fleet.Because("secret.bad_env"))
	}
	list, err := roster.ParsePools(strings.NewReader("83,,env:GOOD\n84,,env:B-A-D\n"), roster.PoolOptions{Check: check})
	if err != nil || len(list.Entries) != 1 || len(list.Problems) != 1 || list.Problems[0].Reason.Code != "secret.bad_env" {
		t.Errorf("%v %+v", err, list)
	}
	list, err = roster.ParsePools(strings.NewReader("83,,env:GOOD\n"), roster.PoolOptions{Check: func(string) error { return errors.New("no") }})
	if err != nil || len(list.Problems) != 1 {
		t.Errorf("%v %+v", err, list)
	}
}
