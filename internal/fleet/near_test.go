package fleet

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		one, other string
		want       int
	}{
		{"", "", 0}, {"node", "node", 0}, {"Node", "nODE", 0}, {"", "abc", 3}, {"worekr", "worker", 1}, {"w-7", "w-07", 1},
		{"ndoe", "node", 1}, {"message", "massages", 2}, {"机房一", "机房二", 1}, {strings.Repeat("a", 41), "a", 80},
	} {
		if got := Distance(tt.one, tt.other); got != tt.want || Distance(tt.other, tt.one) != got {
			t.Errorf("%q and %q are %d apart, want %d", tt.one, tt.other, got, tt.want)
		}
	}
}
