package observe

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// How much of a log is read: an old line explains nothing.
const (
	logLines = 300
	logSpan  = 30 * time.Minute
)

// readLog looks for signs in the newest lines of a node's container: of a running one those of this run, of a stopped one
// those before its end.
func readLog(ctx context.Context, c clock.Clock, src LogSource, box fleet.ContainerStatus, prev *fleet.LogStatus) *fleet.LogStatus {
	ctx, cancel := context.WithTimeout(ctx, hostTimeout)
	defer cancel()
	var s fleet.LogStatus
	if prev != nil {
		s = *prev
	}
	var since time.Time
	if box.State == "running" {
		if since = c.Now().Add(-logSpan); box.Started.After(since) && box.Started.Before(c.Now()) {
			since = box.Started
		}
	}
	logs, err := src.Logs(ctx, box.Name, since, logLines)
	at := c.Now()
	if err != nil {
		s.Probe = s.Silent(at, fleet.ReasonOf(err))
		return &s
	}
	return &fleet.LogStatus{Probe: s.Answered(at), Signs: signsIn(string(logs.Text))}
}

// signs are what lines of a Substrate node, of its database and of its container's start script mean (operations: issues
// substrate#5633, polkadot#7004, phala-blockchain#782 and #1070, the start script of khala-docker).
var signs = []struct {
	sign  string
	words []string // in lower case; any of them
}{
	{fleet.SignNoSpace, []string{"no space left on device", "os error 28", "storagefull", "not enough space"}},
	{fleet.SignCorrupt, []string{"corruption:", "checksum mismatch", "database corruption", "is corrupted", "corrupted database"}},
	{fleet.SignJustification, []string{"invalid commit in grandpa justification", "bad justification for header"}},
	{fleet.SignClock, []string{"too far in the future", "toofarinfuture"}},
	{fleet.SignRole, []string{"you must set node_role"}},
	{fleet.SignCrash, []string{"essential task", "panicked at", "segmentation fault"}},
	{fleet.SignPort, []string{"address already in use", "os error 98"}},
	{fleet.SignFiles, []string{"too many open files", "os error 24"}},
	{fleet.SignMemory, []string{"memory allocation of", "cannot allocate memory", "os error 12)", "out of memory"}},
}

// colours are what nodes write around their words when they believe to speak to a terminal.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func signsIn(text string) []fleet.LogSign {
	var out []fleet.LogSign
	for _, s := range signs {
		if line := newest(text, s.words); line != "" {
			out = append(out, fleet.LogSign{Sign: s.sign, Line: line})
		}
	}
	slices.SortFunc(out, func(a, b fleet.LogSign) int { return strings.Compare(a.Sign, b.Sign) })
	return out
}

// newest is the last line with one of the words, made fit for a message.
func newest(text string, words []string) string {
	found := ""
	for line := range strings.Lines(text) {
		low := strings.ToLower(line)
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(low, w) }) {
			found = line
		}
	}
	return host.LastLine([]byte(colours.ReplaceAllString(found, "")))
}
