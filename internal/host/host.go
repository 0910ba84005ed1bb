// Package host is where commands run, files go and containers live: the machine itself, a machine behind SSH, a container
// engine. One conformance suite (hosttest) holds for every implementation.
package host

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"phalops/internal/fleet"
)

// What callers decide on.
var (
	// ErrNoContainer is returned for a container that the engine does not have.
	ErrNoContainer = errors.New("no such container")
	// ErrNoFile is returned for a file that is not there.
	ErrNoFile = errors.New("no such file")
	// ErrSilent is returned when the machine itself did not answer, or no longer: nothing was learnt about what runs on it,
	// and a command that was under way may have had its effect.
	ErrSilent = errors.New("the host does not answer")
)

// Filter chooses containers. All given fields must match exactly; the zero Filter chooses all.
type Filter struct {
	Project string // label com.docker.compose.project
	Service string // label com.docker.compose.service
	Name    string // container name without the leading slash
}

// Containers is a container engine. All calls are bounded by ctx.
type Containers interface {
	// List lists containers, also stopped ones, in the order of their names.
	List(ctx context.Context, f Filter) ([]fleet.ContainerStatus, error)
	// Inspect reads one container by name or id; ErrNoContainer when there is none.
	Inspect(ctx context.Context, name string) (fleet.ContainerStatus, error)
	// Start starts a stopped container; one that runs already is no error.
	Start(ctx context.Context, name string) error
	// Stop asks with SIGTERM, waits up to grace, then kills; it returns when the process is gone. One that is stopped
	// already is no error. A restart policy does not bring it back. ctx must last longer than grace.
	Stop(ctx context.Context, name string, grace time.Duration) error
	// Restart is Stop and Start in one request.
	Restart(ctx context.Context, name string, grace time.Duration) error
}

// Logs is what a container's processes have written, both streams in the order in which the engine has them.
type Logs struct {
	Text      []byte
	Truncated bool // the beginning was cut away, see MaxLogs
}

// MaxLogs is how much of a log is kept, in bytes: the end of it.
const MaxLogs = 1 << 20

// Engine is a container engine of which the logs can be read as well.
type Engine interface {
	Containers
	// Logs reads the newest lines, at most tail of them (≤ 0: 100) and none before since (zero: any age).
	Logs(ctx context.Context, name string, since time.Time, tail int) (Logs, error)
}

// Host is one machine. Its methods are safe for concurrent use and bounded by ctx; errors are *fleet.Error.
type Host interface {
	// Name is the host's name in the configuration; "local" is the machine that phalops runs on.
	Name() string
	// Containers is the machine's container engine.
	Containers() Engine
	// Run runs one command to its end. A command that ran and did not end with 0 is an *ExitError, with the Result filled;
	// ErrSilent says that the machine did not answer. When ctx ends, the command and its children are killed, which may
	// take Run a few seconds longer.
	Run(ctx context.Context, c Command) (Result, error)
	// ReadFile reads a regular file, through links. ErrNoFile when it is not there; longer than o.Max is an error.
	ReadFile(ctx context.Context, path string, o FileOptions) ([]byte, error)
	// WriteFile replaces a file's content, or makes the file: at any moment, also after a crash or when the connection
	// breaks, there is the whole old or the whole new content. An existing file keeps its owner, and its mode unless
	// o.Mode says another; a link stays and what it points at is replaced. The folder must exist.
	WriteFile(ctx context.Context, path string, data []byte, o FileOptions) error
	// Stat describes what is at path, through links. ErrNoFile when there is nothing. o.Mode and o.Max play no part.
	Stat(ctx context.Context, path string, o FileOptions) (FileInfo, error)
}

// DefaultMax is how long a file or one stream of a command's output may be when nothing is said, in bytes.
const DefaultMax = 1 << 20

// FileOptions says how a file is reached. Paths are absolute.
type FileOptions struct {
	Become bool        // as root, see Command.Become
	Max    int         // ReadFile: longest content; default DefaultMax
	Mode   fs.FileMode // WriteFile: permission bits; 0 keeps the mode of an existing file and makes a new one 0600
}

// FileInfo describes a file.
type FileInfo struct {
	Size     int64
	Mode     fs.FileMode // permission bits, with fs.ModeDir for a folder and fs.ModeIrregular for all else that is no file
	UID, GID int
	Modified time.Time // whole seconds
}
