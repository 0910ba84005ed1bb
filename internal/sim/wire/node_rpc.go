package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    string `json:"data,omitempty"`
}

var (
	rpcParse    = rpcError{Code: -32700, Message: "Parse error"}
	rpcInvalid  = rpcError{Code: -32600, Message: "Invalid request"}
	rpcUnknown  = rpcError{Code: -32601, Message: "Method not found"}
	rpcParams   = rpcError{Code: -32602, Message: "Invalid params"}
	rpcInternal = rpcError{Code: -32603, Message: "Internal error"}
	rpcUnsafe   = rpcError{Code: -32601, Message: "RPC call is unsafe to be called externally"}
	rpcTooBig   = rpcError{Code: -32007, Message: "Request is too big"}
)

type rpcRequest struct {
	Version *string         `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
}

type rpcCall func(method string, params json.RawMessage) (any, *rpcError)

// rpcStatus is the HTTP status of the answer: a body that begins neither like an object nor like a list is refused by the
// transport; everything else is 200.
func rpcStatus(body []byte) int {
	if trimmed := trimJSON(body); len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

func trimJSON(body []byte) []byte { return bytes.TrimLeft(body, " \t\r\n") }

// answerBody answers a single request or a batch; nil where there is nothing to say, because all were notifications.
func answerBody(body []byte, call rpcCall) []byte {
	trimmed := trimJSON(body)
	switch {
	case rpcStatus(trimmed) != http.StatusOK:
		return rpcFailed(nil, rpcParse)
	case trimmed[0] == '{':
		return answerRPC(trimmed, call)
	}
	var batch []json.RawMessage
	if json.Unmarshal(trimmed, &batch) != nil {
		return rpcFailed(nil, rpcParse)
	}
	if len(batch) == 0 {
		return rpcFailed(nil, rpcInvalid)
	}
	var answers [][]byte
	for _, one := range batch {
		if a := answerRPC(one, call); a != nil {
			answers = append(answers, a)
		}
	}
	if len(answers) == 0 {
		return nil
	}
	return slices.Concat([]byte("["), bytes.Join(answers, []byte(",")), []byte("]"))
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

// rpcNotice is what a subscription says.
func rpcNotice(method, subscription string, result any) []byte {
	type params struct {
		Subscription string `json:"subscription"`
		Result       any    `json:"result"`
	}
	return marshal(struct {
		Version string `json:"jsonrpc"`
		Method  string `json:"method"`
		Params  params `json:"params"`
	}{"2.0", method, params{subscription, result}})
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
