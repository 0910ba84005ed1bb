package v0

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

// fault says where a question got stuck.
type fault string

const (
	faultWire    fault = "wire"     // no HTTP answer
	faultNotHTTP fault = "not HTTP" // something came, and no HTTP
	faultHTTP    fault = "http"     // another answer than the monitor gives
	faultNoReply fault = "no reply" // the monitor gave up waiting for the bridge, which may be at work still
	faultGarbage fault = "garbage"  // an answer that makes no sense
	faultRequest fault = "request"  // the monitor refused the request itself
	faultBridge  fault = "bridge"   // the bridge refused, with a known meaning
	faultServer  fault = "server"   // an exception in the bridge that is not known here
)

// ambiguous reports whether a command that met the fault may have been carried out. (For faultWire, wire knows.)
func (f fault) ambiguous() bool { return f == faultNoReply || f == faultGarbage || f == faultNotHTTP }

// callError is a fault with its sentence.
type callError struct {
	fault fault
	error // a *fleet.Error, or wire's
}

func (e *callError) Unwrap() error { return e.error }

func fail(f fault, kind fleet.ErrorKind, reason fleet.Reason, cause error) error {
	return &callError{f, fleet.FailWith(kind, reason, cause)}
}

// faultOf is the fault of err, "" for nil and for errors that are none.
func faultOf(err error) fault {
	if e, ok := errors.AsType[*callError](err); ok {
		return e.fault
	}
	return ""
}

type commandError struct {
	command string
	error
}

func (e *commandError) Error() string { return e.command + ": " + e.error.Error() }
func (e *commandError) Unwrap() error { return e.error }

// question is one command on its way.
type question struct {
	service string // manager or fetcher
	command string
	subject string // whom it is about, for sentences: a worker's id, or ""
	write   bool   // one at a time
}

// ask is call for questions that change nothing: a connection that was closed under it is tried once more.
func (c *Client) ask(ctx context.Context, q question, value any) (*prb.Doc, error) {
	content, err := c.call(ctx, q, value)
	if wire.ClassOf(err) != wire.Closed {
		return content, err
	}
	if c.clock.Sleep(ctx, retryPause) != nil {
		return nil, err
	}
	return c.call(ctx, q, value)
}

// call sends one command and returns the content of the reply, to be freed. The body must have exactly one command, and every field the
// type of its protobuf field: a number where a string belongs ends the monitor's process. So value is made of structs.
func (c *Client) call(ctx context.Context, q question, value any) (*prb.Doc, error) {
	body, err := json.Marshal(map[string]any{q.command: value})
	if err != nil {
		return nil, fail(faultRequest, fleet.Failed, fleet.Because("prb.request_refused", "method", q.command, "url", c.shown, "code", "JSON"), nil)
	}
	request := wire.Request{
		Method: http.MethodPost, URL: c.base + "/api/query_" + q.service, Body: body,
		Header:  http.Header{"Content-Type": {"application/json"}}, // with another one the monitor waits for nothing
		Timeout: callTimeout, MaxBody: maxReply,
	}
	if q.write {
		request.Serial = c.base + " write"
	}
	resp, err := c.http.Do(ctx, request)
	if err != nil {
		return nil, wireFailure(err, q, c.shown)
	}
	defer resp.Free() // the parser has its own copy
	return decodeReply(c.parsers, resp.Status, resp.Body, q, c.shown)
}

// wireFailure is the failure of an exchange. The error of one that was not HTTP quotes what came instead, and from a broken
// proxy that may be the middle of a list with keys: it is dropped.
func wireFailure(err error, q question, url string) error {
	if wire.ClassOf(err) == wire.Protocol && strings.Contains(err.Error(), "malformed") {
		return fail(faultNotHTTP, fleet.Unavailable, fleet.Because("prb.garbage", "method", q.command, "url", url), nil)
	}
	return &callError{faultWire, &commandError{q.command, err}}
}

