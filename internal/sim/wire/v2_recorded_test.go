package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
	"phalops/internal/testkit"
)

var epoch = time.Date(2022, 9, 7, 7, 58, 3, 0, time.UTC)

// recorded is a request to the real monitor and its reply.
type recorded struct {
	Name    string
	Request struct {
		Method, Path, Body string
		Headers            map[string]string
		Parts              []struct {
			Text   string
			Repeat int
		} `json:"body_parts"`
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
		Error   string // closed, refused or timeout: there was no reply
		Elapsed int64  `json:"elapsed_ms"`
	}
}

func recordings(t *testing.T) []recorded { return recordingsIn(t, "prb-v2.jsonl", 194) }

func recordingsIn(t *testing.T, file string, lines int) []recorded {
	t.Helper()
	f := bytes.NewReader(testkit.Shared(t, "data", "replies", file))
	var all []recorded
	for text := bufio.NewReader(f); ; {
		line, err := text.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var r recorded
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			for _, p := range r.Request.Parts {
				r.Request.Body += strings.Repeat(p.Text, max(1, p.Repeat))
			}
			all = append(all, r)
		}
		if err != nil {
			break
		}
	}
	if len(all) != lines {
		t.Fatalf("%d recorded lines", len(all))
	}
	return all
}

// replay plays the recorded requests, in their order, against a world with the same parts. The identities of the recording
// are learned from its replies and translated.
type replay struct {
	t       *testing.T
	clock   *clock.Virtual
	world   *world.World
	face    *Face
	handler http.Handler
	ids     map[string]string // recorded → simulated
}

func newReplay(t *testing.T) *replay {
	c := clock.NewVirtual(epoch)
	w := world.New(epoch, 1)
	h := w.AddHost("h")
	node := w.AddNode(world.NodeSpec{Name: "node", Host: "h", Container: "node", Network: w.AddNetwork("khala")}, world.Container{})
	dp := func(name, hostname string, port int) *world.DataProvider {
		return w.AddDataProvider(world.DataProviderSpec{Name: name, Host: "h", Container: name, Node: node, Hostname: hostname,
			Identity: "staging", BlobPort: port}, world.Container{})
	}
	providers := []*world.DataProvider{dp("dp-1", "data-provider", 8012), dp("dp-2", "dp-2", 8013)}
	first := w.AddBridge(world.BridgeSpec{Name: "lm-1", Host: "h", Project: "one", Node: node, Providers: providers, Identity: "staging", ConfigMode: true})
	second := w.AddBridge(world.BridgeSpec{Name: "lm-2", Host: "h", Project: "two", Node: node, Providers: providers, Hostname: "lifecycle-2", Identity: "staging", MonitorOf: first})
	for _, name := range []string{"node", "one_monitor_1", "two_redis-q_1", "two_trade_1"} {
		h.Container(name).BootRunning()
	}
	w.Settle()
	face := NewFace(w, c)
	return &replay{t: t, clock: c, world: w, face: face,
		handler: newMonitorHandler(t.Context(), face, "lm-1", Options{Latency: 1, FrozenAfter: 1}),
		ids: map[string]string{
			"QmYdJ8TdBM41tLuB4YFrkYgXvbLsXksFkqDiXQEZqQwaFA": providers[0].PeerID, "QmXf9aFdNJAtXctPTVZqHxYJPkbq4RYa5hmhzVLnEDfJs3": providers[1].PeerID,
			"QmSuEqTVCgDYS3tGkMocsfxcthYTRRqjhmVqgxHAsp2BTD": first.LifecyclePeer, "QmagCV1fSrmatW4USnVbUCykuiR7M86fnqVjRiCubuZqnd": second.LifecyclePeer,
		}}
}

// before brings the world to where it was when a line was recorded.
func (r *replay) before(line recorded) {
	h := r.world.Host("h")
	up := func(names ...string) {
		for _, name := range names {
			r.face.Do(func(*world.World) { _ = h.Start(name) })
		}
		r.clock.Advance(time.Minute)
	}
	switch line.Name {
	case "discover-1-1":
		up("dp-1", "one_lifecycle_1")
	case "discover-2-2":
		up("dp-2")
		r.inventory()
		up("two_lifecycle_1")
		r.face.Do(func(w *world.World) {
			_, _ = w.Bridge("lm-2").CreateWorkers([]world.WorkerInput{{PID: 88, Name: "not-running", Endpoint: "http://10.30.0.44:8000", Stake: "10000000000000", Enabled: true}})
		})
	case "dp-info-synching":
		r.face.Do(func(*world.World) { _ = h.Restart("dp-2", time.Second) })
		r.clock.Advance(13 * time.Second)
	case "frozen-peer":
		r.face.Do(func(*world.World) { _ = h.Restart("dp-2", time.Second) })
		r.clock.Advance(13 * time.Second)
		r.face.Do(func(w *world.World) {
			_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.PeerFrozen, Target: "dp-2", For: 29 * time.Second}}})
		})
	case "frozen-peer-back":
		r.clock.Advance(30 * time.Second)
	case "dead-peer":
		r.face.Do(func(*world.World) { _ = h.Stop("dp-2", time.Second) })
		r.clock.Advance(time.Minute)
	case "peer-back-status-none":
		r.face.Do(func(*world.World) { _ = h.Stop("dp-1", time.Second) })
		r.face.Do(func(*world.World) { _ = h.Restart("two_lifecycle_1", time.Second) })
		r.clock.Advance(30 * time.Second)
	case "dp-info-start":
		r.face.Do(func(*world.World) { _ = h.Start("dp-2") })
		r.clock.Advance(3 * time.Second)
	}
	r.clock.Advance(300 * time.Millisecond)
}

