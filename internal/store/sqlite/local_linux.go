package sqlite

import "syscall"

// isLocal reports whether dir is on a file system of this machine, where a flock says surely whether its holder lives. A
// network file system may forget the lock of a living process. Unknown ones count as not local.
func isLocal(dir string) bool {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return false
	}
	switch uint32(st.Type) { // statfs(2), linux/magic.h
	case 0xef53, // ext2, ext3, ext4
		0x58465342, // xfs
		0x9123683e, // btrfs
		0x2fc12fc1, // zfs
		0xf2f52010, // f2fs
		0xca451a4e, // bcachefs
		0x01021994, // tmpfs
		0x794c7630: // overlay
		return true
	}
	return false
}
