//go:build linux || darwin || freebsd

package sqlite

import "syscall"

// freeBytes is what an ordinary user may still write on dir's file system.
func freeBytes(dir string) (uint64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return st.Bavail * uint64(st.Bsize), true
}