// inventory writes the second manager's rows, as they were put into its database for the recording.
func (r *replay) inventory() {
	for _, line := range recordings(r.t) {
		if line.Name != "lm2-list-worker" {
			continue
		}
		var list struct{ Data struct{ Workers []v2Worker } }
		if err := json.Unmarshal([]byte(line.Response.Body), &list); err != nil {
			r.t.Fatal(err)
		}
		r.face.Do(func(w *world.World) {
			b := w.Bridge("lm-2")
			if _, err := b.CreatePools([]world.PoolInput{{PID: 88, Name: "88", HasOwner: true, Mnemonic: "foo bar", Enabled: true}}); err != nil {
				r.t.Fatal(err)
			}
			for _, row := range list.Data.Workers {
				if row.Name != "not-running" {
					w.AddPruntime(row.Endpoint, w.Networks()[0])
					_, _ = b.CreateWorkers([]world.WorkerInput{{PID: 88, Name: row.Name, Endpoint: row.Endpoint, Stake: row.Stake, Enabled: true}})
				}
			}
		})
	}
}

func (r *replay) translate(s string) string {
	for from, to := range r.ids {
		s = strings.ReplaceAll(s, from, to)
	}
	return s
}

func TestMonitorAnswersAsTheRealOneDid(t *testing.T) {
	r := newReplay(t)
	compared := 0
	for _, line := range recordings(t) {
		r.before(line)
		if strings.HasPrefix(line.Name, "overlap-") {
			if _, create, _ := strings.Cut(line.Name, "overlap-create-"); create == "" { // the rows are in later lists
				continue
			}
		}
		q := httptest.NewRequest(line.Request.Method, r.translate(line.Request.Path), strings.NewReader(r.translate(line.Request.Body)))
		for k, v := range line.Request.Headers {
			q.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, q)
		if lost(line.Response.Body) {
			continue // a reply that was lost in the recording: only its effect counts
		}
		compared++
		where := line.Name
		if w.Code != line.Response.Status || w.Header().Get("Content-Type") != line.Response.Headers["content-type"] {
			t.Errorf("%s: %d %s, want %d %s", where, w.Code, w.Header().Get("Content-Type"), line.Response.Status, line.Response.Headers["content-type"])
			continue
		}
		if !strings.Contains(line.Response.Headers["content-type"], "json") {
			if w.Body.String() != line.Response.Body {
				t.Errorf("%s: %q, want %q", where, w.Body, line.Response.Body)
			}
			continue
		}
		got, want := ordered(t, w.Body.Bytes()), ordered(t, []byte(line.Response.Body))
		r.compare(where, "", got, want)
	}
	if compared < 170 {
		t.Errorf("only %d lines compared", compared)
	}
}

func lost(body string) bool { return strings.HasSuffix(body, `"meta":{}}`) }

// pair is a member of a JSON object whose order counts.
type pair struct {
	key   string
	value any
}

// ordered reads JSON into []pair, []any, string, json.Number, bool and nil.
func ordered(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var read func() any
	token := func() json.Token {
		tok, err := d.Token()
		if err != nil {
			t.Fatalf("%v in %.200s", err, text)
		}
		return tok
	}
	read = func() any {
		switch tok := token(); tok {
		case json.Delim('{'):
			o := []pair{}
			for d.More() {
				key := token().(string)
				o = append(o, pair{key, read()})
			}
			token()
			return o
		case json.Delim('['):
			l := []any{}
			for d.More() {
				l = append(l, read())
			}
			token()
			return l
		default:
			return tok
		}
	}
	return read()
}

// shapes are the values that differ from run to run, and what they must look like.
var shapes = map[string]*regexp.Regexp{
	"createdAt":       regexp.MustCompile(`^\d{13}$`),
	"requestNonce":    uuidShape,
	"nonce":           uuidShape,
	"uuid":            uuidShape,
	"polkadotJson":    regexp.MustCompile(`^0a10[0-9a-f]{32}128002[0-9a-f]+$`),
	"ss58Phala":       regexp.MustCompile(`^(3z|4[1-9A-HJ-NP-Za-km-z])[1-9A-HJ-NP-Za-km-z]{46}$`),
	"ss58Polkadot":    regexp.MustCompile(`^1[1-9A-HJ-NP-Za-km-z]{46,47}$`),
	"workerAccountId": regexp.MustCompile(`^(3z|4[1-9A-HJ-NP-Za-km-z])[1-9A-HJ-NP-Za-km-z]{46}$`),
	"publicKey":       regexp.MustCompile(`^[0-9a-f]{64}$`),
	"chainIdentity":   regexp.MustCompile(`^0x[0-9a-f]{64}$`),
	"remoteAddr":      regexp.MustCompile(`^/ip4/127\.0\.0\.1/tcp/\d+/p2p/Qm\w{44}$`),
	"status":          regexp.MustCompile(`^S_[A-Z_]+$`),
	"lastMessage":     regexp.MustCompile(`^(\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00\] .+)?$`),
}

