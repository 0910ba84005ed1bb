package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
)

// v0Replay plays the recorded requests to a v0 monitor at the distances at which they were taken, against two bridges with
// the two databases of the recording, in a bubble of its own time. Identities are those of the recording.
type v0Replay struct {
	t        *testing.T
	world    *world.World
	face     *Face
	handlers map[string]http.Handler
	bridge   string
	lines    []recorded
	created  []time.Duration // when a line was asked, from the first one on
	drift    time.Duration   // by how much the replay is later than the recording
	began    time.Time
	ids      map[string][]string
	late     sync.WaitGroup
}

func TestV0MonitorAnswersAsTheRealOneDid(t *testing.T) {
	lines := recordingsIn(t, "prb-v0.jsonl", 235)
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		r := &v0Replay{t: t, world: world.New(now, 1), lines: lines, bridge: "one", handlers: map[string]http.Handler{}, ids: v0Identities(t, lines)}
		r.face = NewFace(r.world, clock.Real{})
		r.build()
		r.schedule()
		r.began = time.Now()
		var polls sync.WaitGroup
		done, last := time.Duration(0), -1
		for i, line := range lines {
			if line.Name == "redis-unreachable" {
				polls.Wait()
			}
			r.before(line.Name)
			if line.Name == "state-nopool-01-none" { // from now on states were asked for at the side, every few moments
				for j, l := range lines {
					if strings.HasPrefix(l.Name, "state-") {
						polls.Go(func() { r.poll(j) })
					}
				}
			}
			if strings.HasPrefix(line.Name, "state-") {
				continue
			}
			start := r.created[i]
			if gap := start - r.ended(last); gap < 20*time.Millisecond { // right after the one before
				start = done + max(gap, 0)
			}
			r.until(max(start, done))
			last = i
			if diff := r.play(line); diff != "" {
				t.Errorf("%s: %s", line.Name, diff)
			}
			done = time.Since(r.began) - r.drift
		}
		r.late.Wait()
	})
}

func (r *v0Replay) until(at time.Duration) { time.Sleep(at + r.drift - time.Since(r.began)) }

// pause lets time pass that did not in the recording.
func (r *v0Replay) pause(d time.Duration) {
	time.Sleep(d)
	r.drift += d
}

// schedule finds out when each line was asked.
func (r *v0Replay) schedule() {
	var first, end time.Duration
	for i, line := range r.lines {
		took := time.Duration(line.Response.Elapsed) * time.Millisecond
		start := end + time.Millisecond
		if m := regexp.MustCompile(`"createdAt":"(\d{13})"`).FindStringSubmatch(line.Response.Body); m != nil {
			ms, _ := strconv.ParseInt(m[1], 10, 64)
			at := time.Duration(ms) * time.Millisecond
			if first == 0 {
				first = at - took - end - time.Millisecond
			}
			start = at - first - took
		}
		r.created = append(r.created, start)
		if i+1 < len(r.lines) {
			end = max(end, start+took)
		}
	}
}

func (r *v0Replay) build() {
	w := r.world
	h := w.AddHost("h")
	node := w.AddNode(world.NodeSpec{Name: "node", Host: "h", Container: "node", Network: w.AddNetwork("khala")}, world.Container{})
	for _, name := range []string{"one", "two"} {
		w.AddV0Bridge(world.V0Spec{Name: name, Host: "h", Project: name, Node: node, NewUUID: r.uuid})
		r.handlers[name] = newV0Handler(r.t.Context(), r.face, name, Options{Latency: time.Millisecond, QueryTimeout: 5 * time.Second,
			ItemTime: 90 * time.Millisecond}, r.late.Go)
	}
	h.Container("node").BootRunning()
	w.Settle()
	r.up("one", "redis", "redis-q", "io", "monitor")
}

func (r *v0Replay) up(bridge string, services ...string) {
	for _, s := range services {
		r.face.Do(func(w *world.World) {
			if err := w.Host("h").Start(bridge + "_" + s + "_1"); err != nil {
				r.t.Error(err)
			}
		})
	}
	time.Sleep(4 * time.Second)
	if !r.began.IsZero() {
		r.drift += 4 * time.Second
	}
}

