package control

import (
	"testing"
	"time"
)

// A lease that was somebody else's a moment ago gives no right to effects while that one's last requests may be on their way;
// one that was nobody's does.
func TestRivals(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var r rivals
	r.gone("dc1", now)
	if _, waits := r.wait("dc1", now); waits {
		t.Error("it waits for nobody")
	}
	r.saw("dc1")
	r.gone("dc1", now)
	if until, waits := r.wait("dc1", now); !waits || !until.Equal(now.Add(requestsLast)) {
		t.Errorf("waits %v until %v", waits, until)
	}
	if _, waits := r.wait("dc2", now); waits {
		t.Error("it waits for the other site's rival")
	}
	if _, waits := r.wait("dc1", now.Add(requestsLast)); waits {
		t.Error("it waits for ever")
	}
	if _, waits := r.wait("dc1", now.Add(-time.Hour)); waits {
		t.Error("a clock that was set back makes it wait for an hour")
	}
	r.gone("dc1", now.Add(time.Hour)) // renewed after a pause of its own
	if _, waits := r.wait("dc1", now.Add(time.Hour)); waits {
		t.Error("a rival is waited for twice")
	}
}
