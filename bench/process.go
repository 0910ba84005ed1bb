package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// cost is what one run of a reader came to.
type cost struct {
	reading
	Total float64 // CPU seconds of the whole process
}

// own is this program in one of its roles.
func own(role string) func(context.Context, task) (*exec.Cmd, error) {
	return func(ctx context.Context, t task) (*exec.Cmd, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return command(ctx, t, self, role)
	}
}

// command is a program that is told a task behind its other arguments.
func command(ctx context.Context, t task, name string, args ...string) (*exec.Cmd, error) {
	text, err := json.Marshal(t)
	return exec.CommandContext(ctx, name, append(args, string(text))...), err
}

//go:embed polkadotjs.cjs
var polkadotJSReader string

// errNoPolkadotJS is returned where the JavaScript client is not installed.
var errNoPolkadotJS = errors.New("@polkadot/api is not measured: it is not installed (make test-deps installs it)")

// polkadotJS is the JavaScript client, from where scripts/test-deps.sh puts it.
func polkadotJS() (*reader, error) {
	dir := os.Getenv("PHALOPS_POLKADOTJS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, errNoPolkadotJS
		}
		dir = filepath.Join(cache, "phalops", "polkadotjs")
	}
	modules := filepath.Join(dir, "node_modules")
	text, err := os.ReadFile(filepath.Join(modules, "@polkadot", "api", "package.json"))
	if err != nil {
		return nil, errNoPolkadotJS
	}
	if _, err := exec.LookPath("node"); err != nil {
		return nil, errNoPolkadotJS
	}
	var about struct{ Version string }
	if err := json.Unmarshal(text, &about); err != nil {
		return nil, err
	}
	return &reader{name: "@polkadot/api " + about.Version, most: 1, start: func(ctx context.Context, t task) (*exec.Cmd, error) {
		cmd, err := command(ctx, t, "node", "-e", polkadotJSReader)
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
		return cmd, err
	}}, nil
}

// run lets a reader read to its end.
func (r *reader) run(ctx context.Context, t task) (c cost, err error) {
	cmd, err := r.start(ctx, t)
	if err != nil {
		return c, err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return c, fmt.Errorf("%s: %w: %.2000s", r.name, err, &stderr)
	}
	if err := json.Unmarshal(out, &c.reading); err != nil {
		return c, fmt.Errorf("%s: %w: %.200q", r.name, err, out)
	}
	c.Total = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return c, nil
}

// startNode starts the other process that is the node, until stop.
func startNode(ctx context.Context, t task) (url string, stop func() error, err error) {
	cmd, err := own("node")(ctx, t)
	if err != nil {
		return "", nil, err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = 10 * time.Second
	hold, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	says, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error {
		_ = hold.Close()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("the node: %w: %.2000s", err, &stderr)
		}
		return nil
	}
	var up served
	if err := json.NewDecoder(says).Decode(&up); err != nil {
		return "", nil, errors.Join(fmt.Errorf("the node did not start: %w", err), stop())
	}
	return up.URL, stop, nil
}
