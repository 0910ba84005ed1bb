package sqlite

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	lib "modernc.org/sqlite/lib"
)

// retryReserve is how long (on the machine's clock) after a failed try the reserve is tried again by itself.
const retryReserve = 30 * time.Second

// reserve is a file that holds space. When the disk is full it is removed, and what must be written can be.
type reserve struct {
	dir, path string
	size      int64
	full      atomic.Bool
	mu        sync.Mutex // over making and removing, and tried
	tried     time.Time
}

func newReserve(dir string, size int64) *reserve {
	return &reserve{dir: dir, path: filepath.Join(dir, reserveFile), size: size}
}

// exhausted reports whether err says that the disk is full. SQLite says FULL for ENOSPC while writing the database and its
// log, but IOERR for its shared memory file and on some file systems.
func (r *reserve) exhausted(err error) bool {
	switch {
	case err == nil:
		return false
	case primary(err) == lib.SQLITE_FULL, errors.Is(err, syscall.ENOSPC):
		return true
	}
	switch extended(err) {
	case lib.SQLITE_IOERR_WRITE, lib.SQLITE_IOERR_SHMSIZE, lib.SQLITE_IOERR_SHMMAP, lib.SQLITE_IOERR_FSYNC:
		free, known := freeBytes(r.dir)
		return known && free < 1<<20
	}
	return false
}

// there reports whether the file is there in full. Another process may have removed it.
func (r *reserve) there() bool {
	info, err := os.Stat(r.path)
	return err == nil && info.Size() >= r.size
}

// open makes the reserve at start, when there is room for it.
func (r *reserve) open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.there() {
		r.make(r.size + 1<<20)
		return
	}
	r.full.Store(false)
}

// release gives the space back to the disk.
func (r *reserve) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full.Store(true)
	r.tried = time.Now()
	_ = os.Remove(r.path) // gone already: somebody else was first
}

// ready reports whether the reserve is there. It tries to make it again: at once when somebody else removed it (another
// process, which met the full disk first, or a person), and now and then when the disk was full.
func (r *reserve) ready() bool {
	if !r.full.Load() && r.there() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.full.Load() || time.Since(r.tried) >= retryReserve {
		r.again()
	}
	return !r.full.Load()
}

// refill tries at once to make the reserve again.
func (r *reserve) refill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again()
}

// again asks for twice the space, so that the store does not swing between full and not full.
func (r *reserve) again() {
	if r.there() {
		r.full.Store(false)
		return
	}
	r.make(2 * r.size)
}

// make writes the file if that much is free, and notes the outcome.
func (r *reserve) make(want int64) {
	r.tried = time.Now()
	if free, known := freeBytes(r.dir); known && free < uint64(want) {
		r.full.Store(true)
		return
	}
	err := fill(r.path, r.size)
	if err != nil {
		_ = os.Remove(r.path)
	}
	r.full.Store(err != nil)
}

// fill writes size bytes that no file system can store in less.
func fill(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for left := size; left > 0 && err == nil; left -= int64(len(block)) {
		_, _ = rand.Read(block)
		_, err = f.Write(block[:min(left, int64(len(block)))])
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	return nil
}
