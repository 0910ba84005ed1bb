package fleet

import "time"

// FallWindow is how long a fall of a height counts: falls that lie closer together are a row.
const FallWindow = 30 * time.Minute

// What a node's own host sees of an RPC port.
const (
	HostAnswers = "answers" // there is an answer: what is dead is the way from phalops to it
	HostRefused = "refused" // nobody listens
	HostHangs   = "hangs"   // it takes the connection, or not even that, and says nothing
)

// HostView is an RPC port as seen from the node's own host. The zero HostView was never asked for.
type HostView struct {
	At   time.Time `json:"at"`
	Says string    `json:"says,omitempty"` // HostAnswers, HostRefused, HostHangs; "": the host could not tell
}

// DiskStatus is the file system that holds a node's chain data.
type DiskStatus struct {
	Probe
	Path  string `json:"path"`            // the folder that is configured
	Mount string `json:"mount,omitempty"` // where its file system is mounted
	Free  uint64 `json:"free"`            // bytes that a program without privileges may still write
	Total uint64 `json:"total"`           // bytes
}

// Signs in a node's log: what one of its lines means.
const (
	SignNoSpace       = "no_space"      // the disk is full
	SignCorrupt       = "corrupt"       // the database is damaged
	SignJustification = "justification" // the build is too old for the relay chain's finality proofs
	SignClock         = "clock"         // blocks lie in the future: the host's clock is wrong
	SignRole          = "role"          // the container lacks NODE_ROLE
	SignCrash         = "crash"         // a task that it cannot live without ended, or it panicked
	SignPort          = "port"          // a port that it wants is taken
	SignFiles         = "files"         // too many open files
	SignMemory        = "memory"        // no memory
)

// LogSign is a line of a log that explains something.
type LogSign struct {
	Sign string `json:"sign"`
	Line string `json:"line"` // the newest such line, made fit for a message
}

// LogStatus is what the newest lines of a container say.
type LogStatus struct {
	Probe
	Signs []LogSign `json:"signs,omitempty"` // by Sign, each at most once
}

// Line is the newest line with a sign, "" when there is none.
func (l *LogStatus) Line(sign string) string {
	if l == nil {
		return ""
	}
	for _, s := range l.Signs {
		if s.Sign == sign {
			return s.Line
		}
	}
	return ""
}

// HeadersCacheStatus is a headers cache as its /state tells it. A height that it does not collect is unknown.
type HeadersCacheStatus struct {
	Probe
	Name           string `json:"name"`
	URL            string `json:"url"`
	Header         Height `json:"header"` // relay chain; grows in steps of up to a thousand
	ParaHeader     Height `json:"para_header"`
	StorageChanges Height `json:"storage_changes"` // of the parachain
}
