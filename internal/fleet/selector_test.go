package fleet

import (
	"net/netip"
	"regexp"
	"testing"
	"time"
)

func TestSelector(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := WorkerStatus{
		Ref: WorkerRef("prb-a", "id7"), ID: "id7", Name: "w-07", PID: 83, Endpoint: "http://192.168.2.7:8000", State: "S_ERROR",
		Message: "Error: timeout of 8000ms exceeded", Condition: Failing, Since: now.Add(-10 * time.Minute),
	}
	for name, c := range map[string]struct {
		s    Selector
		want bool
	}{
		"nothing chooses nobody":    {Selector{}, false},
		"all":                       {Selector{All: true}, true},
		"all and another bridge":    {Selector{All: true, Bridges: []string{"prb-b"}}, false},
		"site and bridge":           {Selector{Sites: []string{"dc1"}, Bridges: []string{"prb-b", "prb-a"}}, true},
		"other site":                {Selector{Sites: []string{"dc2"}}, false},
		"pool":                      {Selector{Pools: []uint64{84, 83}}, true},
		"glob":                      {Selector{Names: []string{"w-0?"}}, true},
		"other glob":                {Selector{Names: []string{"x-*"}}, false},
		"network":                   {Selector{Endpoints: []netip.Prefix{netip.MustParsePrefix("192.168.2.0/24")}}, true},
		"other network":             {Selector{Endpoints: []netip.Prefix{netip.MustParsePrefix("192.168.3.0/24")}}, false},
		"host name":                 {Selector{Hosts: []string{"192.168.2.7"}}, true},
		"state and condition":       {Selector{States: []string{"S_ERROR"}, Conditions: []Condition{Failing}}, true},
		"other condition":           {Selector{Conditions: []Condition{Working}}, false},
		"message":                   {Selector{Message: regexp.MustCompile(`timeout of \d+ms`)}, true},
		"out for long enough":       {Selector{UnresponsiveFor: 10 * time.Minute}, true},
		"not out for so long":       {Selector{UnresponsiveFor: 11 * time.Minute}, false},
		"label":                     {Selector{Labels: map[string]string{"customer": "alpha"}}, true},
		"other label":               {Selector{Labels: map[string]string{"customer": "beta"}}, false},
		"listed by name":            {Selector{Listed: []string{"w-07"}}, true},
		"listed by endpoint":        {Selector{Listed: []string{"http://192.168.2.7:8000"}}, true},
		"not listed":                {Selector{Listed: []string{"w-08"}}, false},
		"all fields must match too": {Selector{Names: []string{"w-07"}, States: []string{"S_ACTIVE"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.s.Match("dc1", map[string]string{"customer": "alpha"}, w, now); got != c.want {
				t.Errorf("Match = %v", got)
			}
		})
	}
}
