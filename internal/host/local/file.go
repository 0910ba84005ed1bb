package local

import (
	"cmp"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"phalops/internal/host"
)

// Stat describes a file.
func (h *Host) Stat(ctx context.Context, path string, o host.FileOptions) (host.FileInfo, error) {
	if o.Become && !h.root.Already {
		return h.remote.Stat(ctx, path, o)
	}
	if err := host.CheckPath(h.name, path); err != nil {
		return host.FileInfo{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return host.FileInfo{}, failed(h.name, path, err)
	}
	return describe(info), nil
}

func describe(info fs.FileInfo) host.FileInfo {
	out := host.FileInfo{Size: info.Size(), Mode: info.Mode().Perm(), Modified: info.ModTime().UTC().Truncate(time.Second)}
	switch {
	case info.IsDir():
		out.Mode |= fs.ModeDir
	case !info.Mode().IsRegular():
		out.Mode |= fs.ModeIrregular
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		out.UID, out.GID = int(s.Uid), int(s.Gid)
	}
	return out
}

// ReadFile reads a regular file.
func (h *Host) ReadFile(ctx context.Context, path string, o host.FileOptions) ([]byte, error) {
	if o.Become && !h.root.Already {
		return h.remote.ReadFile(ctx, path, o)
	}
	if err := host.CheckPath(h.name, path); err != nil {
		return nil, err
	}
	limit := cmp.Or(o.Max, host.DefaultMax)
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO must not hold us up
	if err != nil {
		return nil, failed(h.name, path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, failed(h.name, path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, host.NotRegular(h.name, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, failed(h.name, path, err)
	}
	if len(data) > limit {
		return nil, host.TooLong(h.name, path, limit)
	}
	return data, nil
}

// WriteFile replaces a file by way of a temporary one in the same folder.
func (h *Host) WriteFile(ctx context.Context, path string, data []byte, o host.FileOptions) error {
	if o.Become && !h.root.Already {
		return h.remote.WriteFile(ctx, path, data, o)
	}
	if err := host.CheckPath(h.name, path); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return host.FileFailed(h.name, path, err)
	}
	target, err := resolve(path)
	if err != nil {
		return failed(h.name, path, err)
	}
	mode, owner := cmp.Or(o.Mode.Perm(), 0o600), (*syscall.Stat_t)(nil)
	switch old, err := os.Stat(target); {
	case err == nil && !old.Mode().IsRegular():
		return host.NotRegular(h.name, path)
	case err == nil:
		owner, _ = old.Sys().(*syscall.Stat_t)
		mode = cmp.Or(o.Mode.Perm(), old.Mode().Perm())
	case !os.IsNotExist(err):
		return failed(h.name, path, err)
	}
	if err := replace(target, data, mode, owner); err != nil {
		return failed(h.name, path, err)
	}
	return nil
}

// resolve follows links, also one that points at nothing yet.
func resolve(path string) (string, error) {
	for range 40 { // as the kernel does
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, filepath.Base(path))
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil //nolint:nilerr // no link: this is the end of the way
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(dir, link)
		}
		path = link
	}
	return "", syscall.ELOOP
}

func replace(target string, data []byte, mode fs.FileMode, owner *syscall.Stat_t) (err error) {
	dir := filepath.Dir(target)
	f, err := os.CreateTemp(dir, ".phalops.*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if owner != nil {
		if err = f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), target); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name survive a power cut. The content is in place already: an error takes nothing back.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
