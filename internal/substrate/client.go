// Package substrate speaks to any Substrate node: a parachain, a relay chain or any other.
package substrate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"phalops/internal/fleet"
)

// Poster sends one HTTP POST and returns the whole reply, whatever its status; wire.Client is one. The limits of time and
// size are its own.
type Poster interface {
	Post(ctx context.Context, url, contentType string, body []byte) (status int, reply []byte, err error)
}

// Lender is a Poster that uses the memory of big requests and replies again: body appends the request, and nobody looks at the reply any more
// once free was called, which need not happen.
type Lender interface {
	PostLent(ctx context.Context, url, contentType string, body func([]byte) []byte) (status int, reply []byte, free func(), err error)
}

// Client calls one node over JSON-RPC 2.0 by HTTP POST. It is safe for concurrent use.
type Client struct {
	url  string
	http Poster
	id   atomic.Uint64
}

// New makes a Client of the node at url.
func New(url string, http Poster) *Client { return &Client{url: url, http: http} }

// URL is the node's address.
func (c *Client) URL() string { return c.url }

const jsonType = "application/json"

type request struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

// Call asks one question and decodes the result into out (nil: the result does not matter). The node's own refusal is an
// *RPCError, nonsense a *ReplyError, and silence the Poster's error.
func (c *Client) Call(ctx context.Context, out any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	req := request{Version: "2.0", ID: c.id.Add(1), Method: method, Params: params}
	body, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("%s: encode parameters: %w", method, err)
	}
	status, reply, err := c.http.Post(ctx, c.url, jsonType, body)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	result, err := decodeReply(method, req.ID, status, reply)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(result, out); err != nil {
		return badReply(method, status, "the result has another shape: "+err.Error())
	}
	return nil
}

// decodeReply takes a reply apart. A well-formed error object counts whatever the status and the id, because a server that
// could not read the request answers with id null and often with status 400 or 413.
func decodeReply(method string, id uint64, status int, body []byte) (json.RawMessage, error) {
	var reply struct {
		ID     json.RawMessage `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    json.RawMessage `json:"code"`
			Message json.RawMessage `json:"message"`
			Data    json.RawMessage `json:"data"`
		} `json:"error"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		if status != http.StatusOK {
			return nil, badReply(method, status, "no JSON")
		}
		return nil, badReply(method, status, "no JSON: "+err.Error())
	}
	if reply.Error != nil {
		e := &RPCError{Method: method, Message: text(reply.Error.Message), Data: text(reply.Error.Data)}
		_ = json.Unmarshal(reply.Error.Code, &e.Code) // some servers leave it out
		return nil, e
	}
	switch {
	case status != http.StatusOK:
		return nil, badReply(method, status, "unexpected status")
	case !sameID(reply.ID, id):
		return nil, badReply(method, status, "the answer belongs to another question")
	case reply.Result == nil:
		return nil, badReply(method, status, "neither result nor error")
	}
	return reply.Result, nil
}

func sameID(raw json.RawMessage, id uint64) bool {
	return string(bytes.TrimSpace(raw)) == fmt.Sprint(id)
}

// text is a JSON string's content, or whatever else stands there as it is.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// RPCError is a node's own refusal. Codes: paritytech/jsonrpsee types/src/error.rs and the substrate RPC crates.
type RPCError struct {
	Method  string
	Code    int // 0 where the server leaves it out
	Message string
	Data    string // the string itself, or JSON; often the real cause
}

func (e *RPCError) Error() string {
	s := fmt.Sprintf("%s: the node says %d %s", e.Method, e.Code, clip(e.Message))
	if e.Data != "" {
		s += " (" + clip(e.Data) + ")"
	}
	return s
}

// Unwrap gives the sentence for people.
func (e *RPCError) Unwrap() error {
	return fleet.Fail(fleet.Failed, fleet.Because("substrate.rpc_error", "method", e.Method, "code", e.Code, "message", clip(e.Message)))
}

// Missing reports whether the node does not have the method, or does not offer it to strangers: nodes say both with
// -32601, and some servers only in words.
func (e *RPCError) Missing() bool {
	return e.Code == -32601 || strings.HasPrefix(strings.ToLower(e.Message), "method not found")
}

// ReplyError is an answer that is not JSON-RPC, or not the answer to what was asked.
type ReplyError struct {
	Method string
	Status int // of HTTP
	What   string
}

func badReply(method string, status int, what string) *ReplyError {
	return &ReplyError{Method: method, Status: status, What: clip(what)}
}

func (e *ReplyError) Error() string {
	return fmt.Sprintf("%s: not a node's answer (status %d): %s", e.Method, e.Status, e.What)
}

// Unwrap gives the sentence for people.
func (e *ReplyError) Unwrap() error {
	return fleet.Fail(fleet.Unavailable, fleet.Because("substrate.bad_reply", "method", e.Method, "status", e.Status, "what", e.What))
}

// clip bounds foreign text in errors.
func clip(s string) string {
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