var oneCharacter = regexp.MustCompile(`^Worker [0-9a-f] not found!$`)

var uuidShape = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// isInvented says whether a number differs because the recording's heights are invented. Only a data provider's -1, none
// yet, means something.
func isInvented(where, key string, got, want json.Number) bool {
	height := strings.HasPrefix(key, "parent") || strings.HasPrefix(key, "para") && key != "paraId"
	none := (got == "-1") != (want == "-1")
	return height && (!none || strings.Contains(where, "workerStates") || strings.HasSuffix(key, "CommittedHeight"))
}

func (r *replay) compare(where, key string, got, want any) {
	r.t.Helper()
	switch want := want.(type) {
	case []pair:
		r.compareObjects(where, got, want)
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			r.t.Errorf("%s.%s: %d elements, want %d", where, key, len(got), len(want))
			return
		}
		if key == "workerStates" { // in no order
			sortStates(got)
			want = slices.Clone(want)
			sortStates(want)
		}
		for i := range want {
			r.compare(fmt.Sprintf("%s[%d]", where, i), key, got[i], want[i])
		}
	case json.Number:
		n, ok := got.(json.Number)
		if !ok || n != want && !isInvented(where, key, n, want) {
			r.t.Errorf("%s: %v, want %v", where, got, want)
		}
	case string:
		r.compareTexts(where, key, got, want)
	default:
		if got != want {
			r.t.Errorf("%s.%s: %v, want %v", where, key, got, want)
		}
	}
}

func (r *replay) compareObjects(where string, got any, want []pair) {
	r.t.Helper()
	g, ok := got.([]pair)
	keys := func(o []pair) (all []string) {
		for _, p := range o {
			all = append(all, p.key)
		}
		return all
	}
	have, need := keys(g), keys(want)
	if slices.Contains(need, "sessionInfoJson") { // which fields are there depends on the state, which is invented
		need = slices.DeleteFunc(need, func(k string) bool { return !slices.Contains(have, k) })
		have = slices.DeleteFunc(slices.Clone(have), func(k string) bool { return !slices.Contains(need, k) })
	}
	if strings.HasPrefix(where, "lm2-list-pool") { // a row put into the database by hand has no realPhalaSs58
		have = slices.DeleteFunc(have, func(k string) bool { return k == "realPhalaSs58" })
	}
	if !ok || !slices.Equal(have, need) {
		r.t.Errorf("%s: keys %v, want %v", where, have, need)
		return
	}
	for _, p := range want {
		if i := slices.IndexFunc(g, func(o pair) bool { return o.key == p.key }); i >= 0 {
			r.compare(where+"."+p.key, p.key, g[i].value, p.value)
		}
	}
}

func (r *replay) compareTexts(where, key string, got any, want string) {
	r.t.Helper()
	s, ok := got.(string)
	if ok && key == "uuid" && r.ids[want] == "" {
		r.ids[want] = s
	}
	switch {
	case ok && key == "sessionInfoJson":
		r.compareSessions(where, s, want)
	case key == "status" && !strings.Contains(where, "workerStates") && s != want:
		r.t.Errorf("%s: %q, want %q", where, got, want)
	case ok && shapes[key] != nil && shapes[key].MatchString(s) && (key != "uuid" || r.ids[want] == s):
	case ok && strings.HasPrefix(where, "restart-ids-string") && oneCharacter.MatchString(s): // of an uuid, and uuids differ
	case !ok || s != r.translate(want):
		r.t.Errorf("%s: %q, want %q", where, got, want)
	}
}

// compareSessions holds two sessionInfoJson texts against each other: the same keys in the same order, the same layout.
func (r *replay) compareSessions(where, got, want string) {
	r.t.Helper()
	full := func(s string) bool { return strings.Contains(s, `"memoryUsage"`) && strings.Contains(s, `"raw"`) }
	value := regexp.MustCompile(`: (true|false|"[^"]*"|-?\d+)(,?)`)
	if g, w := value.ReplaceAllString(got, ": _$2"), value.ReplaceAllString(want, ": _$2"); g != w && full(got) == full(want) {
		r.t.Errorf("%s:\n%s\nwant\n%s", where, g, w)
	}
}

func sortStates(states []any) {
	name := func(v any) string {
		for _, p := range v.([]pair) {
			if p.key == "worker" {
				for _, p := range p.value.([]pair) {
					if p.key == "name" {
						return p.value.(string)
					}
				}
			}
		}
		return ""
	}
	slices.SortStableFunc(states, func(a, b any) int { return strings.Compare(name(a), name(b)) })
}
