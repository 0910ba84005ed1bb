package docker_test

import (
	"testing"

	"phalops/internal/clock"
	"phalops/internal/host/docker"
	"phalops/internal/host/hosttest"
	"phalops/internal/lab"
)

// TestLabDocker holds the client against a real Docker Engine.
func TestLabDocker(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Docker Engine")
	}
	real := lab.Docker(t)
	e, err := docker.New(real.Addr, clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	hosttest.Containers(t, hosttest.OnEngine(real, e))
	hosttest.Logs(t, real, e)
}
