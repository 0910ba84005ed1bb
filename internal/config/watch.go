package config

import (
	"context"
	"crypto/sha256"
	"time"

	"phalops/internal/clock"
)

// watchEvery is how often the file is read.
const watchEvery = 2 * time.Second

// Update is what a Watcher saw. With Err or Problems the configuration that runs goes on; else Config takes its place.
type Update struct {
	Config   Config
	Problems Problems
	Err      error // the file could not be read at all
}

// OK reports whether Config may be used.
func (u Update) OK() bool { return u.Err == nil && len(u.Problems) == 0 }

// Watcher follows one configuration file. It reads the whole file each time: a file of this size costs nothing, and times
// of files do not show two changes within one tick.
type Watcher struct {
	path   string
	clock  clock.Clock
	reload <-chan struct{}
	told   version // what the caller knows of the file
}

// version is one state of the file: its content, or why there is none.
type version struct {
	sum     [sha256.Size]byte
	failure string
}

// NewWatcher makes a Watcher of the file at path. A value on reload (SIGHUP) has the file read again, changed or not, when
// Run looks next; reload may be nil.
func NewWatcher(path string, clk clock.Clock, reload <-chan struct{}) *Watcher {
	return &Watcher{path: path, clock: clk, reload: reload}
}

// Load reads the file as the package's Load does, and remembers what it saw, so that Run reports only what comes after.
func (w *Watcher) Load() (Config, Problems, error) {
	data, now, err := w.read()
	w.told = now
	u := update(data, err)
	return u.Config, u.Problems, u.Err
}

// Run blocks until ctx is done, and returns its error. It calls changed, in its own goroutine, once for each new state of
// the file, good or broken, and also when a broken file is what it was before again. A change counts when two looks in a
// row, two seconds apart, see the same: the half of a file that an editor is still writing may look like a small fleet.
func (w *Watcher) Run(ctx context.Context, changed func(Update)) error {
	var before version
	for {
		if err := w.clock.Sleep(ctx, watchEvery); err != nil {
			return err
		}
		data, now, err := w.read()
		switch {
		case w.asked(), now != w.told && now == before:
			w.told = now
			changed(update(data, err))
		}
		before = now
	}
}

func (w *Watcher) asked() bool {
	select {
	case _, open := <-w.reload:
		return open
	default:
		return false
	}
}

func (w *Watcher) read() ([]byte, version, error) {
	data, err := readFile(w.path)
	if err != nil {
		return nil, version{failure: err.Error()}, err
	}
	return data, version{sum: sha256.Sum256(data)}, nil
}

func update(data []byte, err error) Update {
	if err != nil {
		return Update{Err: err}
	}
	c, problems := Parse(data)
	return Update{Config: c, Problems: problems}
}
