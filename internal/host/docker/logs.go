package docker

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"phalops/internal/host"
)

// defaultTail is how many lines Logs reads when nothing is said.
const defaultTail = 100

// Logs reads the newest lines of a container's log.
func (e *Engine) Logs(ctx context.Context, name string, since time.Time, tail int) (host.Logs, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	c, err := e.Inspect(ctx, name)
	if err != nil {
		return host.Logs{}, err
	}
	api, err := e.ready(ctx)
	if err != nil {
		return host.Logs{}, err
	}
	info, err := api.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if err != nil {
		return host.Logs{}, e.failed(name, err)
	}
	if tail <= 0 {
		tail = defaultTail
	}
	o := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(tail)}
	if !since.IsZero() {
		o.Since = strconv.FormatInt(since.Unix(), 10) + "." + strconv.Itoa(1e9 + since.Nanosecond())[1:]
	}
	body, err := api.ContainerLogs(ctx, c.ID, o)
	if err != nil {
		return host.Logs{}, e.failed(name, err)
	}
	defer body.Close()
	var out end
	if info.Container.Config != nil && info.Container.Config.Tty {
		_, err = io.Copy(&out, body)
	} else {
		_, err = stdcopy.StdCopy(&out, &out, body)
	}
	if err != nil {
		return host.Logs{}, e.failed(name, err)
	}
	text := out.last()
	return host.Logs{Text: text, Truncated: out.cut}, nil
}

// end keeps the last host.MaxLogs bytes of what is written to it.
type end struct {
	buf []byte
	cut bool
}

func (e *end) Write(p []byte) (int, error) {
	e.buf = append(e.buf, p...)
	if len(e.buf) > 2*host.MaxLogs { // now and then, not each time
		e.buf = e.last()
	}
	return len(p), nil
}

func (e *end) last() []byte {
	if len(e.buf) <= host.MaxLogs {
		return e.buf
	}
	e.cut = true
	return append([]byte(nil), e.buf[len(e.buf)-host.MaxLogs:]...)
}
