package host

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Root says how commands become root on a machine.
type Root struct {
	Way      string // "" = not at all, "sudo"
	Password []byte // for sudo, through stdin; empty: sudo must not ask
	Already  bool   // the login is root
}

// None reports whether there is no way to become root.
func (r Root) None() bool { return !r.Already && r.Way == "" }

// killAfter is the time from SIGTERM to SIGKILL for a command that is given up.
const killAfter = "2"

// The words that the two sides of a Launch know each other by. Nothing secret: they only must not appear by chance.
const (
	startMark = "phalops-7c1f-started:"
	inputMark = "phalops-7c1f-input"
)

// launcher runs as the user that the command shall have. It skips what sudo left of its input (a password that was not asked
// for must not reach the program), tells its process id and becomes timeout(1), which ends the command and its children when
// it gets SIGTERM or when the limit has passed, even when nobody is left to ask for it. POSIX has read(1) take not a byte
// more than the line.
const launcher = `while IFS= read -r l; do [ "$l" != ` + inputMark + ` ] || break; done
[ -z "$1" ] || cd "$1" || exit 1
printf '%s\n' "` + startMark + `$$"
shift
exec timeout -k ` + killAfter + ` "$@"`

// Launch is how a Command is started where there are an argument list and three pipes only: in a login shell behind SSH, or
// under sudo. The machine needs a POSIX sh, and timeout and env of coreutils or busybox.
type Launch struct {
	Argv   []string
	Stdin  []byte
	Stdout *Output // the command's own output
	start  *starter
}

// NewLaunch makes a Launch. limit is when the machine itself ends the command.
func NewLaunch(c Command, root Root, limit time.Duration) *Launch {
	l := &Launch{Stdout: NewOutput(c.MaxOutput)}
	l.start = &starter{to: l.Stdout}
	argv := []string{"sh", "-c", launcher, "sh", c.Dir, strconv.Itoa(max(1, int((limit+time.Second-1)/time.Second)))}
	if len(c.Env) > 0 {
		argv = append(append(argv, "env"), c.Env...)
	}
	argv = append(argv, c.Argv...)
	var in bytes.Buffer
	if c.Become && !root.Already {
		sudo := []string{"sudo", "-n", "--"}
		if len(root.Password) > 0 {
			sudo = []string{"sudo", "-S", "-p", "", "--"}
			in.Write(root.Password)
			in.WriteByte('\n')
		}
		argv = append(sudo, argv...)
	}
	in.WriteString(inputMark + "\n")
	in.Write(c.Stdin)
	l.Argv, l.Stdin = argv, in.Bytes()
	return l
}

// Writer is where the process's output goes.
func (l *Launch) Writer() io.Writer { return l.start }

// Started is the command's process id, 0 as long as it has not begun.
func (l *Launch) Started() int {
	l.start.mu.Lock()
	defer l.start.mu.Unlock()
	return l.start.pid
}

// Kill is the command that ends a started one with all its children.
func (l *Launch) Kill(c Command) Command {
	return Command{Argv: []string{"kill", "-TERM", strconv.Itoa(l.Started())}, Become: c.Become}
}

// starter passes on what comes after the line with the start mark; what a login prints before it is dropped.
type starter struct {
	mu   sync.Mutex
	line []byte
	pid  int
	to   *Output
}

// Write looks for the mark, then passes everything on.
func (s *starter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(p)
	for s.pid == 0 && len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.line = append(s.line, p[:min(len(p), 4096-min(4096, len(s.line)))]...)
			return n, nil
		}
		line := append(s.line, p[:min(end, 4096)]...)
		if _, pid, ok := bytes.Cut(line, []byte(startMark)); ok { // a login may print an unfinished line before
			s.pid, _ = strconv.Atoi(string(pid))
		}
		s.line, p = nil, p[end+1:]
	}
	_, _ = s.to.Write(p)
	return n, nil
}

// Quote writes argv as one line that a POSIX shell takes apart into exactly these words.
func Quote(argv []string) string {
	words := slices.Clone(argv)
	for i, w := range words {
		words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}
