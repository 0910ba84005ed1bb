package remedy_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The lab's containers hold dummies. What a node's RPC and a bridge's monitor would say is said here, as the containers'
// processes come and go: nothing grows while something that it needs is down.

// serve listens on a loopback address for the time of the test.
func serve(t *testing.T, addr string, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// height is a number that grows by twenty a second.
func (r *rig) height() int64 { return 3_000_000 + time.Since(r.born).Milliseconds()/50 }

// node is both chains' JSON-RPC.
func (r *rig) node(w http.ResponseWriter, req *http.Request) {
	var call struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if json.NewDecoder(req.Body).Decode(&call) != nil || !r.up("phala-node") || call.Method != "system_syncState" {
		panic(http.ErrAbortHandler) // nobody listens
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"startingBlock":1,"currentBlock":%d,"highestBlock":%[2]d}}`, call.ID, r.height())
}

const (
	providerPeer  = "QmdnGProvider"
	lifecyclePeer = "QmPtNLifecycle"
)

// monitor is the v2 monitor of both bridges, in the words of prb-v0-v2-api, 1.2 and 1.3.
func (r *rig) monitor(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if req.URL.Path == "/ptp/discover" {
		fmt.Fprintf(w, `{"dataProviders":[{"peerId":%q,"hostname":"data_provider","role":1,"remoteAddr":"/ip4/127.0.0.1/tcp/28888/p2p/%[1]s"}],
			"lifecycleManagers":[{"peerId":%q,"hostname":"lifecycle","role":3,"remoteAddr":"/ip4/127.0.0.1/tcp/29888/p2p/%[2]s"}]}`, providerPeer, lifecyclePeer)
		return
	}
	fed := r.up("phala-node") && r.up("bridge_dp_data_provider_1")
	peer, method, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/ptp/proxy/"), "/")
	switch {
	case peer == providerPeer && !fed, peer == lifecyclePeer && !r.up("bridge_lifecycle_1"):
		fmt.Fprint(w, `{"hasError":true,"error":{"name":"AggregateError"},"meta":null}`)
	case method == "GetDataProviderInfo":
		reply(w, fmt.Sprintf(`{"status":"S_IDLE","paraId":2004,"parentProcessedHeight":%d,"paraProcessedHeight":%[1]d}`, r.height()))
	case method == "ListWorker":
		reply(w, `{"workers":[`+labWorker+`]}`)
	case method == "GetWorkerStatus":
		h := int64(2_999_999)
		if fed {
			h = r.height()
		}
		reply(w, fmt.Sprintf(`{"workerStates":[{"status":"S_ACTIVE","paraBlockDispatchedTo":%d,"lastMessage":"","worker":%s}]}`, h, labWorker))
	default:
		reply(w, `{}`)
	}
}

const labWorker = `{"uuid":"6ce21540-0266-4720-9da8-58b862da8177","pid":"83","name":"w-01","endpoint":"http://127.0.100.1:8000","enabled":true,"deleted":false,"stake":"10000000000000","syncOnly":false}`

func reply(w http.ResponseWriter, data string) {
	now := strconv.FormatInt(time.Now().UnixMilli(), 10)
	fmt.Fprintf(w, `{"data":%s,"hasError":false,"meta":{"createdAt":%q,"requestNonce":"n","nonce":"n","hasError":false}}`, data, now)
}