// decodeReply reads the monitor's envelope. Causes of the JSON decoder are dropped: they may quote the text, and replies
// carry private keys.
func decodeReply(parsers *prb.Parsers, status int, body []byte, q question, url string) (*prb.Doc, error) {
	switch said := string(bytes.TrimSpace(body)); {
	case status == http.StatusOK:
	case status == http.StatusInternalServerError && said == "Internal Server Error":
		return nil, fail(faultNoReply, fleet.Unavailable, fleet.Because("prb.no_reply", "method", q.command, "service", q.service, "url", url), nil)
	case status == http.StatusBadRequest && said == "Invalid JSON", status == http.StatusRequestEntityTooLarge:
		return nil, fail(faultRequest, fleet.Failed, fleet.Because("prb.request_refused", "method", q.command, "url", url, "code", status), nil)
	case status >= 500: // a gateway's word, not the monitor's: what lies behind it is unknown
		return nil, fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.http_status", "method", q.command, "status", status, "url", url), nil)
	default:
		return nil, fail(faultHTTP, fleet.Unavailable, fleet.Because("prb.not_v0", "url", url, "status", status), nil)
	}
	garbage := fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.garbage", "method", q.command, "url", url), nil)
	reply, err := parsers.Parse(body)
	if err != nil {
		return nil, garbage
	}
	content := reply.Get("content")
	switch failed := content.Get("error"); {
	case !content.IsObject():
	case failed.Absent():
		return reply.At(content), nil
	case failed.Get("extra").Text() != "":
		garbage = explain(failed.Get("extra").Text(), q)
	}
	reply.Free()
	return nil, garbage
}

var badRecord = regexp.MustCompile(`^(Duplicated|Missing) key '([A-Za-z]{1,20})' in (pool|worker) item `)

// explain turns an error text into an error. Some of the texts quote the whole record, its private key included, so nothing
// of a text that is known is passed on, and everything else is redacted.
func explain(text string, q question) error {
	if m := badRecord.FindStringSubmatch(text); m != nil {
		if m[1] == "Duplicated" {
			return fail(faultBridge, fleet.Failed, fleet.Because("prb.duplicate", "what", m[3], "key", m[2]), prb.ErrDuplicate)
		}
		return fail(faultBridge, fleet.Invalid, fleet.Because("prb.missing_key", "what", m[3], "key", m[2]), nil)
	}
	switch {
	case strings.HasSuffix(text, "(reading 'innerTxQueue')"):
		return fail(faultBridge, fleet.Failed, fleet.Because("prb.not_running", "worker", q.subject), prb.ErrNotRunning)
	case strings.HasPrefix(text, "Stake amount should be at least"):
		return fail(faultBridge, fleet.Failed, fleet.Because("prb.low_stake", "worker", q.subject), prb.ErrLowStake)
	case strings.HasPrefix(text, "Invalid bip39 mnemonic"):
		return fail(faultBridge, fleet.Invalid, fleet.Because("prb.mnemonic_refused"), nil)
	}
	if err := notFound(text, q); err != nil {
		return err
	}
	return fail(faultServer, fleet.Failed, fleet.Because("prb.bridge_error", "method", q.command, "message", prb.Redact(text)), nil)
}

// notFound reads {"type":"worker","key":"uuid","value":…}, which the bridge throws when a record is not there.
func notFound(text string, q question) error {
	var miss struct {
		Type  prb.Text        `json:"type"`
		Key   prb.Text        `json:"key"`
		Value json.RawMessage `json:"value"`
	}
	if read := json.Unmarshal([]byte(text), &miss) == nil; !read || miss.Key == "" || miss.Value == nil {
		return nil
	}
	subject := q.subject
	if subject == "" { // a write of several records
		var value prb.Text
		_ = value.UnmarshalJSON(miss.Value)
		subject = prb.Redact(string(value))
	}
	switch miss.Type {
	case "worker":
		return fail(faultBridge, fleet.NotFound, fleet.Because("prb.no_worker", "worker", subject), prb.ErrNoWorker)
	case "pool":
		return fail(faultBridge, fleet.NotFound, fleet.Because("prb.no_pool", "what", subject), prb.ErrNoPool)
	}
	return nil
}
