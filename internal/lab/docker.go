package lab

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Image is the image that every Engine has: FROM scratch with the program of lab/dummy as its entry point.
const Image = "lab/dummy:test"

// startLimit is for the start of dockerd on a slow machine; here it takes a second or two.
const startLimit = 60 * time.Second

// Engine is a private Docker Engine. It has no bridge network and touches no packet filter: containers live in the host's
// network or in none.
type Engine struct {
	Addr string // unix:///…, for clients
	api  *client.Client
	dir  string

	loaded map[string]bool // images that Load made
}

// Docker starts a Docker Engine with the lab's Image for the time of the test. Without dockerd or root the test is skipped;
// it fails where CI is true.
func Docker(t testing.TB) *Engine {
	t.Helper()
	dockerd := Find("dockerd")
	if dockerd == "" {
		Missing(t, "no Docker Engine: dockerd is not installed")
	}
	if os.Geteuid() != 0 {
		Missing(t, "no Docker Engine: a private dockerd needs root")
	}
	// Not t.TempDir: the paths of containerd's sockets below it must stay shorter than 108 bytes.
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sweep(t, dir) })
	e := &Engine{Addr: "unix://" + dir + "/s", dir: dir, loaded: map[string]bool{}}
	logPath := filepath.Join(dir, "log")
	logFile, err := os.Create(logPath)
	if err != nil {
		t.Fatal(err)
	}
	defer logFile.Close()
	cmd := exec.CommandContext(context.Background(), dockerd, "--data-root", dir+"/d", "--exec-root", dir+"/e", "--pidfile", dir+"/p", "--host", e.Addr,
		"--config-file", writeFile(t, dir+"/c", "{}"), "--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false",
		"--shutdown-timeout=3", "--log-driver=json-file")
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin") // for containerd, runc and their tools
	cmd.Stdout, cmd.Stderr = logFile, logFile
	d, err := launch(cmd)
	if err != nil {
		t.Fatalf("start dockerd: %v", err)
	}
	t.Cleanup(func() {
		if err := d.stop(30 * time.Second); err != nil {
			t.Errorf("dockerd: %v\n%s", err, tail(logPath))
		}
	})
	if e.api, err = client.New(client.WithHost(e.Addr)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.api.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	if !d.until(ctx, func(ctx context.Context) bool { _, err := e.api.Ping(ctx, client.PingOptions{}); return err == nil }) {
		t.Fatalf("dockerd did not come up\n%s", tail(logPath))
	}
	t.Cleanup(e.removeAll)
	e.Load(t, Image, buildDummy(t, dir), "/dummy")
	return e
}

// Container says what container to make.
type Container struct {
	Name             string
	Image            string // default Image; one that Load has not made is made a name of it
	Project, Service string // compose labels
	Labels           map[string]string
	RestartAlways    bool
	Hostname         string   // default the engine's: the beginning of the id
	Cmd              []string // arguments after the image's entry point
	Env              []string // "K=V"; see lab/dummy, but DUMMY_LOG is taken
	Mounts           []string // "/host/path:/container/path[:ro]"
	HostNetwork      bool     // for DUMMY_LISTEN on a loopback address; else there is no network
}

// Create makes a container, not started, and returns its id. DUMMY_LOG is set to a file that Lines and Up read.
func (e *Engine) Create(t testing.TB, c Container) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if c.Image != "" && !e.loaded[c.Image] {
		if _, err := e.api.ImageTag(ctx, client.ImageTagOptions{Source: Image, Target: c.Image}); err != nil {
			t.Fatalf("name the image %s: %v", c.Image, err)
		}
	}
	c.Image = cmp.Or(c.Image, Image)
	labels := map[string]string{}
	maps.Copy(labels, c.Labels)
	if c.Project != "" {
		labels["com.docker.compose.project"] = c.Project
	}
	if c.Service != "" {
		labels["com.docker.compose.service"] = c.Service
	}
	if err := os.MkdirAll(e.notes(c.Name), 0o755); err != nil {
		t.Fatal(err)
	}
	hc := &container.HostConfig{
		NetworkMode: "none",
		Binds:       append(slices.Clone(c.Mounts), e.notes(c.Name)+":/lab"),
	}
	if c.HostNetwork {
		hc.NetworkMode = "host"
	}
	if c.RestartAlways {
		hc.RestartPolicy.Name = container.RestartPolicyAlways
	}
	made, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: c.Name,
		Config: &container.Config{Image: c.Image, Labels: labels, Hostname: c.Hostname, Cmd: c.Cmd,
			Env: append([]string{"DUMMY_LOG=/lab/log"}, c.Env...)},
		HostConfig: hc,
	})
	if err != nil {
		t.Fatalf("create container %s: %v", c.Name, err)
	}
	return made.ID
}

