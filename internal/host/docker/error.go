package docker

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"phalops/internal/fleet"
	"phalops/internal/host"
)

// failed says what an error of the API means: no such container, an engine that does not answer, or one that refuses.
// name is "" where the request was about no single container.
func (e *Engine) failed(name string, err error) error {
	if errdefs.IsInvalidArgument(err) && strings.Contains(err.Error(), "client version") {
		e.api.Store(nil) // "client version 1.41 is too old": the next call agrees on a version again
	}
	if passed, ok := errors.AsType[*fleet.Error](err); ok { // of the tunnel
		return passed
	}
	switch {
	case errdefs.IsNotFound(err) && name != "":
		return e.noContainer(name, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fleet.FailWith(fleet.Unavailable, fleet.Because("host.engine_silent", "engine", e.addr), err)
	case client.IsErrConnectionFailed(err):
		return fleet.FailWith(fleet.Unavailable, fleet.Because("host.engine_unreachable", "engine", e.addr, "err", plain(err)), err)
	case name != "":
		return fleet.FailWith(fleet.Failed, fleet.Because("host.container_failed", "engine", e.addr, "container", name, "err", plain(err)), err)
	default:
		return fleet.FailWith(fleet.Failed, fleet.Because("host.engine_failed", "engine", e.addr, "err", plain(err)), err)
	}
}

func (e *Engine) noContainer(name string, cause error) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("host.no_container", "engine", e.addr, "container", name),
		errors.Join(host.ErrNoContainer, cause))
}

// plain is the engine's message without what the client library puts before it.
func plain(err error) string {
	return strings.TrimPrefix(err.Error(), "Error response from daemon: ")
}

// errTooLong is why an answer was cut.
var errTooLong = errors.New("the engine's answer is longer than 16 MiB")

// bounded ends answers that are longer than maxReply with an error.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = &boundedBody{body: resp.Body, left: maxReply}
	}
	return resp, err
}

type boundedBody struct {
	body io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 { // one more byte tells a full answer from a longer one
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

func (b *boundedBody) Close() error { return b.body.Close() }
