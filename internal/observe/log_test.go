package observe

import (
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
)

func TestSignsInALog(t *testing.T) {
	for line, sign := range map[string]string{
		"2022-09-07 08:00:00 [Relaychain] Error: IO error: No space left on deviceWhile appending to file: /root/data/db/full/088714.sst: No space left on device": fleet.SignNoSpace,
		"Error: Service(Client(Backend(\"Io(Os { code: 28, kind: StorageFull, message: \\\"No space left on device\\\" })\")))":                                    fleet.SignNoSpace,
		"Error importing block: Backend(\"Corruption: block checksum mismatch: expected 1, got 2 in db/full/1.sst\")":                                              fleet.SignCorrupt,
		"Error: Input(\"Database is corrupted, replace it\")":                                                                                                      fleet.SignCorrupt,
		"💔 Verification failed for block 0x1 received from peer: 12D3: invalid commit in grandpa justification":                                                    fleet.SignJustification,
		"💔 Error importing block 0x2: block has an invalid header: TooFarInFuture":                                                                                 fleet.SignClock,
		"You must set NODE_ROLE env":                                                                      fleet.SignRole,
		"Essential task `txpool-background` failed. Shutting down service.":                               fleet.SignCrash,
		"Thread 'tokio-runtime-worker' panicked at 'called `Option::unwrap()` on a `None` value', x.rs:1": fleet.SignCrash,
		"Error: Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }":                    fleet.SignPort,
		"accept error: Too many open files (os error 24)":                                                 fleet.SignFiles,
		"memory allocation of 8388608 bytes failed":                                                       fleet.SignMemory,
		"2022-09-07 08:00:00 [Parachain] 💤 Idle (40 peers), best: #3000000 (0x1…2), finalized #2999998":   "",
		"": "",
	} {
		got := signsIn("💤 Idle\n\x1b[32m" + line + "\x1b[0m\r\n💤 Idle\n")
		switch {
		case sign == "" && len(got) == 0:
		case len(got) != 1 || got[0].Sign != sign || strings.ContainsAny(got[0].Line, "\x1b\r\n"):
			t.Errorf("%s: %+v, want %s", line, got, sign)
		}
	}
	two := signsIn("Address already in use (first)\nAddress already in use (second)\nNo space left on device " + strings.Repeat("x", 9000))
	if len(two) != 2 || two[0].Sign != fleet.SignNoSpace || len(two[0].Line) > 300 || !strings.Contains(two[1].Line, "second") {
		t.Errorf("got %+v", two)
	}
}

func FuzzSigns(f *testing.F) {
	f.Add("No space left on device\n\x1b[31mpanicked at\x00")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range signsIn(text) {
			if s.Line == "" || len(s.Line) > 300 || strings.ContainsAny(s.Line, "\n\x1b\x00") {
				t.Errorf("%+v", s)
			}
		}
	})
}

// TestLogOfThisRun: what a running container wrote before it was started explains nothing; of a stopped one the end counts,
// however old.
func TestLogOfThisRun(t *testing.T) {
	hands := clock.NewVirtual(start)
	var since time.Time
	e := engine{text: "panicked at x\n", since: &since}
	readLog(t.Context(), hands, e, fleet.ContainerStatus{State: "running", Started: start.Add(-10 * time.Minute)}, nil)
	if !since.Equal(start.Add(-10 * time.Minute)) {
		t.Errorf("a young one: since %v", since)
	}
	readLog(t.Context(), hands, e, fleet.ContainerStatus{State: "running", Started: start.Add(time.Hour)}, nil)
	if !since.Equal(start.Add(-logSpan)) {
		t.Errorf("a start in the future: since %v", since)
	}
	l := readLog(t.Context(), hands, e, fleet.ContainerStatus{State: "exited", Started: start.Add(-10 * time.Minute)}, nil)
	if !since.IsZero() || l.Line(fleet.SignCrash) == "" {
		t.Errorf("a stopped one: since %v, %+v", since, l)
	}
	e.err = fleet.Fail(fleet.Unavailable, fleet.Because("host.down"))
	if l = readLog(t.Context(), hands, e, fleet.ContainerStatus{State: "exited"}, l); l.Missed != 1 || l.Line(fleet.SignCrash) == "" || l.Cause.Code != "host.down" {
		t.Errorf("a silent engine: %+v", l)
	}
}
