package wire

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/sim/world"
)

// The simulated engine says that it is the one of Debian 12.
const (
	dockerVersion    = "20.10.24+dfsg1"
	dockerAPI        = "1.41"
	dockerAPIMinor   = 41
	dockerAPIOldest  = 12
	dockerStopGrace  = 10 * time.Second // where a stop or a restart does not name one
	dockerPollPeriod = 50 * time.Millisecond
)

// dockerHost serves the part of the Docker Engine API that concerns the life of containers, for one host of the world.
type dockerHost struct {
	face *Face
	name string
}

// newDockerHandler serves the container engine of a host of the world. While the host is down it answers nothing: every
// request hangs until the client gives up.
func newDockerHandler(face *Face, host string) http.Handler {
	d := &dockerHost{face: face, name: host}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_ping", d.ping)
	mux.HandleFunc("GET /version", d.version)
	mux.HandleFunc("GET /info", d.info)
	mux.HandleFunc("GET /containers/json", d.list)
	mux.HandleFunc("GET /containers/{id}/json", d.inspect)
	mux.HandleFunc("POST /containers/{id}/start", d.start)
	mux.HandleFunc("POST /containers/{id}/stop", d.stop)
	mux.HandleFunc("POST /containers/{id}/restart", d.restart)
	mux.HandleFunc("POST /containers/{id}/kill", d.kill)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { dockerError(w, http.StatusNotFound, "page not found") })
	return dockerVersioned(mux)
}

var dockerVersionPrefix = regexp.MustCompile(`^/v1\.([0-9]{1,4})(/.*)$`)

// dockerVersioned takes the optional version off the path and refuses versions that the engine does not speak.
func dockerVersioned(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", dockerAPI)
		w.Header().Set("Docker-Experimental", "false")
		w.Header().Set("Ostype", "linux")
		w.Header().Set("Server", "Docker/"+dockerVersion+" (linux)")
		m := dockerVersionPrefix.FindStringSubmatch(r.URL.Path)
		if m == nil {
			next.ServeHTTP(w, r)
			return
		}
		switch minor, _ := strconv.Atoi(m[1]); {
		case minor > dockerAPIMinor:
			dockerError(w, http.StatusBadRequest, fmt.Sprintf("client version 1.%d is too new. Maximum supported API version is %s", minor, dockerAPI))
			return
		case minor < dockerAPIOldest: // so old that the engine does not answer it in JSON
			http.Error(w, fmt.Sprintf("client version 1.%d is too old. Minimum supported API version is 1.%d, please upgrade your client to a newer version", minor, dockerAPIOldest), http.StatusBadRequest)
			return
		}
		u := *r.URL
		u.Path, u.RawPath = m[2], ""
		inner := r.Clone(r.Context())
		inner.URL = &u
		next.ServeHTTP(w, inner)
	})
}

func (d *dockerHost) ping(w http.ResponseWriter, r *http.Request) {
	d.do(r, func(*world.Host) {})
	w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("OK"))
}

func (d *dockerHost) version(w http.ResponseWriter, r *http.Request) {
	d.do(r, func(*world.Host) {})
	dockerJSON(w, http.StatusOK, map[string]any{
		"Version": dockerVersion, "ApiVersion": dockerAPI, "MinAPIVersion": fmt.Sprintf("1.%d", dockerAPIOldest),
		"Os": "linux", "Arch": "amd64", "GoVersion": "go1.19.8", "GitCommit": "5d6db84",
	})
}

func (d *dockerHost) info(w http.ResponseWriter, r *http.Request) {
	count := map[string]int{}
	total := 0
	d.do(r, func(h *world.Host) {
		for _, c := range h.Containers() {
			count[c.State()]++
			total++
		}
	})
	running := count[world.StateRunning] + count[world.StateRestarting]
	dockerJSON(w, http.StatusOK, map[string]any{
		"Name": d.name, "ServerVersion": dockerVersion, "Driver": "overlay2", "OSType": "linux", "Architecture": "x86_64",
		"Containers": total, "ContainersRunning": running, "ContainersPaused": 0, "ContainersStopped": total - running,
	})
}

func (d *dockerHost) list(w http.ResponseWriter, r *http.Request) {
	filter, err := parseDockerFilter(r.URL.Query().Get("filters"))
	if err != nil {
		status := http.StatusInternalServerError // what is no JSON; the engine blames itself
		if errors.As(err, new(unknownFilterError)) {
			status = http.StatusBadRequest
		}
		dockerError(w, status, err.Error())
		return
	}
	all := dockerBool(r.URL.Query().Get("all")) || len(filter["status"]) > 0
	out := []dockerSummary{}
	d.do(r, func(h *world.Host) {
		for _, c := range h.Containers() {
			alive := c.State() == world.StateRunning || c.State() == world.StateRestarting
			if (all || alive) && filter.match(c) {
				out = append(out, summarize(c, d.face.world.Now()))
			}
		}
	})
	// The engine shows the newest first; names decide between containers of one moment.
	slices.SortStableFunc(out, func(a, b dockerSummary) int { return cmp.Compare(b.Created, a.Created) })
	dockerJSON(w, http.StatusOK, out)
}

