package v2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

// fault says where a question to a peer got stuck.
type fault string

const (
	faultWire        fault = "wire"         // no HTTP answer
	faultHTTP        fault = "http"         // another answer than the monitor gives
	faultGarbage     fault = "garbage"      // a whole answer that makes no sense
	faultUnknownPeer fault = "unknown peer" // the monitor does not have the peer in its table: nothing was sent
	faultDial        fault = "dial"         // the monitor could not connect to the peer: nothing was sent
	faultFrozen      fault = "frozen"       // the monitor gave up waiting for the peer
	faultLost        fault = "lost"         // the reply got lost between peer and monitor; a command was carried out
	faultRequest     fault = "request"      // the monitor refused the request itself
	faultPeer        fault = "peer"         // the peer refused with a known meaning: nothing was done
	faultServer      fault = "server"       // an exception in the peer, maybe after it began
)

// ambiguous reports whether a command that met the fault may have been carried out. (For faultWire, wire knows.)
func (f fault) ambiguous() bool {
	return f == faultGarbage || f == faultFrozen || f == faultLost || f == faultServer
}

// hopeless reports whether the next question to the same peer would fail the same way.
func (f fault) hopeless() bool {
	return f == faultWire || f == faultHTTP || f == faultUnknownPeer || f == faultDial || f == faultFrozen
}

// callError is a fault with its sentence.
type callError struct {
	fault fault
	error // a *fleet.Error, or wire's
}

func (e *callError) Unwrap() error { return e.error }

func fail(f fault, kind fleet.ErrorKind, reason fleet.Reason, cause error) error {
	return &callError{f, fleet.FailWith(kind, reason, cause)}
}

func wireFailure(method string, err error) error {
	return &callError{faultWire, &methodError{method, err}}
}

type methodError struct {
	method string
	error
}

func (e *methodError) Error() string { return e.method + ": " + e.error.Error() }
func (e *methodError) Unwrap() error { return e.error }

// faultOf is the fault of err, "" for nil and for errors that are none (no lifecycle manager listed, …).
func faultOf(err error) fault {
	if e, ok := errors.AsType[*callError](err); ok {
		return e.fault
	}
	return ""
}

// ask is call for questions that change nothing: a lost reply or a closed connection is no reason to give up at once.
func (c *Client) ask(ctx context.Context, peer, method string, ids []string) (*prb.Doc, error) {
	return c.askAgain(ctx, peer, method, ids, nil)
}

// askAgain is ask where the same answer as last time may come: then the data is absent, and last says so.
func (c *Client) askAgain(ctx context.Context, peer, method string, ids []string, last *echo) (*prb.Doc, error) {
	for attempt, pause := 1, firstPause; ; attempt, pause = attempt+1, pause*2 {
		data, err := c.call(ctx, peer, method, ids, last)
		if err == nil || attempt == readAttempts || (faultOf(err) != faultLost && wire.ClassOf(err) != wire.Closed) {
			return data, err
		}
		if c.clock.Sleep(ctx, pause) != nil {
			return nil, err
		}
	}
}

// call sends one request to one peer and returns its data, to be freed. One request per peer is in flight at a time: of overlapping ones
// the monitor loses replies. ids nil sends {}, which means "all" to the readers.
func (c *Client) call(ctx context.Context, peer, method string, ids []string, last *echo) (*prb.Doc, error) {
	body := []byte("{}")
	if ids != nil {
		var err error
		if body, err = json.Marshal(map[string][]string{"ids": ids}); err != nil {
			return nil, err
		}
	}
	return c.send(ctx, body, question{peer: peer, method: method, ids: ids, url: wire.Display(c.base), last: last})
}

func (c *Client) send(ctx context.Context, body []byte, q question) (*prb.Doc, error) {
	peer, method := q.peer, q.method
	resp, err := c.http.Do(ctx, wire.Request{
		Method: http.MethodPost, URL: c.base + "/ptp/proxy/" + url.PathEscape(peer) + "/" + method, Body: body,
		Header:  http.Header{"Content-Type": {"application/json"}}, // without it the body is not read, and that reports success
		Serial:  c.base + " " + peer,
		Timeout: proxyTimeout,
	})
	if err != nil {
		return nil, wireFailure(method, err)
	}
	defer resp.Free() // the parser has its own copy
	return decodeReply(c.parsers, resp.Status, resp.Body, q)
}

