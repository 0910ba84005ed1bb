package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
)

const firstPruntime = "http://127.61.150.1:8000"

func TestPruntimeAnswersByTheBook(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 2})
	const inJSON = "application/json"
	for _, c := range []struct {
		method, path, contentType, body string
		status                          int
		want                            string // is in the body
	}{
		{"GET", "/prpc/PhactoryAPI.GetInfo", "", "", 200, `{"initialized":true,"registered":true,"genesis_block_hash":"`},
		{"POST", "/prpc/PhactoryAPI.GetInfo?json=true", "", "", 200, `"headernum":16399998,"para_headernum":2999998,"blocknum":2999998,"state_root":"`},
		{"POST", "//prpc/PhactoryAPI.GetInfo", inJSON, "{}", 200, `"supported_attestation_methods":["none","dcap"],"live_sidevm_instances":0,"query_timeout":10}`},
		{"POST", "/prpc/PhactoryAPI.GetInfo", "", "", 200, "\x08\x01\x10\x01\x22\x40"},
		{"POST", "/prpc/PhactoryAPI.GetInfo", inJSON, strings.Repeat(" ", 1025), 413, "Entity too large"},
		{"POST", "/prpc/PhactoryAPI.GetInfo", inJSON, "[", 400, "{\n  \"error\": \"DecodeError("},
		{"POST", "/prpc/PhactoryAPI.GetInfo", "", "\xff", 400, "DecodeError("},
		{"GET", "/prpc/PhactoryAPI.Sneeze", "", "", 404, "{\n  \"error\": \"ProtoError { message: \\\"Method Not Found\\\" }\"\n}"},
		{"GET", "/prpc/GetInfo", "", "", 404, "Method Not Found"},
		{"GET", "/prpc/PhactoryAPI.TakeCheckpoint", "", "", 200, `{"synced_to":2999997}`},
		{"POST", "/prpc/PhactoryAPI.Echo", inJSON, `{"echo_msg":[1,2]}`, 200, `{"echo_msg":[1,2]}`},
		{"POST", "/prpc/PhactoryAPI.Echo", "", "\x0a\x02ab", 200, "\x0a\x02ab"},
		{"GET", "/prpc/PhactoryAPI.GetRuntimeInfo", "", "", 200, `{"encoded_runtime_info":[`},
		{"GET", "/get_info", "", "", 200, `"status":"ok"}`},
		{"POST", "/get_info", inJSON, `{"input":{},"nonce":{}}`, 200, `{"payload":"{\"blocknum\":2999998,\"can_load_chain_state\":false,`},
		{"POST", "/get_info", "", `{"input":{},"nonce":{}}`, 404, "404: Not Found"},
		{"POST", "/get_info", inJSON, `{}`, 422, "422: Unprocessable Entity"},
		{"GET", "/info", "", "", 200, "{\n  \"initialized\": true,\n"},
		{"POST", "/kick", "", "", 404, "404: Not Found"},
		{"GET", "/", "", "", 404, "404: Not Found"},
	} {
		status, _, got, err := s.ask(c.method, firstPruntime+c.path, c.contentType, c.body)
		if err != nil || status != c.status || !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %d %s, %v; want %d %s", c.method, c.path, status, got, err, c.status, c.want)
		}
	}
}

// Every field of the reference is there, also in what a pRuntime says before it knows a chain.
func TestPhactoryInfoFields(t *testing.T) {
	const fields = "blocknum can_load_chain_state current_block_time dev_mode ecdh_public_key gatekeeper genesis_block_hash git_revision headernum " +
		"initialized live_sidevm_instances max_supported_pink_runtime_version memory_usage para_headernum pending_messages public_key query_timeout " +
		"registered safe_mode_level score state_root supported_attestation_methods system version waiting_for_paraheaders"
	w := world.New(epoch, 1)
	p := w.AddFreshPruntime("http://127.61.150.9:8000", w.AddNetwork("khala"))
	var o map[string]any
	if err := json.Unmarshal(marshal(showPhactory(p)), &o); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(slices.Sorted(maps.Keys(o)), " "); got != fields {
		t.Errorf("fields %s", got)
	}
	for key, want := range map[string]any{"initialized": false, "public_key": nil, "system": nil, "headernum": 0.0, "state_root": "", "can_load_chain_state": true} {
		if o[key] != want {
			t.Errorf("%s is %v", key, o[key])
		}
	}
}

