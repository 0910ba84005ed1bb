package daemon

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much rubbish may lie beside what a daemon knows before it is swept up. What it knows of a fleet stays, and what it
// reads in a beat goes: less than half of Go's default keeps 20,000 workers near 200 MiB; BenchmarkCycle shows what it costs.
const gcPercent = 40

// thrifty keeps the process small, unless whoever started it has said otherwise. It concerns the whole process, which is the daemon's.
func thrifty() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
