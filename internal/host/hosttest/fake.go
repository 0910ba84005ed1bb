package hosttest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Call is one run of a Program.
type Call struct {
	host.Command
	Stdout, Stderr io.Writer
}

// Program is what a Fake runs under a name; it returns the exit code. It must return when ctx is done.
type Program func(ctx context.Context, c Call) int

// Fake is a machine in memory, for tests of what uses a host: files, folders that are made with MkdirAll, and programs
// that the test provides. It passes the conformance suite as far as no real processes and links are needed.
type Fake struct {
	name   string
	clock  clock.Clock
	engine host.Engine

	mu       sync.Mutex
	silent   bool
	files    map[string]fakeFile
	folders  map[string]bool
	programs map[string]Program
	ran      []host.Command
}

type fakeFile struct {
	data     []byte
	mode     fs.FileMode
	modified time.Time
}

var _ host.Host = (*Fake)(nil)

// NewFake makes a Fake with no programs and no files. engine may be nil.
func NewFake(name string, c clock.Clock, engine host.Engine) *Fake {
	return &Fake{name: name, clock: c, engine: engine, files: map[string]fakeFile{}, folders: map[string]bool{"/": true}, programs: map[string]Program{}}
}

// Name is the host's name.
func (f *Fake) Name() string { return f.name }

// Containers is the engine that NewFake was given.
func (f *Fake) Containers() host.Engine { return f.engine }

// Provide puts a program under a name.
func (f *Fake) Provide(name string, p Program) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.programs[name] = p
}

// MkdirAll makes a folder and those above it.
func (f *Fake) MkdirAll(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; dir != "/"; dir = path.Dir(dir) {
		f.folders[dir] = true
	}
}

// Silence makes the machine stop answering, or answer again.
func (f *Fake) Silence(silent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silent = silent
}

// Ran are the commands that were begun, in order.
func (f *Fake) Ran() []host.Command {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.ran)
}

// answers says whether the machine answers a request.
func (f *Fake) answers(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fleet.FailWith(fleet.Unavailable, fleet.Because("host.not_reached", "host", f.name, "address", f.name), err)
	}
	if f.silent {
		return fleet.FailWith(fleet.Unavailable, fleet.Because("host.silent", "host", f.name, "address", f.name, "err", host.ErrSilent), host.ErrSilent)
	}
	return nil
}

// Run runs a program.
func (f *Fake) Run(ctx context.Context, c host.Command) (host.Result, error) {
	r := host.Result{ExitCode: -1}
	if err := c.Check(f.name); err != nil {
		return r, err
	}
	f.mu.Lock()
	if err := f.answers(ctx); err != nil {
		f.mu.Unlock()
		return r, err
	}
	if c.Dir != "" && !f.folders[c.Dir] {
		f.mu.Unlock()
		return r, host.NotStarted(f.name, c, "no such folder")
	}
	f.ran = append(f.ran, c)
	program, folder := f.programs[c.Argv[0]], f.folders[c.Argv[0]]
	f.mu.Unlock()
	stdout, stderr := host.NewOutput(c.MaxOutput), host.NewOutput(c.MaxOutput)
	switch {
	case program != nil:
		r.ExitCode = program(ctx, Call{c, stdout, stderr})
	case folder:
		r.ExitCode = 126
	default:
		r.ExitCode = 127
		fmt.Fprintf(stderr, "%s: not found\n", c.Argv[0])
	}
	var cut [2]bool
	r.Stdout, cut[0] = stdout.Bytes()
	r.Stderr, cut[1] = stderr.Bytes()
	r.Truncated = cut[0] || cut[1]
	if ctx.Err() != nil {
		r.ExitCode = -1
		return r, host.GaveUp(f.name, c, ctx.Err())
	}
	return r, host.Exited(f.name, c, r)
}

// find is the file at a path; the caller holds the lock.
func (f *Fake) find(ctx context.Context, file string) (fakeFile, error) {
	if err := host.CheckPath(f.name, file); err != nil {
		return fakeFile{}, err
	}
	if err := f.answers(ctx); err != nil {
		return fakeFile{}, err
	}
	if f.folders[file] {
		return fakeFile{mode: fs.ModeDir | 0o755}, nil
	}
	found, ok := f.files[file]
	if !ok {
		return fakeFile{}, host.NoFile(f.name, file, fs.ErrNotExist)
	}
	return found, nil
}

// ReadFile reads a file.
func (f *Fake) ReadFile(ctx context.Context, file string, o host.FileOptions) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.find(ctx, file)
	limit := cmp.Or(o.Max, host.DefaultMax)
	switch {
	case err != nil:
		return nil, err
	case found.mode.IsDir():
		return nil, host.NotRegular(f.name, file)
	case len(found.data) > limit:
		return nil, host.TooLong(f.name, file, limit)
	}
	return bytes.Clone(found.data), nil
}

// WriteFile replaces a file.
func (f *Fake) WriteFile(ctx context.Context, file string, data []byte, o host.FileOptions) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.find(ctx, file)
	switch {
	case found.mode.IsDir():
		return host.NotRegular(f.name, file)
	case err != nil && fleet.KindOf(err) != fleet.NotFound, err != nil && !f.folders[path.Dir(file)]:
		return err
	}
	mode := cmp.Or(o.Mode.Perm(), found.mode, 0o600)
	f.files[file] = fakeFile{data: bytes.Clone(data), mode: mode, modified: f.clock.Now().Truncate(time.Second)}
	return nil
}

// Stat describes a file or folder; everything belongs to root.
func (f *Fake) Stat(ctx context.Context, file string, _ host.FileOptions) (host.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, err := f.find(ctx, file)
	if err != nil {
		return host.FileInfo{}, err
	}
	return host.FileInfo{Size: int64(len(found.data)), Mode: found.mode, Modified: found.modified}, nil
}