// Run is Create, then start, then Up.
func (e *Engine) Run(t testing.TB, c Container) string {
	t.Helper()
	id := e.Create(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := e.api.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		t.Fatalf("start container %s: %v", c.Name, err)
	}
	e.Up(t, c.Name)
	return id
}

// Lines are the lines that the container's processes have written so far: "start", "term", "exit:CODE".
func (e *Engine) Lines(t testing.TB, name string) []string {
	t.Helper()
	b, err := os.ReadFile(e.notes(name) + "/log")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

// Up waits until the container's newest process is ready for signals.
func (e *Engine) Up(t testing.TB, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if lines := e.Lines(t, name); len(lines) > 0 && lines[len(lines)-1] == "start" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("container %s did not come up: %q", name, e.Lines(t, name))
		case <-tick.C:
		}
	}
}

// Signal sends a signal to the container's process past the engine, as a crash would come. SIGUSR1 makes it exit with
// DUMMY_CRASH_CODE.
func (e *Engine) Signal(t testing.TB, name string, sig syscall.Signal) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := e.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatalf("inspect container %s: %v", name, err)
	}
	if r.Container.State == nil || r.Container.State.Pid <= 0 {
		t.Fatalf("container %s has no process", name)
	}
	if err := syscall.Kill(r.Container.State.Pid, sig); err != nil {
		t.Fatalf("signal container %s: %v", name, err)
	}
}

func (e *Engine) notes(name string) string { return filepath.Join(e.dir, "n", name) }

// Load makes an image FROM scratch with one static program, which is started with args.
func (e *Engine) Load(t testing.TB, image string, program []byte, entryPoint string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	entry, err := json.Marshal(append([]string{entryPoint}, args...))
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: imageOf(t, program, entryPoint), SourceName: "-"}, image,
		client.ImageImportOptions{Changes: []string{"ENTRYPOINT " + string(entry)}})
	if err != nil {
		t.Fatalf("import the image: %v", err)
	}
	defer r.Close()
	if answer, err := io.ReadAll(r); err != nil || bytes.Contains(answer, []byte(`"error"`)) {
		t.Fatalf("import the image: %v %s", err, answer)
	}
	e.loaded[image] = true
}

// Build makes a static program of a package of this module.
func Build(t testing.TB, pkg string) []byte {
	t.Helper()
	return build(t, t.TempDir(), pkg)
}

func buildDummy(t testing.TB, dir string) []byte { return build(t, dir, "phalops/internal/lab/dummy") }

func build(t testing.TB, dir, pkg string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out := filepath.Join(dir, "program")
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the image's program: %v\n%s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// imageOf is the file system of an image FROM scratch with one program.
func imageOf(t testing.TB, program []byte, path string) io.Reader {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, dir := range []string{"lab/", "tmp/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	err := w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(path, "/"), Mode: 0o755, Size: int64(len(program))})
	if err == nil {
		_, err = w.Write(program)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return &buf
}

// removeAll leaves dockerd nothing to wait for.
func (e *Engine) removeAll() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	list, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return // dockerd is dead: sweep finds what it left
	}
	for _, c := range list.Items {
		_, _ = e.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true})
	}
}

// sweep removes an engine's folder with the mounts that a dead dockerd has left in it.
func sweep(t testing.TB, dir string) {
	t.Helper()
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Errorf("read the mounts: %v", err)
	}
	var points []string
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			points = append(points, f[4])
		}
	}
	for _, p := range slices.Backward(points) { // the newest lies on top
		if err := syscall.Unmount(p, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", p, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Errorf("remove the engine's folder: %v", err)
	}
}

func writeFile(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