// v0Manners are how the invented pRuntimes and chain states of the recording behaved, by worker.
var v0Manners = map[string]world.Manner{
	"mqhang": world.MannerQueueHangs, "cooling": world.MannerCoolsDown, "starttx": world.MannerStays, "txfail": world.MannerCannotStart,
	"otherpool": world.MannerOtherPool, "unreg": world.MannerUnregistered, "adding": world.MannerPoolless, "e500": world.MannerFails,
	"uninit": world.MannerUninitialised, "unbound": world.MannerUnbound, "mismatch": world.MannerNumberRefused, "hhm": world.MannerHeadersRefused,
	"badjson": world.MannerNoJSON, "nsr": world.MannerBlocksRefused, "stay": world.MannerBlocksHang, "wrap": world.MannerWraps,
	"blackhole": world.MannerHangs, "hdrhang": world.MannerHeadersHang, "behind": world.MannerBehind, "reset": world.MannerResets,
	"unresp": world.MannerUnresponsive,
}

// before brings the world to where it was when a line was recorded.
func (r *v0Replay) before(line string) {
	container := func(name string) {
		r.face.Do(func(w *world.World) { _ = w.Host("h").Restart(name, time.Second) })
	}
	switch line {
	case "list-empty":
		r.up("one", "fetch")
		r.up("one", "lifecycle")
	case "typed-wrong-name", "typed-wrong-endpoint-object", "typed-wrong-list":
		r.pause(5 * time.Second) // somebody has started the monitor again
	case "fetcher-before-genesis":
		r.until(r.at(line) - 2200*time.Millisecond)
		container("one_fetch_1")
	case "fetcher-behind":
		r.pause(4 * time.Second)
	case "fetcher-synched":
		r.face.Do(func(w *world.World) { w.Settle() })
	case "st-pool-create":
		r.up("two", "redis", "redis-q", "io", "monitor")
		r.up("two", "fetch", "trade")
		r.face.Do(func(w *world.World) { w.Settle() })
		r.up("two", "lifecycle")
		r.bridge = "two"
	case "state-nopool-01-none":
		r.runtimes()
		scan := r.at("state-otherpool-02-error") - 190*time.Millisecond
		r.until(scan - 4500*time.Millisecond)
		container("two_lifecycle_1")
		for name, at := range map[string]time.Duration{"infofail": 44696*time.Millisecond - 34250*time.Millisecond, "lateunresp": 28690 * time.Millisecond} {
			manner := map[string]world.Manner{"infofail": world.MannerFails, "lateunresp": world.MannerUnresponsive}[name]
			r.face.Do(func(w *world.World) {
				row, _ := w.V0Bridge("two").Worker(name)
				w.After(scan-2634*time.Millisecond+at+r.drift-time.Since(r.began), func() { w.Pruntime(row.Endpoint).Behave(manner) })
			})
		}
	case "redis-unreachable":
		r.face.Do(func(w *world.World) {
			w.V0Bridge("two").CrashMonitor()
			_ = w.Host("h").Stop("two_redis_1", time.Second)
		})
		time.Sleep(5 * time.Second)
	}
}

func (r *v0Replay) ended(i int) time.Duration {
	if i < 0 {
		return 0
	}
	return r.created[i] + time.Duration(r.lines[i].Response.Elapsed)*time.Millisecond
}

func (r *v0Replay) at(line string) time.Duration {
	return r.created[slices.IndexFunc(r.lines, func(l recorded) bool { return l.Name == line })]
}

// runtimes puts an enclave behind every worker that had one.
func (r *v0Replay) runtimes() {
	r.face.Do(func(w *world.World) {
		for _, row := range w.V0Bridge("two").Workers() {
			if !slices.Contains([]string{"refused", "nodns", "badurl"}, row.Name) {
				w.AddPruntime(row.Endpoint, w.Networks()[0]).Behave(v0Manners[row.Name])
			}
		}
	})
}

