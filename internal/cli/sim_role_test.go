package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"phalops/internal/i18n"
)

// TestRoleRefuses: what a container's log says when its process cannot be a part of a simulated world, and its exit code.
func TestRoleRefuses(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "none.sock")
	for _, c := range []struct {
		name   string
		env    map[string]string
		args   []string
		code   int
		zh, en string
	}{
		{"nothing", nil, nil, exitUsage, "少了一个参数", "argument is missing"},
		{"no such role", nil, []string{"toaster"}, exitUsage, "没有 toaster 这种角色", "there is no role toaster"},
		{"no socket", map[string]string{"NODE_ROLE": "MINER"}, []string{"--socket", socket, "node"}, exitFailed,
			"连不上模拟世界的套接字 " + socket, "cannot reach the simulated world's socket " + socket},
		{"the socket of the environment", map[string]string{"PHALOPS_SIM_SOCKET": socket}, []string{"redis-q"}, exitFailed, socket, socket},
		{"the image's own words", nil, []string{"node"}, 1, "You must set NODE_ROLE env", "You must set NODE_ROLE env"},
		{"the image's own exit code", map[string]string{"DATA_SOURCE_CONFIG_PATH": socket}, []string{"wm"}, 101, socket, socket},
		{"the image's own options", nil, []string{"pherry", "--nope"}, 2, "--nope", "--nope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for lang, says := range map[i18n.Lang]string{i18n.ZH: c.zh, i18n.EN: c.en} {
				r := shell{lang: lang, env: c.env}.run(t, append([]string{"sim", "role"}, c.args...)...)
				if r.code != c.code || !strings.Contains(r.err, says) || r.out != "" {
					t.Errorf("%s: exit %d, want %d with %q:\n%s%s", lang, r.code, c.code, says, r.out, r.err)
				}
			}
		})
	}
}

// TestServeAndRole: a role joins what `sim serve --socket` serves, and ends as its part does.
func TestServeAndRole(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "role") // shorter than t.TempDir, for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "sim.sock")
	ctx, cancel := context.WithCancel(t.Context())
	ready, served := make(chan struct{}, 1), make(chan result, 1)
	go func() {
		served <- shell{lang: i18n.EN, onErr: func(line string) {
			if strings.Contains(line, "ready") {
				ready <- struct{}{}
			}
		}}.runIn(ctx, "sim", "serve", "--socket", socket, "--workers", "2", "--speed", "50")
	}()
	t.Cleanup(func() {
		cancel()
		<-served
	})
	select {
	case <-ready:
	case r := <-served:
		served <- r
		t.Fatalf("exit %d: %s", r.code, r.err)
	case <-time.After(30 * time.Second):
		t.Fatal("the simulated fleet does not become ready")
	}
	env := map[string]string{"PHALOPS_SIM_PART": "phala-node", "NODE_ROLE": "MINER", "PHALOPS_SIM_SOCKET": socket}
	term, sigterm := context.WithCancel(t.Context())
	defer sigterm()
	r := shell{lang: i18n.EN, env: env, onErr: func(line string) {
		if strings.Contains(line, "joined the simulated world as node: node-1/phala-node") {
			sigterm()
		}
	}}.runIn(term, "sim", "role", "node", "--any", "--option=of", "-the image")
	if r.code != exitDone || !strings.Contains(r.err, "ended with exit code 0") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	env["PHALOPS_SIM_PART"] = "phala-nodes"
	r = shell{lang: i18n.EN, env: env}.run(t, "sim", "role", "node")
	if r.code != exitUsage || !strings.Contains(r.err, "node-1/phala-node") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	r = shell{lang: i18n.EN}.run(t, "sim", "serve", "--socket", socket)
	if r.code != exitLocked || !strings.Contains(r.err, "somebody listens on the socket "+socket) {
		t.Errorf("a second server: exit %d: %s", r.code, r.err)
	}
}
