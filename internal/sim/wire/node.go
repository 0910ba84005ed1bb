package wire

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"phalops/internal/sim/world"
)

const (
	rpcBodyLimit      = 15 << 20 // of a request
	rpcMaxConnections = 100      // WebSocket connections of one port (--rpc-max-connections)
)

// speech is what a port of a node understands.
type speech int

const (
	speaksBoth speech = iota // builds since 2023-05
	speaksHTTP               // 9933 and 9934 of older builds
	speaksWS                 // 9944 and 9945 of older builds
)

// nodePort serves one chain of a node as its JSON-RPC server (jsonrpsee) does.
type nodePort struct {
	face    *Face
	node    string
	side    func(*world.Node) *world.NodeChain
	speaks  speech
	running *sync.WaitGroup // of sessions: their connections are no longer the HTTP server's
	slots   chan struct{}   // of sessions
}

func newNodeHandler(face *Face, node string, side func(*world.Node) *world.NodeChain, speaks speech, running *sync.WaitGroup) http.Handler {
	return &nodePort{face, node, side, speaks, running, make(chan struct{}, rpcMaxConnections)}
}

// portState is how the port does at one moment.
type portState struct {
	listening, hung bool
	link            int // see world.Node.Link
	trouble         world.RPCTrouble
}

func (p *nodePort) state() (s portState) {
	p.face.Do(func(w *world.World) { s = p.stateIn(w) })
	return s
}

func (p *nodePort) stateIn(w *world.World) portState {
	n := w.Node(p.node)
	return portState{n.Listening(), n.Hung(), n.Link(), p.side(n).RPC()}
}

// view is the port's chain; only for use within Face.Do.
func (p *nodePort) view(w *world.World) chainView {
	n := w.Node(p.node)
	return chainView{node: n, world: w, states: &p.face.states, NodeChain: p.side(n), now: w.Now(), trouble: p.side(n).RPC()}
}

// call answers one method of HTTP, or one of WebSocket that is no subscription.
func (p *nodePort) call(method string, params json.RawMessage) (result any, failed *rpcError) {
	p.face.Do(func(w *world.World) { result, failed = p.view(w).call(method, params) })
	return result, failed
}

func (p *nodePort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, rpcBodyLimit+1))
	state := p.state()
	upgrade := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	switch {
	case !state.listening:
		refuse(w)
	case state.hung:
		<-r.Context().Done()
	case upgrade && p.speaks != speaksHTTP:
		p.serveWS(w, r)
	case p.speaks == speaksWS: // which words these builds choose is not recorded
		rpcText(w, http.StatusBadRequest, "Bad Request\n")
	case r.Method != http.MethodPost:
		rpcText(w, http.StatusMethodNotAllowed, "Used HTTP Method is not allowed. POST or OPTIONS is required\n")
	case !isRPCContent(r.Header.Get("Content-Type")):
		rpcText(w, http.StatusUnsupportedMediaType, "Supplied content type is not allowed. Content-Type: application/json is required\n")
	case len(body) > rpcBodyLimit:
		rpcJSON(w, http.StatusRequestEntityTooLarge, rpcFailed(nil, rpcTooBig))
	case !waited(r.Context().Done(), state.trouble.Slow):
	case state.trouble.Garbage != "":
		status, kind, text := garbage(state.trouble.Garbage)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	case state.trouble.Huge:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = writeHuge(w, body)
	default:
		rpcJSON(w, rpcStatus(body), answerBody(body, p.call))
	}
}

// waited waits in real time; false when done came first.
func waited(done <-chan struct{}, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
		return false
	}
}

// isRPCContent knows the three spellings that the server knows.
func isRPCContent(t string) bool {
	return slices.Contains([]string{"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"}, strings.ToLower(t))
}

func rpcJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func rpcText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