func TestPruntimeKickDownAndHung(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 2})
	s.face.Do(func(w *world.World) { w.Pruntime(firstPruntime).KickAPI = true })
	if _, _, got, err := s.ask("POST", firstPruntime+"/kick", "", ""); err == nil {
		t.Errorf("the process is gone and says %s", got)
	}
	s.pass(time.Second)
	if _, _, _, err := s.ask("GET", firstPruntime+"/info", "", ""); err == nil {
		t.Error("it answers while it restarts")
	}
	s.pass(20 * time.Second)
	if _, _, _, err := s.ask("GET", firstPruntime+"/info", "", ""); err != nil {
		t.Error(err)
	}
	s.face.Do(func(w *world.World) {
		_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.SegmentLoss, Target: "127.61.150.0/24"}}})
	})
	s.pass(time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.post(ctx, "http://127.61.150.2:8000/prpc/PhactoryAPI.GetInfo", ""); err == nil {
		t.Error("out of reach, and answers")
	}
}

func TestHeadersCacheAnswersByTheBook(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 1})
	base := s.HeadersCaches[0].URL
	const sic = "hig" + "est"
	for request, want := range map[string]string{
		"GET /state":                   `200 {"genesis":[8325311],"recent_imported":{"header":16399997,"para_header":null,"storage_changes":null},"` + sic + `":{"header":16399997,"para_header":null,"storage_changes":null},"checked":{"header":null,"para_header":null,"storage_changes":null}}`,
		"GET /genesis/1":               "404 genesis not found",
		"GET /header/1":                "404 header not found",
		"GET /header/16399998":         "404 header not found",
		"GET /headers/16399997":        "404 header not found",
		"GET /parachain-headers/1/1":   "404 header not found",
		"PUT /headers":                 "403 ",
		"GET /check?chain=relay&from=": "403 ",
	} {
		method, path, _ := strings.Cut(request, " ")
		status, _, got, err := s.ask(method, base+path, "", "")
		if text := fmt.Sprintf("%d %s", status, got); err != nil || text != want && (status != 403 || !strings.HasPrefix(text, want)) {
			t.Errorf("%s: %s, %v; want %s", request, text, err, want)
		}
	}
	for path, bytes := range map[string]int{"/genesis/8325311": 32 + 4 + 32 + 32 + 1, "/header/16399997": 101, "/headers/16399000": 2 + 361*101} {
		status, _, got, err := s.ask("GET", base+path, "", "")
		if err != nil || status != 200 || len(got) != bytes {
			t.Errorf("%s: %d with %d bytes, %v; want %d", path, status, len(got), err, bytes)
		}
	}
}

func FuzzPRPC(f *testing.F) {
	f.Add("Echo", []byte(`{"echo_msg":[1,256]}`), true)
	f.Add("Echo", []byte{0x0a, 0x02, 'a', 'b'}, false)
	f.Add("GetInfo", []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, false)
	w := world.New(epoch, 1)
	rt := w.AddPruntime(firstPruntime, w.AddNetwork("khala"))
	methods := prpcMethods()
	f.Fuzz(func(t *testing.T, method string, body []byte, inJSON bool) {
		call, ok := methods[method]
		if !ok {
			return
		}
		asked, err := call.decode(body, inJSON)
		if err != nil {
			return
		}
		reply := call.answer(rt, asked)
		if reply.failure == "" && !reply.dies && !json.Valid(marshal(reply.value)) {
			t.Errorf("%s: %v", method, reply.value)
		}
	})
}

// TestManyPruntimesAreCheap: a thousand listeners cost a goroutine each, and none of them stays.
func TestManyPruntimesAreCheap(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a thousand ports")
	}
	leak := goleak.IgnoreCurrent()
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := world.New(epoch, 1)
	world.DefaultFleet(w, world.FleetOptions{Workers: 1, V3Workers: 1000, Net: 61})
	server, err := Serve(ctx, NewFace(w, clock.NewVirtual(epoch)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := runtime.NumGoroutine() - before; n > 1100 {
		t.Errorf("%d goroutines", n)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, i := range []int{0, 500, 999} {
		url := fmt.Sprintf("http://127.61.%d.%d:8000/info", 150+i/250, 1+i%250)
		r, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
	}
	server.Close()
	goleak.VerifyNone(t, leak)
}

// BenchmarkPruntimePorts is opening, following once, and closing the ports of a thousand pRuntimes.
func BenchmarkPruntimePorts(b *testing.B) {
	w := world.New(epoch, 1)
	world.DefaultFleet(w, world.FleetOptions{Workers: 1, V3Workers: 1000, Net: 61})
	face := NewFace(w, clock.NewVirtual(epoch))
	b.ReportAllocs()
	for b.Loop() {
		server, err := Serve(b.Context(), face, Options{})
		if err != nil {
			b.Fatal(err)
		}
		server.Close()
	}
}

// BenchmarkFollowPruntimes is one round of following the world with a thousand pRuntimes.
func BenchmarkFollowPruntimes(b *testing.B) {
	s := serveV3(b, world.FleetOptions{Workers: 1, V3Workers: 1000, Net: 61})
	b.ReportAllocs()
	for b.Loop() {
		if err := s.server.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}
