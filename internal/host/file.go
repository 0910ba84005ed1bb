package host

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Remote keeps files with commands: wherever there is no way to a file but a shell, which is any machine behind SSH (its SFTP
// knows no sudo) and a file of root's for a phalops that is not. It needs sh and coreutils.
type Remote struct {
	Name string // the host's
	Run  func(ctx context.Context, c Command) (Result, error)
}

// maxWrite bounds what WriteFile takes, so that no mistake fills a disk.
const maxWrite = 64 << 20

// Scripts take their arguments as positional parameters. stat -L tells a missing file from a forbidden one, by its message.
const (
	statScript = `stat -L -c '%f %s %u %g %Y' -- "$1"`
	readScript = `stat -L -c '%f %s %u %g %Y' -- "$1" && [ -f "$1" ] && exec head -c "$2" -- "$1"`
	// $1 path, $2 mode or "", $3 size. The x keeps a newline at a name's end. The size is what tells a whole file from one
	// whose connection broke.
	writeScript = `set -eu; umask 077
p=$(readlink -fv -- "$1" && echo x); p=${p%?x}
[ ! -e "$p" ] || [ -f "$p" ] || { echo '` + notRegular + `' >&2; exit 1; }
t=$(mktemp -- "${p%/*}/.phalops.XXXXXXXXXX" && echo x); t=${t%?x}
trap 'rm -f -- "$t"' EXIT; trap 'exit 1' HUP INT TERM
cat >"$t"
[ "$(wc -c <"$t")" -eq "$3" ] || { echo 'the content arrived incomplete' >&2; exit 1; }
if [ -e "$p" ]; then
	chown --reference="$p" -- "$t"
	[ -n "$2" ] || chmod --reference="$p" -- "$t"
fi
[ -z "$2" ] || chmod "$2" -- "$t"
sync -- "$t"
mv -fT -- "$t" "$p"
trap - EXIT
sync -- "${p%/*}/"`
)

// Stat is Host's.
func (r Remote) Stat(ctx context.Context, file string, o FileOptions) (FileInfo, error) {
	out, err := r.script(ctx, file, o, Command{Argv: []string{statScript, file}})
	if err != nil {
		return FileInfo{}, err
	}
	info, _, err := parseStat(out.Stdout)
	if err != nil {
		return FileInfo{}, FileFailed(r.Name, file, err)
	}
	return info, nil
}

// ReadFile is Host's.
func (r Remote) ReadFile(ctx context.Context, file string, o FileOptions) ([]byte, error) {
	limit := cmp.Or(o.Max, DefaultMax)
	out, err := r.script(ctx, file, o, Command{Argv: []string{readScript, file, strconv.Itoa(limit + 1)}, MaxOutput: limit + 1024})
	info, data, parsed := parseStat(out.Stdout)
	switch {
	case parsed == nil && !info.Mode.IsRegular():
		return nil, NotRegular(r.Name, file)
	case err != nil:
		return nil, err
	case parsed != nil:
		return nil, FileFailed(r.Name, file, parsed)
	case len(data) > limit:
		return nil, TooLong(r.Name, file, limit)
	}
	return data, nil
}

// WriteFile is Host's.
func (r Remote) WriteFile(ctx context.Context, file string, data []byte, o FileOptions) error {
	if len(data) > maxWrite {
		return TooLong(r.Name, file, maxWrite)
	}
	mode := ""
	if o.Mode != 0 {
		mode = strconv.FormatUint(uint64(o.Mode.Perm()), 8)
	}
	_, err := r.script(ctx, file, o, Command{Argv: []string{writeScript, file, mode, strconv.Itoa(len(data))}, Stdin: data})
	return err
}

// script runs a script with its parameters, c.Argv, for a file.
func (r Remote) script(ctx context.Context, file string, o FileOptions, c Command) (Result, error) {
	if err := CheckPath(r.Name, file); err != nil {
		return Result{}, err
	}
	c.Argv = append([]string{"sh", "-c", c.Argv[0], "sh"}, c.Argv[1:]...)
	c.Become = o.Become
	c.Env = []string{"LC_ALL=C"} // messages that we can read
	out, err := r.Run(ctx, c)
	if exit, ok := errors.AsType[*ExitError](err); ok {
		if exit.Stderr == notRegular {
			return out, NotRegular(r.Name, file)
		}
		for _, missing := range []string{"No such file or directory", "Not a directory"} {
			if strings.Contains(string(out.Stderr), missing) {
				return out, NoFile(r.Name, file, err)
			}
		}
		return out, FileFailed(r.Name, file, errors.New(cmp.Or(exit.Stderr, exit.Error())))
	}
	return out, err
}

// notRegular is how writeScript says it.
const notRegular = "not a regular file"

// parseStat reads the line that the scripts begin with.
func parseStat(out []byte) (info FileInfo, rest []byte, err error) {
	line, rest, _ := bytes.Cut(out, []byte("\n"))
	var mode uint32
	var modified int64
	if _, err := fmt.Sscanf(string(line), "%x %d %d %d %d", &mode, &info.Size, &info.UID, &info.GID, &modified); err != nil {
		return FileInfo{}, nil, fmt.Errorf("not the output of stat: %.80q", line)
	}
	info.Mode = fs.FileMode(mode & 0o777)
	switch mode & 0o170000 { // S_IFMT
	case 0o040000:
		info.Mode |= fs.ModeDir
	case 0o100000:
	default:
		info.Mode |= fs.ModeIrregular
	}
	info.Modified = time.Unix(modified, 0).UTC()
	return info, rest, nil
}

// CheckPath refuses paths that are not absolute and clean, or that no file can have.
func CheckPath(name, file string) error {
	if !path.IsAbs(file) || path.Clean(file) != file || file == "/" || strings.ContainsRune(file, 0) {
		return fleet.Fail(fleet.Invalid, fleet.Because("host.bad_path", "host", name, "path", strconv.Quote(file)))
	}
	return nil
}

// NoFile is the error for a file that is not there.
func NoFile(name, file string, err error) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("host.no_file", "host", name, "path", file), errors.Join(ErrNoFile, err))
}

// NotRegular is the error for content that is asked of something that is no file.
func NotRegular(name, file string) error {
	return fleet.Fail(fleet.Failed, fleet.Because("host.not_a_file", "host", name, "path", file))
}

// TooLong is the error for content that is longer than allowed.
func TooLong(name, file string, limit int) error {
	return fleet.Fail(fleet.Failed, fleet.Because("host.file_too_long", "host", name, "path", file, "limit", limit))
}

// FileFailed is the error for all else.
func FileFailed(name, file string, err error) error {
	return fleet.FailWith(fleet.Failed, fleet.Because("host.file_failed", "host", name, "path", file, "err", err), err)
}
