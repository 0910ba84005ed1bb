package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// Class says how an exchange failed.
type Class string

// Classes.
const (
	Timeout     Class = "timeout"     // a deadline passed: ours or the network's
	Canceled    Class = "canceled"    // the caller gave up, or the client was closed
	Refused     Class = "refused"     // nobody listens there
	Unreachable Class = "unreachable" // no route, or the name does not resolve
	Forbidden   Class = "forbidden"   // the dial policy says no
	Closed      Class = "closed"      // reset, or closed in the middle
	TooLarge    Class = "too large"   // the reply exceeds the limit
	Status      Class = "status"      // answered, with a status that the caller did not expect (Response.Expect)
	Protocol    Class = "protocol"    // not HTTP, bad TLS and the like
	Invalid     Class = "invalid"     // the address is not one
)

// Error is every error of this package. It says what happened to whom without a secret, carries a Reason for people
// (fleet.ReasonOf finds it), and errors.Is sees through it (context.DeadlineExceeded, syscall.ECONNREFUSED, …). The raw
// cause is not unwrapped, because its text is not redacted.
type Error struct {
	Class  Class
	Target string // the address without user and query
	Code   int    // HTTP status of class Status, else 0
	// Sent is false when certainly nothing was handed to the other side.
	Sent bool

	reason fleet.Reason
	detail string
	cause  error
}

func (e *Error) Error() string {
	s := e.Target + ": " + string(e.Class)
	if e.detail != "" {
		s += ": " + e.detail
	}
	return s
}

// Unwrap gives the sentence for people.
func (e *Error) Unwrap() error { return fleet.Fail(e.kind(), e.reason) }

func (e *Error) kind() fleet.ErrorKind {
	if e.Class == Invalid || e.Class == Forbidden {
		return fleet.Invalid
	}
	return fleet.Unavailable
}

// Is sees the cause.
func (e *Error) Is(target error) bool { return e.cause != nil && errors.Is(e.cause, target) }

// Ambiguous reports whether the request may have been carried out although no answer says so: it was handed over, and no
// whole answer came back. A status is an answer; what it means is the caller's knowledge.
func (e *Error) Ambiguous() bool { return e.Sent && e.Class != Status }

// IsAmbiguous reports whether err is a wire error after which a command may have been carried out. Only reads may be
// repeated then.
func IsAmbiguous(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Ambiguous()
}

// ClassOf is the Class of the wire error in err's chain, "" when there is none.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ""
}

// Expect returns an *Error of class Status unless the status is one of these (without any: 200 to 299).
func (r *Response) Expect(target string, statuses ...int) error {
	if len(statuses) == 0 && r.Status/100 == 2 {
		return nil
	}
	if slices.Contains(statuses, r.Status) {
		return nil
	}
	return &Error{
		Class: Status, Target: Display(target), Code: r.Status, Sent: true, detail: fmt.Sprint(r.Status),
		reason: fleet.Because("wire.status", "url", Display(target), "status", r.Status),
	}
}

// Display is an address as it may be shown: without user, query and fragment.
func Display(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "<address>"
	}
	return display(u)
}

func display(u *url.URL) string {
	if u == nil {
		return "<address>" // it did not parse: whatever is in it, nobody vouches for it
	}
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return clip(v.String())
}

func badURL(target string) *Error {
	return &Error{Class: Invalid, Target: target, reason: fleet.Because("wire.bad_url", "url", target)}
}

type limitError int64

func (l limitError) Error() string { return fmt.Sprintf("the reply is larger than %d bytes", int64(l)) }

func tooLarge(limit int64) error { return limitError(limit) }

type forbiddenError struct{ addr string }

func (f forbiddenError) Error() string { return f.addr + " may not be dialled" }

var errClosed = errors.New("the client is closed")

// guard is asked by the dialer about each address it is about to connect to.
func guard(allow func(netip.Addr) bool) func(context.Context, string, string, syscall.RawConn) error {
	if allow == nil {
		return nil
	}
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || !allow(a.Addr().Unmap().WithZone("")) {
			return forbiddenError{address}
		}
		return nil
	}
}

// fail turns a cause into an Error.
func (x *exchange) fail(cause error) *Error {
	e := &Error{Class: classify(cause), Target: x.redact(display(x.target)), Sent: x.sent.Load(), cause: cause}
	e.detail = x.redact(clip(cause.Error()))
	switch e.Class {
	case Timeout:
		e.reason = fleet.Because("wire.timeout", "url", e.Target)
	case Canceled:
		e.reason = fleet.Because("wire.canceled", "url", e.Target)
	case Refused:
		e.reason = fleet.Because("wire.refused", "url", e.Target)
	case Unreachable:
		e.reason = fleet.Because("wire.unreachable", "url", e.Target, "err", e.detail)
	case Forbidden:
		e.reason = fleet.Because("wire.forbidden", "url", e.Target)
	case Closed:
		e.reason = fleet.Because("wire.closed", "url", e.Target)
	case TooLarge:
		e.reason = fleet.Because("wire.too_large", "url", e.Target)
	default:
		e.reason = fleet.Because("wire.protocol", "url", e.Target, "err", e.detail)
	}
	return e
}

func classify(err error) Class {
	var (
		limit     limitError
		forbidden forbiddenError
		dns       *net.DNSError
		timeout   net.Error
	)
	switch {
	case errors.As(err, &limit):
		return TooLarge
	case errors.As(err, &forbidden):
		return Forbidden
	case errors.Is(err, context.Canceled), errors.Is(err, errClosed):
		return Canceled
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.As(err, &timeout) && timeout.Timeout(): // context.DeadlineExceeded and ETIMEDOUT are ones, too
		return Timeout
	case errors.As(err, &dns), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "server closed idle connection"):
		return Closed
	default:
		return Protocol
	}
}

func (x *exchange) redact(s string) string {
	if x.client.opt.Redact != nil {
		return x.client.opt.Redact(s)
	}
	return s
}

// clip bounds foreign text in an error.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for !utf8.ValidString(s) && len(s) > most-utf8.UTFMax {
		s = s[:len(s)-1]
	}
	return s + "…"
}
