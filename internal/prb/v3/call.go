package v3

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

const (
	readAttempts = 3
	firstPause   = 250 * time.Millisecond
)

// fault says where a question got stuck.
type fault string

const (
	faultWire     fault = "wire"     // no HTTP answer
	faultClosed   fault = "closed"   // prb-wm's host answers, its port is closed
	faultUpstream fault = "upstream" // the monitor got no whole answer from prb-wm
	faultGateway  fault = "gateway"  // a server error of somebody in between, or a panic: what lies behind is unknown
	faultHTTP     fault = "http"     // another answer than prb-wm gives: nothing was done
	faultRoute    fault = "route"    // no such route or method: nothing was done
	faultGarbage  fault = "garbage"  // success, with a body that makes no sense
	faultRequest  fault = "request"  // the request itself was refused: nothing was done
	faultRefused  fault = "refused"  // prb-wm refused with a known meaning: nothing was done
	faultServer   fault = "server"   // prb-wm failed, maybe after it began
)

// ambiguous reports whether a command that met the fault may have been carried out. (For faultWire, wire knows.)
func (f fault) ambiguous() bool {
	return f == faultUpstream || f == faultGateway || f == faultGarbage || f == faultServer
}

// settled reports whether prb-wm is certainly through with the command, whatever it did.
func (f fault) settled() bool { return f == faultGarbage || f == faultServer }

// callError is a fault with its sentence.
type callError struct {
	fault  fault
	status int
	error  // a *fleet.Error, or wire's
}

func (e *callError) Unwrap() error { return e.error }

func faultOf(err error) fault {
	if e, ok := errors.AsType[*callError](err); ok {
		return e.fault
	}
	return ""
}

func statusOf(err error) int {
	if e, ok := errors.AsType[*callError](err); ok {
		return e.status
	}
	return 0
}

// question is one request to prb-wm.
type question struct {
	method string // HTTP
	route  string // without the leading slash
	name   string // for people: the route, or the configuration command
	body   []byte
	hidden []string // what of the body must not come back in a text
}

// ask is call for questions that change nothing.
func (c *Client) ask(ctx context.Context, q question) ([]byte, error) {
	for attempt, pause := 1, firstPause; ; attempt, pause = attempt+1, pause*2 {
		data, err := c.call(ctx, q)
		if err == nil || attempt == readAttempts || (faultOf(err) != faultUpstream && wire.ClassOf(err) != wire.Closed) {
			return data, err
		}
		if c.clock.Sleep(ctx, pause) != nil {
			return nil, err
		}
	}
}

func (c *Client) get(ctx context.Context, route string) ([]byte, error) {
	return c.ask(ctx, question{method: http.MethodGet, route: route, name: route})
}

// call sends one request and returns the JSON that it is answered with.
func (c *Client) call(ctx context.Context, q question) ([]byte, error) {
	r := wire.Request{Method: q.method, URL: c.base + "/" + q.route, Body: q.body}
	if q.body != nil {
		r.Header = http.Header{"Content-Type": {"application/json"}} // anything else is 415
	}
	resp, err := c.http.Do(ctx, r)
	switch {
	case err != nil && !c.proxied && wire.ClassOf(err) == wire.Refused:
		return nil, &callError{faultClosed, 0, fleet.FailWith(fleet.Unavailable, fleet.Because("prb3.port_closed", "url", c.shown), err)}
	case err != nil:
		return nil, &callError{faultWire, 0, &routeError{q.name, err}}
	}
	return c.decodeReply(resp.Status, resp.Body, q)
}

type routeError struct {
	name string
	error
}

func (e *routeError) Error() string { return e.name + ": " + e.error.Error() }
func (e *routeError) Unwrap() error { return e.error }

