package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// claimWait bounds the wait for a name: somebody who asks whether its owner is dead holds it for an instant.
const claimWait = 250 * time.Millisecond

// owners proves who lives. An owner of a lease holds a flock on a file of his own; the kernel drops it with his process,
// however that ended, so whoever can take it knows that the owner is gone.
type owners struct {
	dir   string
	local bool
	mu    sync.Mutex
	held  map[string]*flock.Flock // by owner
}

func newOwners(dir string) *owners {
	return &owners{dir: dir, local: isLocal(dir), held: map[string]*flock.Flock{}}
}

func (o *owners) path(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return filepath.Join(o.dir, "owner-"+hex.EncodeToString(sum[:12])+".lock")
}

func fileLock(path string) *flock.Flock { return flock.New(path, flock.SetPermissions(0o600)) }

// lockDir keeps other processes (and other Stores) from migrating, claiming and tidying until unlock is called.
func (o *owners) lockDir(ctx context.Context) (unlock func(), err error) {
	f := fileLock(filepath.Join(o.dir, lockFile))
	if _, err := f.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

// claim makes owner's name ours for as long as the process lives or until close. It is false when another process has it.
func (o *owners) claim(ctx context.Context, owner string) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held[owner] != nil {
		return true, nil
	}
	unlock, err := o.lockDir(ctx) // tidy must not remove the file between its making and its locking
	if err != nil {
		return false, err
	}
	defer unlock()
	f := fileLock(o.path(owner))
	short, cancel := context.WithTimeout(ctx, claimWait)
	defer cancel()
	ok, err := f.TryLockContext(short, 10*time.Millisecond)
	switch {
	case ok:
		o.held[owner] = f
		return true, nil
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return false, nil
	default:
		return false, fmt.Errorf("claim the name %s: %w", owner, err)
	}
}

// isDead reports whether owner's process is surely gone; the name stays taken until done is called. A new process may use
// the name right after that, but it holds nothing before its own Acquire, whose transaction comes after the asker's.
// Whoever has no file here (a restored copy of the folder) is not proved dead.
func (o *owners) isDead(owner string) (dead bool, done func()) {
	alive := func() (bool, func()) { return false, func() {} }
	o.mu.Lock()
	own := o.held[owner] != nil
	o.mu.Unlock()
	if own || !o.local {
		return alive()
	}
	path := o.path(owner)
	if _, err := os.Stat(path); err != nil {
		return alive()
	}
	f := fileLock(path)
	if ok, err := f.TryLock(); !ok || err != nil {
		_ = f.Close()
		return alive()
	}
	return true, func() { _ = f.Close() }
}

// tidy removes the files of dead owners, except of those who are named in a lease: their death may still have to be proved.
func (o *owners) tidy(ctx context.Context, named []string) error {
	unlock, err := o.lockDir(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	keep := map[string]bool{}
	for _, owner := range named {
		keep[o.path(owner)] = true
	}
	files, err := os.ReadDir(o.dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		path := filepath.Join(o.dir, file.Name())
		if ok, _ := filepath.Match("owner-*.lock", file.Name()); !ok || keep[path] {
			continue
		}
		f := fileLock(path)
		if ok, err := f.TryLock(); ok && err == nil {
			err = os.Remove(path)
			if err != nil {
				return errors.Join(err, f.Close())
			}
		}
		_ = f.Close()
	}
	return nil
}

func (o *owners) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for owner, f := range o.held {
		errs = append(errs, f.Close())
		delete(o.held, owner)
	}
	return errors.Join(errs...)
}