func (d *dockerHost) inspect(w http.ResponseWriter, r *http.Request) {
	var out any
	d.do(r, func(h *world.Host) {
		if c := h.Container(r.PathValue("id")); c != nil {
			out = describe(c)
		}
	})
	if out == nil {
		dockerError(w, http.StatusNotFound, "No such container: "+r.PathValue("id"))
		return
	}
	dockerJSON(w, http.StatusOK, out)
}

func (d *dockerHost) start(w http.ResponseWriter, r *http.Request) {
	d.effect(w, r, func(h *world.Host, c *world.Container) (bool, error) {
		if c.Running() || c.State() == world.StateRestarting {
			return false, nil
		}
		return true, h.Start(c.Name)
	})
}

func (d *dockerHost) stop(w http.ResponseWriter, r *http.Request) {
	grace, err := dockerGrace(r)
	if err != nil {
		dockerError(w, http.StatusInternalServerError, err.Error())
		return
	}
	d.effect(w, r, func(h *world.Host, c *world.Container) (bool, error) {
		if !c.Running() && c.State() != world.StateRestarting {
			return false, nil
		}
		return true, h.Stop(c.Name, grace)
	})
}

func (d *dockerHost) restart(w http.ResponseWriter, r *http.Request) {
	grace, err := dockerGrace(r)
	if err != nil {
		dockerError(w, http.StatusInternalServerError, err.Error())
		return
	}
	d.effect(w, r, func(h *world.Host, c *world.Container) (bool, error) { return true, h.Restart(c.Name, grace) })
}

func (d *dockerHost) kill(w http.ResponseWriter, r *http.Request) {
	signal := strings.TrimPrefix(strings.ToUpper(cmp.Or(r.URL.Query().Get("signal"), "KILL")), "SIG")
	if signal != "KILL" && signal != "9" {
		dockerError(w, http.StatusBadRequest, "Invalid signal: "+signal)
		return
	}
	d.effect(w, r, func(h *world.Host, c *world.Container) (bool, error) { return true, h.Kill(c.Name) })
}

// effect does something to the container that the request names, waits until it has come to rest and answers as the
// engine does: 204, 304 where there was nothing to do, else an error.
func (d *dockerHost) effect(w http.ResponseWriter, r *http.Request, do func(*world.Host, *world.Container) (bool, error)) {
	id := r.PathValue("id")
	var c *world.Container
	var did bool
	var err error
	d.do(r, func(h *world.Host) {
		if c = h.Container(id); c != nil {
			did, err = do(h, c)
		}
	})
	if c != nil && did && err == nil {
		err = d.settled(r, c)
	}
	switch {
	case c == nil:
		dockerError(w, http.StatusNotFound, "No such container: "+id)
	case errors.Is(err, world.ErrNotRunning):
		dockerError(w, http.StatusConflict, fmt.Sprintf("Cannot kill container: %s: Container %s is not running", id, c.ID()))
	case err != nil:
		dockerError(w, http.StatusInternalServerError, err.Error())
	case !did:
		w.WriteHeader(http.StatusNotModified)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// settled waits until no stop and no restart of c is on its way. When the client gives up first, the engine goes on and
// nobody is answered.
func (d *dockerHost) settled(r *http.Request, c *world.Container) error {
	for {
		var busy bool
		var err error
		d.do(r, func(*world.Host) { busy, err = c.Busy(), c.Failure() })
		if !busy {
			return err
		}
		if d.face.clock.Sleep(r.Context(), dockerPollPeriod) != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// do runs f with the host and the world's lock. A host that is down lets the client wait for ever.
func (d *dockerHost) do(r *http.Request, f func(*world.Host)) {
	down := false
	d.face.Do(func(w *world.World) {
		h := w.Host(d.name)
		if h == nil || h.Down {
			down = true
			return
		}
		f(h)
	})
	if down {
		hang(r.Context())
	}
}

// hang holds a request until its client gives up, and then drops the connection without a word.
func hang(ctx context.Context) {
	<-ctx.Done()
	panic(http.ErrAbortHandler)
}

// dockerGrace is the parameter t: whole seconds, negative for ever.
func dockerGrace(r *http.Request) (time.Duration, error) {
	t := r.URL.Query().Get("t")
	if t == "" {
		return dockerStopGrace, nil
	}
	n, err := strconv.Atoi(t)
	if err != nil {
		return 0, err
	}
	return time.Duration(n) * time.Second, nil
}

// dockerBool is the engine's idea of true.
func dockerBool(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "0", "no", "false", "none":
		return false
	}
	return true
}

func dockerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}

func dockerError(w http.ResponseWriter, status int, message string) {
	dockerJSON(w, status, map[string]string{"message": message})
}
