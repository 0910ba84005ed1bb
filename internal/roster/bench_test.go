package roster_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"phalops/internal/roster"
)

// tenThousand are workers of ten pools.
func tenThousand() string {
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "%d:10.0.%d.%d:w-%d\n", 80+i%10, i>>8, i&255, i)
	}
	return b.String()
}

// BenchmarkParse10000 reads 10,000 lines in each form. Targets: 200 ms, YAML 600 ms.
func BenchmarkParse10000(b *testing.B) {
	list, err := roster.Parse(strings.NewReader(tenThousand()), roster.Options{})
	if err != nil || len(list.Entries) != 10_000 {
		b.Fatal(err, len(list.Entries))
	}
	texts := map[roster.Form]string{roster.FormLines: tenThousand()}
	for _, form := range []roster.Form{roster.FormTable, roster.FormYAML} {
		var out bytes.Buffer
		if err := roster.Write(&out, form, list.Entries); err != nil {
			b.Fatal(err)
		}
		texts[form] = out.String()
	}
	for _, form := range []roster.Form{roster.FormLines, roster.FormTable, roster.FormYAML} {
		b.Run(string(form), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(texts[form])))
			for b.Loop() {
				if list, err := roster.Parse(strings.NewReader(texts[form]), roster.Options{}); err != nil || len(list.Problems) > 0 || len(list.Entries) != 10_000 {
					b.Fatal(err, list.Problems)
				}
			}
		})
	}
}

// BenchmarkPlace10000 places 10,000 workers of ten pools over 100 bridges with room for 100 each. Target: 200 ms.
func BenchmarkPlace10000(b *testing.B) {
	list, err := roster.Parse(strings.NewReader(tenThousand()), roster.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var bridges []roster.Bridge
	for i := range 100 {
		bridges = append(bridges, bridge(fmt.Sprintf("prb-%02d", i), 100, []uint64{80, 81, 82, 83, 84, 85, 86, 87, 88, 89}))
	}
	b.ReportAllocs()
	for b.Loop() {
		if p := roster.Place(list.Entries, bridges, roster.PlaceOptions{}); p.Count(roster.Add) != 10_000 {
			b.Fatal(p.Count(roster.Add))
		}
	}
}
