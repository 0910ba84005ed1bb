//go:build !linux

package sqlite

import "testing"

func tinyDisk(t *testing.T, _ int) string {
	t.Helper()
	t.Skip("a tiny disk is mounted on Linux only")
	return ""
}