// poll asks around the moment at which a line was recorded: the recording's moments are not exact to the fraction of a
// second.
func (r *v0Replay) poll(i int) {
	diff := ""
	for shift := -400 * time.Millisecond; shift <= 700*time.Millisecond; shift += 25 * time.Millisecond {
		r.until(r.created[i] + shift)
		if diff = r.play(r.lines[i]); diff == "" {
			return
		}
	}
	r.t.Errorf("%s: %s", r.lines[i].Name, diff)
}

// play asks one line and tells what is different from the recorded reply; "" when nothing is.
func (r *v0Replay) play(line recorded) string {
	ctx, cancel := r.t.Context(), func() {}
	if line.Response.Error == "timeout" {
		ctx, cancel = context.WithTimeout(ctx, 12*time.Second)
	}
	defer cancel()
	q := httptest.NewRequestWithContext(ctx, line.Request.Method, line.Request.Path, strings.NewReader(line.Request.Body))
	for k, v := range line.Request.Headers {
		q.Header.Set(k, v)
	}
	w, began, closed := httptest.NewRecorder(), time.Now(), false
	func() {
		defer func() { closed = recover() != nil }() // http.ErrAbortHandler
		r.handlers[r.bridge].ServeHTTP(w, q)
	}()
	took, want := time.Since(began), line.Response
	switch {
	case want.Error == "timeout":
		if took != 12*time.Second {
			return fmt.Sprintf("answered after %v", took)
		}
		return ""
	case want.Error != "":
		if !closed {
			return fmt.Sprintf("answered %d, want %s", w.Code, want.Error)
		}
		return ""
	case closed:
		return "closed"
	case w.Code != want.Status || w.Header().Get("Content-Type") != want.Headers["content-type"]:
		return fmt.Sprintf("%d %s, want %d %s", w.Code, w.Header().Get("Content-Type"), want.Status, want.Headers["content-type"])
	case (took >= 5*time.Second) != (want.Elapsed >= 5000):
		return fmt.Sprintf("answered after %v, want %d ms", took, want.Elapsed)
	case !strings.HasPrefix(want.Body, "{"):
		if w.Body.String() != want.Body {
			return fmt.Sprintf("%q, want %q", w.Body, want.Body)
		}
		return ""
	}
	return v0Diff(r.t, "", ordered(r.t, w.Body.Bytes()), ordered(r.t, []byte(want.Body)))
}

// uuid is the identity that the recorded manager gave to the next record of a name.
func (r *v0Replay) uuid(name string) string {
	if ids := r.ids[name]; len(ids) > 0 {
		r.ids[name] = ids[1:]
		return ids[0]
	}
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", len(name)) // of a record that was never shown
}

// v0Identities reads the identities, by name and in the order in which they were given, out of lists and error texts.
func v0Identities(t *testing.T, lines []recorded) map[string][]string {
	t.Helper()
	type record struct{ UUID, Name, Endpoint string }
	ids, known := map[string][]string{}, map[string]bool{}
	for _, line := range lines {
		var reply struct {
			Content struct {
				List struct{ Pools, Workers []record } `json:"lifecycleManagerStateUpdate"`
				Err  struct{ Extra string }            `json:"error"`
			}
		}
		if json.Unmarshal([]byte(line.Response.Body), &reply) != nil {
			continue
		}
		fresh := append(reply.Content.List.Pools, reply.Content.List.Workers...)
		slices.SortFunc(fresh, func(a, b record) int { return strings.Compare(a.Endpoint, b.Endpoint) }) // twins: in the order of their request
		if _, item, ok := strings.Cut(reply.Content.Err.Extra, " item "); ok && strings.Contains(line.Name, "-create-") {
			var failed record
			if err := json.Unmarshal([]byte(item), &failed); err != nil {
				t.Fatal(err)
			}
			fresh = append(fresh, failed)
		}
		for _, f := range fresh {
			if !known[f.UUID] {
				known[f.UUID] = true
				ids[f.Name] = append(ids[f.Name], f.UUID)
			}
		}
	}
	return ids
}
