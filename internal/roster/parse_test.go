package roster_test

import (
	"strings"
	"testing"

	"phalops/internal/roster"
)

func TestThin(t *testing.T) {
	for _, text := range []string{"83:192.168.2.[1-3]:w-[001-003]\n[::1]\n", "name,ip,stake,pid,customer\nw1,192.168.2.1,10.5,83,alpha\n", "- {name: w, ip: 10.0.0.1, labels: {a: b}}\n- 83:10.0.0.2:x\n"} {
		l, err := roster.Parse(strings.NewReader(text), roster.Options{})
		if err != nil || len(l.Problems) > 0 || len(l.Entries) == 0 {
			t.Errorf("%v %v", err, l.Problems)
		}
		for _, e := range l.Entries {
			t.Logf("%+v", e)
		}
	}
}
