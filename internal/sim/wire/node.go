package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"phalops/internal/sim/world"
)

// rpcBodyLimit is the node's own limit of a request.
const rpcBodyLimit = 15 << 20

// newNodeHandler serves one chain of a node as its JSON-RPC server (jsonrpsee) does over HTTP.
func newNodeHandler(face *Face, node string, side func(*world.Node) *world.NodeChain) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, rpcBodyLimit+1))
		var listening, hung bool
		face.Do(func(w *world.World) {
			n := w.Node(node)
			listening, hung = n.Listening(), n.Hung()
		})
		switch {
		case !listening:
			refuse(w)
		case hung:
			<-r.Context().Done()
		case r.Method != http.MethodPost:
			rpcText(w, http.StatusMethodNotAllowed, "Used HTTP Method is not allowed. POST or OPTIONS is required\n")
		case !isRPCContent(r.Header.Get("Content-Type")):
			rpcText(w, http.StatusUnsupportedMediaType, "Supplied content type is not allowed. Content-Type: application/json is required\n")
		case len(body) > rpcBodyLimit:
			rpcJSON(w, http.StatusRequestEntityTooLarge, rpcFailed(nil, rpcError{-32007, "Request is too big"}))
		default:
			serveRPC(w, body, func(method string, params json.RawMessage) (result any, failed *rpcError) {
				face.Do(func(w *world.World) {
					n := w.Node(node)
					result, failed = callNode(n, side(n), w.Now(), method, params)
				})
				return result, failed
			})
		}
	})
}

// isRPCContent knows the three spellings that the server knows.
func isRPCContent(t string) bool {
	return slices.Contains([]string{"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"}, strings.ToLower(t))
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

var (
	rpcParse    = rpcError{-32700, "Parse error"}
	rpcInvalid  = rpcError{-32600, "Invalid request"}
	rpcUnknown  = rpcError{-32601, "Method not found"}
	rpcParams   = rpcError{-32602, "Invalid params"}
	rpcInternal = rpcError{-32603, "Internal error"}
	rpcUnsafe   = rpcError{-32601, "RPC call is unsafe to be called externally"}
)

type rpcRequest struct {
	Version *string         `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
}

type rpcCall func(method string, params json.RawMessage) (any, *rpcError)

// serveRPC answers a single request or a batch. A body that begins neither like an object nor like a list is refused by
// the transport; everything else is status 200.
func serveRPC(w http.ResponseWriter, body []byte, call rpcCall) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[':
		rpcJSON(w, http.StatusBadRequest, rpcFailed(nil, rpcParse))
	case trimmed[0] == '{':
		rpcJSON(w, http.StatusOK, answerRPC(trimmed, call))
	default:
		var batch []json.RawMessage
		if json.Unmarshal(trimmed, &batch) != nil {
			rpcJSON(w, http.StatusOK, rpcFailed(nil, rpcParse))
			return
		}
		if len(batch) == 0 {
			rpcJSON(w, http.StatusOK, rpcFailed(nil, rpcInvalid))
			return
		}
		var answers [][]byte
		for _, one := range batch {
			if a := answerRPC(one, call); a != nil {
				answers = append(answers, a)
			}
		}
		if len(answers) == 0 { // notifications only
			rpcJSON(w, http.StatusOK, nil)
			return
		}
		rpcJSON(w, http.StatusOK, slices.Concat([]byte("["), bytes.Join(answers, []byte(",")), []byte("]")))
	}
}

// answerRPC answers one request; nil for a notification.
func answerRPC(body []byte, call rpcCall) []byte {
	var q rpcRequest
	if err := json.Unmarshal(body, &q); err != nil {
		if json.Valid(body) {
			return rpcFailed(nil, rpcInvalid)
		}
		return rpcFailed(nil, rpcParse)
	}
	if q.Version == nil || *q.Version != "2.0" || q.Method == nil || !isRPCID(q.ID) {
		if !isRPCID(q.ID) {
			q.ID = nil
		}
		return rpcFailed(q.ID, rpcInvalid)
	}
	if q.ID == nil {
		return nil
	}
	result, failed := call(*q.Method, q.Params)
	if failed != nil {
		return rpcFailed(q.ID, *failed)
	}
	return marshal(struct {
		Version string          `json:"jsonrpc"`
		Result  any             `json:"result"`
		ID      json.RawMessage `json:"id"`
	}{"2.0", result, q.ID})
}

// isRPCID accepts a number, a string, null, or nothing.
func isRPCID(id json.RawMessage) bool {
	return len(id) == 0 || strings.ContainsRune(`"-0123456789n`, rune(id[0]))
}

func rpcFailed(id json.RawMessage, e rpcError) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	return marshal(struct {
		Version string          `json:"jsonrpc"`
		Error   rpcError        `json:"error"`
		ID      json.RawMessage `json:"id"`
	}{"2.0", e, id})
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

// marshal is JSON as other languages write it: <, > and & as they are.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only for a type that has no JSON: a mistake in this package
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
