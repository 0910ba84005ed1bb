package sqlite

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// tinyDisk mounts a file system of a few bytes and returns its folder.
func tinyDisk(t *testing.T, size int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		needs(t, "mounting a tiny disk needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		needs(t, "mounting a tiny disk is not allowed here: "+err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}