type question struct {
	peer, method, url string
	ids               []string
	write             bool  // it changes the inventory
	last              *echo // nil: no matter whether the reply is the same as last time
}

func decodeReply(parsers *prb.Parsers, status int, body []byte, q question) (*prb.Doc, error) {
	if status == http.StatusInternalServerError && string(bytes.TrimSpace(body)) == "{}" {
		return nil, fail(faultUnknownPeer, fleet.Unavailable, fleet.Because("prb.unknown_peer", "peer", q.peer, "url", q.url), nil)
	}
	if status != http.StatusOK {
		f := faultHTTP
		if status >= 500 {
			f = faultGarbage // a gateway's word, not the monitor's: what lies behind it is unknown
		}
		return nil, fail(f, fleet.Unavailable, fleet.Because("prb.http_status", "method", q.method, "status", status, "url", q.url), nil)
	}
	reply, err := parsers.Parse(q.last.hear(body))
	if err != nil {
		q.last.forget()
		return nil, fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.garbage", "method", q.method, "url", q.url), nil) // the cause quotes the text
	}
	if err := verdict(reply, q); err != nil {
		q.last.forget()
		reply.Free()
		return nil, err
	}
	data := reply.Get("data")
	q.last.read(data)
	return reply.At(data), nil
}

// verdict reads the envelope of a reply: nil when there is data in it.
func verdict(reply *prb.Doc, q question) error {
	bad := reply.Get("hasError").Bool()
	switch {
	case bad == nil:
		return fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.garbage", "method", q.method, "url", q.url), nil)
	case *bad:
		e := reply.Get("error")
		return peerError{kind: e.Get("type").Height(), message: e.Get("message").Text(), name: e.Get("name").Text(), code: e.Get("code").Text()}.explain(q)
	case reply.Get("meta").Get("createdAt").Text() == "":
		return fail(faultLost, fleet.Unavailable, fleet.Because("prb.lost_reply", "method", q.method, "peer", q.peer), nil)
	}
	return nil
}

// peerError is `error` of a reply: with a type from the peer, with a name or code from the monitor itself.
type peerError struct {
	kind                fleet.Height // a number, where it is known
	message, name, code string
}

const typeNotFound = 2

func (e peerError) explain(q question) error {
	message := prb.Redact(e.message)
	worker := strings.Join(q.ids, ", ")
	if q.write {
		if err := explainWrite(message, q); err != nil {
			return err
		}
	}
	switch {
	case e.name == "AggregateError" && e.code == "":
		return fail(faultDial, fleet.Unavailable, fleet.Because("prb.peer_down", "peer", q.peer, "url", q.url), nil)
	case e.name == "AggregateError":
		return fail(faultFrozen, fleet.Unavailable, fleet.Because("prb.peer_frozen", "peer", q.peer, "url", q.url), nil)
	case !e.kind.Known && (e.code == "ERR_INVALID_ARG_TYPE" || e == peerError{}):
		// Wrong type of a field, or a method that the monitor does not know: it never left the monitor.
		return fail(faultRequest, fleet.Failed, fleet.Because("prb.request_refused", "method", q.method, "url", q.url, "code", e.code), nil)
	case e.kind.Value == typeNotFound && message == "Handler not implemented.":
		return fail(faultPeer, fleet.Invalid, fleet.Because("prb.wrong_role", "peer", q.peer, "method", q.method), nil)
	case e.kind.Value == typeNotFound && worker != "":
		return fail(faultPeer, fleet.NotFound, fleet.Because("prb.no_worker", "worker", worker), prb.ErrNoWorker)
	case strings.HasSuffix(message, "(reading 'workers')"):
		return fail(faultPeer, fleet.Failed, fleet.Because("prb.config_mode", "peer", q.peer), prb.ErrConfigMode)
	// With one id this is clean. With several, those before it were acted on: nothing here sends several.
	case strings.HasSuffix(message, "(reading 'runner')"), strings.HasSuffix(message, "(reading 'status')"):
		return fail(faultPeer, fleet.Failed, fleet.Because("prb.not_running", "worker", worker), prb.ErrNotRunning)
	}
	if message == "" {
		message = prb.Redact(strings.TrimSpace(e.name + " " + e.code))
	}
	f, kind := faultServer, fleet.Failed
	if e.kind.Value == typeNotFound {
		f, kind = faultPeer, fleet.NotFound
	}
	return fail(f, kind, fleet.Because("prb.peer_error", "method", q.method, "peer", q.peer, "message", message), nil)
}
