package hosttest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/host"
)

func (m machine) write(path, text string, mode fs.FileMode) {
	m.t.Helper()
	if err := m.Host.WriteFile(m.ctx, path, []byte(text), host.FileOptions{Become: m.Become, Mode: mode}); err != nil {
		m.t.Fatal(err)
	}
}

func (m machine) read(path string) string {
	m.t.Helper()
	b, err := m.Host.ReadFile(m.ctx, path, host.FileOptions{Become: m.Become})
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

func (m machine) stat(path string) host.FileInfo {
	m.t.Helper()
	info, err := m.Host.Stat(m.ctx, path, host.FileOptions{Become: m.Become})
	if err != nil {
		m.t.Fatal(err)
	}
	return info
}

func files(t *testing.T, m machine) {
	file := m.Dir + "/config.yaml"
	for _, text := range []string{"first\n", "", "no newline", "\x00\xff\n\n", strings.Repeat("0123456789abcdef", 40<<10)} {
		m.write(file, text, 0)
		if got := m.read(file); got != text {
			t.Errorf("%d bytes came back as %d", len(text), len(got))
		}
		if info := m.stat(file); info.Size != int64(len(text)) || info.Mode != 0o600 || info.Modified.IsZero() {
			t.Errorf("%+v", info)
		}
	}
	for limit, ok := range map[int]bool{9: false, 10: true, 11: true} {
		m.write(file, "0123456789", 0)
		b, err := m.Host.ReadFile(m.ctx, file, host.FileOptions{Become: m.Become, Max: limit})
		if ok != (err == nil) || !ok && (len(b) > 0 || fleet.ReasonOf(err).Code != "host.file_too_long") {
			t.Errorf("at most %d bytes: %q, %v", limit, b, err)
		}
	}
	if m.Processes {
		if got := m.must("ls", "-A", m.Dir); got != "config.yaml\n" {
			t.Errorf("in the folder: %q", got)
		}
	}
}

func modes(t *testing.T, m machine) {
	file := m.Dir + "/mode"
	for _, c := range []struct{ set, want fs.FileMode }{{0o644, 0o644}, {0, 0o644}, {0o600, 0o600}, {0, 0o600}, {0o755, 0o755}} {
		m.write(file, "x", c.set)
		if got := m.stat(file).Mode; got != c.want {
			t.Errorf("written as %o: %o, want %o", c.set, got, c.want)
		}
	}
	if m.Processes { // only root may give a file away
		_, _ = m.run(host.Command{Argv: []string{"chown", "1234:2345", file}})
	}
	before := m.stat(file)
	m.write(file, "y", 0)
	if after := m.stat(file); after.UID != before.UID || after.GID != before.GID {
		t.Errorf("the owner changed: %+v, %+v", before, after)
	}
}

func missing(t *testing.T, m machine) {
	m.write(m.Dir+"/plain", "", 0)
	for _, path := range []string{m.Dir + "/nothing", m.Dir + "/no/folder", m.Dir + "/plain/x"} {
		_, read := m.Host.ReadFile(m.ctx, path, host.FileOptions{Become: m.Become})
		_, stat := m.Host.Stat(m.ctx, path, host.FileOptions{Become: m.Become})
		for call, err := range map[string]error{"read": read, "stat": stat} {
			if !errors.Is(err, host.ErrNoFile) || fleet.KindOf(err) != fleet.NotFound {
				t.Errorf("%s %s: %v", call, path, err)
			}
		}
	}
	if err := m.Host.WriteFile(m.ctx, m.Dir+"/no/folder", nil, host.FileOptions{Become: m.Become}); !errors.Is(err, host.ErrNoFile) {
		t.Errorf("write into a folder that is not there: %v", err)
	}
	for _, path := range []string{"", "relative", "./x", "/", "//x", "/a/../b", m.Dir + "/", m.Dir + "/a\x00"} {
		_, err := m.Host.ReadFile(m.ctx, path, host.FileOptions{Become: m.Become})
		if fleet.KindOf(err) != fleet.Invalid {
			t.Errorf("read %q: %v", path, err)
		}
		if err := m.Host.WriteFile(m.ctx, path, nil, host.FileOptions{Become: m.Become}); fleet.KindOf(err) != fleet.Invalid {
			t.Errorf("write %q: %v", path, err)
		}
	}
}

func noFile(t *testing.T, m machine) {
	if info := m.stat(m.Dir); info.Mode&fs.ModeDir == 0 || info.Mode.IsRegular() {
		t.Errorf("a folder: %+v", info)
	}
	paths := []string{m.Dir}
	if m.Processes {
		m.must("mkfifo", m.Dir+"/fifo")
		paths = append(paths, m.Dir+"/fifo")
		if info := m.stat(m.Dir + "/fifo"); info.Mode.IsRegular() || info.Mode.IsDir() {
			t.Errorf("a FIFO: %+v", info)
		}
	}
	for _, path := range paths {
		if _, err := m.Host.ReadFile(m.ctx, path, host.FileOptions{Become: m.Become}); fleet.ReasonOf(err).Code != "host.not_a_file" {
			t.Errorf("read %s: %v", path, err)
		}
		if err := m.Host.WriteFile(m.ctx, path, nil, host.FileOptions{Become: m.Become}); fleet.ReasonOf(err).Code != "host.not_a_file" {
			t.Errorf("write %s: %v", path, err)
		}
	}
}

func oddNames(t *testing.T, m machine) {
	for _, name := range []string{"a b", "it's", "$HOME", "-rf", "new\nline", "ends\n", "中文", "\xff", "*", "x"} {
		file := m.Dir + "/" + name
		m.write(file, name, 0)
		if got := m.read(file); got != name {
			t.Errorf("%q: %q", name, got)
		}
		m.must("rm", file)
	}
}

func links(t *testing.T, m machine) {
	m.write(m.Dir+"/real", "old", 0o640)
	m.must("ln", "-s", "real", m.Dir+"/link")
	m.write(m.Dir+"/link", "new", 0)
	if got := m.read(m.Dir + "/real"); got != "new" || m.stat(m.Dir+"/real").Mode != 0o640 {
		t.Errorf("behind the link: %q, %+v", got, m.stat(m.Dir+"/real"))
	}
	if got := m.must("readlink", m.Dir+"/link"); got != "real\n" {
		t.Errorf("the link: %q", got)
	}
	m.must("ln", "-s", "later", m.Dir+"/dangling")
	m.write(m.Dir+"/dangling", "there", 0)
	if got := m.read(m.Dir + "/later"); got != "there" {
		t.Errorf("behind a link to nothing: %q", got)
	}
}

// writers: whoever reads while others write sees one whole content.
func writers(t *testing.T, m machine) {
	file := m.Dir + "/contended"
	contents := []string{strings.Repeat("a", 100<<10), strings.Repeat("b", 50<<10), ""}
	m.write(file, contents[0], 0)
	var wg sync.WaitGroup
	for _, text := range contents {
		wg.Go(func() {
			for range 5 {
				if err := m.Host.WriteFile(m.ctx, file, []byte(text), host.FileOptions{Become: m.Become}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		if got := m.read(file); !slices.Contains(contents, got) {
			t.Errorf("a torn file of %d bytes", len(got))
		}
	}
	wg.Wait()
}
