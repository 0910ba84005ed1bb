package host

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"phalops/internal/fleet"
)

// Command is one program with its arguments. No shell reads them: every byte arrives as it is here.
type Command struct {
	// Argv is the program, a name that is looked up in PATH or an absolute path, and its arguments. Everybody on the machine
	// can read them, and Env: secrets go through Stdin.
	Argv  []string
	Stdin []byte
	Dir   string   // absolute; default is where the login begins
	Env   []string // "K=V", in addition to what a login has
	// Become runs the command as root, in the way that is configured for the host (sudo). A login that is root already needs
	// no way; where there is none the command is refused.
	Become bool
	// MaxOutput bounds Stdout and Stderr each, in bytes; default DefaultMax. The rest is read and thrown away.
	MaxOutput int
}

// Result is what a command left.
type Result struct {
	Stdout, Stderr []byte
	ExitCode       int  // 128 + signal when a signal ended it; -1 when the end is not known
	Truncated      bool // there was more output
}

// Limit is the longest that a command may take when ctx allows more.
const Limit = time.Hour

// ExitError says that a command ran and reported failure. It is wrapped in a *fleet.Error.
type ExitError struct {
	Program string
	Code    int // 126 cannot be executed, 127 not found, 128 + signal
	Stderr  string
}

// Error names the program, the code and what the program said last.
func (e *ExitError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("%s: exit code %d: %s", e.Program, e.Code, e.Stderr), ": ")
}

// Exited is the error for a command that ended: nil when its exit code is 0.
func Exited(name string, c Command, r Result) error {
	if r.ExitCode == 0 {
		return nil
	}
	e := &ExitError{Program: c.Argv[0], Code: r.ExitCode, Stderr: LastLine(r.Stderr)}
	return fleet.FailWith(fleet.Failed,
		fleet.Because("host.command_failed", "host", name, "program", e.Program, "code", e.Code, "err", cmp.Or(e.Stderr, "–")), e)
}

// NotStarted is the error for a command that the machine could not begin; why is what it said about it.
func NotStarted(name string, c Command, why string) error {
	return fleet.Fail(fleet.Failed, fleet.Because("host.not_started", "host", name, "program", c.Argv[0], "err", cmp.Or(why, "–")))
}

// GaveUp is the error for a command whose ctx ended first.
func GaveUp(name string, c Command, err error) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("host.gave_up", "host", name, "program", c.Argv[0]), err)
}

// NoRoot is the error for a command that wants to become root where no way is configured.
func NoRoot(name string, c Command) error {
	return fleet.Fail(fleet.Refused, fleet.Because("host.no_root", "host", name, "program", c.Argv[0]))
}

// Check says what no machine could run.
func (c Command) Check(name string) error {
	wrong := ""
	switch {
	case len(c.Argv) == 0 || c.Argv[0] == "" || strings.Contains(c.Argv[0], "="):
		wrong = "argv"
	case c.Dir != "" && !strings.HasPrefix(c.Dir, "/"):
		wrong = "dir"
	case strings.ContainsRune(c.Dir+strings.Join(c.Argv, "")+strings.Join(c.Env, ""), 0):
		wrong = "nul"
	case slices.ContainsFunc(c.Env, func(kv string) bool { return strings.Index(kv, "=") < 1 }):
		wrong = "env"
	}
	if wrong != "" {
		return fleet.Fail(fleet.Invalid, fleet.Because("host.bad_command", "host", name, "program", fmt.Sprintf("%q", c.Argv), "what", wrong))
	}
	return nil
}

// LastLine is the last line of text with content, made fit for a message: without control characters, 300 bytes at most.
func LastLine(text []byte) string {
	text = bytes.TrimSpace(text)
	if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	if len(text) > 300 {
		text = text[:300]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, string(text))
}

// Output keeps the beginning of what is written to it. It is safe for concurrent use, and never fails a writer.
type Output struct {
	mu   sync.Mutex
	buf  []byte
	max  int
	more bool
}

// NewOutput makes an Output of max bytes; max ≤ 0 is DefaultMax.
func NewOutput(limit int) *Output {
	if limit <= 0 {
		limit = DefaultMax
	}
	return &Output{max: limit}
}

// Write keeps what there is room for.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	keep := min(len(p), o.max-len(o.buf))
	o.buf = append(o.buf, p[:keep]...)
	o.more = o.more || keep < len(p)
	return len(p), nil
}

// Bytes is what was kept so far, and whether there was more.
func (o *Output) Bytes() (kept []byte, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.buf), o.more
}
