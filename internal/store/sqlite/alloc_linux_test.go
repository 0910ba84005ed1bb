package sqlite

import (
	"io/fs"
	"syscall"
)

// allocated is how many bytes of a file are really on the disk.
func allocated(info fs.FileInfo) int64 { return info.Sys().(*syscall.Stat_t).Blocks * 512 }