// decodeReply judges status and body alone: the monitor's proxy drops every header, and prb-wm calls the JSON of its
// configuration text/plain.
func (c *Client) decodeReply(status int, body []byte, q question) ([]byte, error) {
	fail := func(f fault, kind fleet.ErrorKind, reason fleet.Reason) ([]byte, error) {
		return nil, &callError{f, status, fleet.Fail(kind, reason)}
	}
	switch {
	case status == http.StatusOK && json.Valid(body):
		return body, nil
	case status/100 == 2:
		return fail(faultGarbage, fleet.Unavailable, fleet.Because("prb3.garbage", "method", q.name, "status", status, "url", c.shown))
	case status/100 == 3:
		return fail(faultHTTP, fleet.Unavailable, fleet.Because("prb3.redirected", "status", status, "url", c.shown))
	case status == http.StatusTeapot, status == http.StatusMethodNotAllowed:
		return fail(faultRoute, fleet.Unavailable, fleet.Because("prb3.no_route", "method", q.name, "status", status, "url", c.shown))
	}
	var told struct {
		Error   prb.Flag `json:"error"`
		Code    prb.Text `json:"code"`
		Message prb.Text `json:"message"`
	}
	if json.Unmarshal(body, &told) == nil && bool(told.Error) && (status == http.StatusInternalServerError || status == http.StatusBadRequest) {
		f, err := c.explain(string(told.Message), string(told.Code), q)
		return nil, &callError{f, status, err}
	}
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return fail(faultRequest, fleet.Failed,
			fleet.Because("prb3.request_refused", "method", q.name, "status", status, "message", q.clean(string(body)), "url", c.shown))
	}
	if c.proxied && status == http.StatusInternalServerError && string(bytes.TrimSpace(body)) == "Internal Server Error" {
		return fail(faultUpstream, fleet.Unavailable, fleet.Because("prb3.upstream", "method", q.name, "url", c.shown))
	}
	f := faultHTTP
	if status/100 == 5 {
		f = faultGateway
	}
	return fail(f, fleet.Unavailable, fleet.Because("prb3.http_status", "method", q.name, "status", status, "url", c.shown))
}

// refusals are the failures with which prb-wm has certainly changed nothing (inv_db.rs, configurator.rs, api.rs):
// the message begins so, in lower case.
var refusals = []struct {
	begin string
	kind  fleet.ErrorKind
}{
	{"pool not found", fleet.NotFound}, // with "!" and with ": 7"
	{"new pool not found", fleet.NotFound},
	{"worker not found", fleet.NotFound},
	{"record not found", fleet.NotFound},
	{"pool already exists", fleet.Invalid},
	{"duplicated worker name", fleet.Invalid},
	{"pool not empty", fleet.Failed},
	{"worker is not attached to a pool", fleet.Failed},
	{"invalid digit found in string", fleet.Invalid},
	{"number too large to fit in target type", fleet.Invalid},
	{"relative url without a base", fleet.Invalid},
	{"invalid url scheme", fleet.Invalid},
	{"lifecycle manager not initialized yet", fleet.Unavailable},
}

// explain reads what prb-wm itself says of a failure.
func (c *Client) explain(message, code string, q question) (fault, error) {
	if message == "" {
		message = code
	}
	lower := strings.ToLower(message)
	message = q.clean(message)
	reason := fleet.Because("prb3.failed", "method", q.name, "message", message, "url", c.shown)
	if strings.HasPrefix(code, "WorkerNotFound") {
		return faultRefused, fleet.FailWith(fleet.NotFound, reason, prb.ErrNoWorker)
	}
	for _, r := range refusals {
		if !strings.HasPrefix(lower, r.begin) {
			continue
		}
		var cause error
		if r.begin == "worker not found" {
			cause = prb.ErrNoWorker
		}
		return faultRefused, fleet.FailWith(r.kind, reason, cause)
	}
	return faultServer, fleet.Fail(fleet.Failed, reason)
}

// clean makes a foreign text fit for people. A text in which a piece of something hidden occurs is dropped whole.
func (q question) clean(text string) string {
	lower := strings.ToLower(text)
	for _, piece := range q.hidden {
		if strings.Contains(lower, piece) {
			return "<redacted>"
		}
	}
	return strings.ToValidUTF8(prb.Redact(strings.TrimSpace(text)), "�")
}
