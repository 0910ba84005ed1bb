// Package pruntime speaks to the workers' own API: the HTTP server inside of pRuntime. Protocol facts: phala-blockchain
// crates/phactory (prpc_service.rs), standalone/pruntime/src/api_server.rs, crates/phactory/api/proto/pruntime_rpc.proto.
package pruntime

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/wire"
)

// Defaults of Options.
const (
	// DefaultInfoTimeout is short: a pRuntime answers at once or, while it executes a large batch of blocks, after up to
	// three minutes. Who must tell a busy one from a dead one asks with more patience.
	DefaultInfoTimeout = 20 * time.Second
	// DefaultCheckpointTimeout fits the state of a worker with many contracts.
	DefaultCheckpointTimeout = 10 * time.Minute
	kickTimeout              = 15 * time.Second
	maxReply                 = 1 << 20 // an honest one has 2 kB
)

// What a pRuntime answers, as causes inside a *fleet.Error.
var (
	ErrNoMethod      = errors.New("the pRuntime does not have this method")
	ErrForbidden     = errors.New("the pRuntime does not allow this at this port")
	ErrBusy          = errors.New("the pRuntime is busy")
	ErrUninitialized = errors.New("the pRuntime is not initialized")
	ErrSafeMode      = errors.New("the pRuntime is in safe mode")
)

// Options says which pRuntime.
type Options struct {
	URL               string // for example http://192.168.2.1:8000
	HTTP              *wire.Client
	InfoTimeout       time.Duration // of GetInfo; default DefaultInfoTimeout
	CheckpointTimeout time.Duration // of TakeCheckpoint; default DefaultCheckpointTimeout
}

// Client is one pRuntime. It is safe for concurrent use.
type Client struct {
	base  string
	shown string
	opt   Options
	form  atomic.Int32 // 1 + the index in forms that worked last; 0: none yet
}

// New makes a Client. It sends nothing.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("pruntime.bad_url", "url", wire.Display(o.URL)))
	}
	u.RawQuery, u.Fragment = "", ""
	if o.InfoTimeout <= 0 {
		o.InfoTimeout = DefaultInfoTimeout
	}
	if o.CheckpointTimeout <= 0 {
		o.CheckpointTimeout = DefaultCheckpointTimeout
	}
	return &Client{base: strings.TrimRight(u.String(), "/"), shown: wire.Display(o.URL), opt: o}, nil
}

// form is one way of asking for PhactoryInfo.
type form struct {
	method, path, body string
	decode             func(status int, body []byte, q question) (record, error)
}

// forms are the ways, newest first. Every pRuntime has one of them; some versions have all. A method without input wants an
// empty body: {} is not its empty message.
var forms = []form{
	{http.MethodPost, "/prpc/PhactoryAPI.GetInfo?json=true", "", decodeRPC},
	{http.MethodGet, "/prpc/PhactoryAPI.GetInfo", "", decodeRPC},              // since 2023-03; where only GET comes through
	{http.MethodPost, "/get_info", `{"input":{},"nonce":{}}`, decodeEnvelope}, // 2021 to this day
	{http.MethodGet, "/info", "", decodeInfo},                                 // since 2022-09
}

// GetInfo asks for the state of the pRuntime. The first time it finds out how this one is asked, and remembers.
func (c *Client) GetInfo(ctx context.Context) (fleet.PruntimeStatus, error) {
	known := int(c.form.Load()) - 1
	if known >= 0 {
		s, err := c.info(ctx, forms[known])
		if !elsewhere(err) {
			return s, err
		}
	}
	var first error
	for i, f := range forms {
		if i == known {
			continue // another version since last time?
		}
		s, err := c.info(ctx, f)
		if err == nil {
			c.form.Store(int32(i + 1))
			return s, nil
		}
		if !elsewhere(err) {
			return s, err
		}
		if first == nil {
			first = err
		}
	}
	c.form.Store(0)
	// It answers, and to nothing as a pRuntime does.
	return fleet.PruntimeStatus{Endpoint: c.shown}, fleet.FailWith(fleet.Unavailable, fleet.Because("pruntime.not_one", "url", c.shown), first)
}

// elsewhere reports whether another form may still work: this one was answered, but not understood.
func elsewhere(err error) bool {
	return errors.Is(err, ErrNoMethod) || errors.Is(err, errOtherForm)
}

func (c *Client) info(ctx context.Context, f form) (fleet.PruntimeStatus, error) {
	s := fleet.PruntimeStatus{Endpoint: c.shown}
	r, err := c.do(ctx, question{method: "GetInfo", url: c.shown}, f, c.opt.InfoTimeout)
	if err != nil {
		return s, err
	}
	r.fill(&s)
	return s, nil
}

// question is what error sentences need.
type question struct{ method, url string }

func (c *Client) do(ctx context.Context, q question, f form, timeout time.Duration) (record, error) {
	request := wire.Request{Method: f.method, URL: c.base + f.path, Timeout: timeout, MaxBody: maxReply, Once: true}
	if f.method == http.MethodPost {
		request.Body = []byte(f.body)
		request.Header = http.Header{"Content-Type": {"application/json"}}
	}
	resp, err := c.opt.HTTP.Do(ctx, request)
	if err != nil {
		return nil, err
	}
	return f.decode(resp.Status, resp.Body, q)
}

// TakeCheckpoint makes the pRuntime write its state down, so that a restart does not begin earlier. It returns the height
// of the newest executed block in it. It may take minutes; an ambiguous error (wire.IsAmbiguous) is harmless to repeat.
func (c *Client) TakeCheckpoint(ctx context.Context) (fleet.Height, error) {
	f := form{http.MethodPost, "/prpc/PhactoryAPI.TakeCheckpoint?json=true", "", decodeCall}
	r, err := c.do(ctx, question{method: "TakeCheckpoint", url: c.shown}, f, c.opt.CheckpointTimeout)
	if err != nil {
		return fleet.Height{}, err
	}
	n, known := r.number("synced_to") // the number that was done, not the next one
	return fleet.Height{Value: n, Known: known}, nil
}

// Kick makes the pRuntime's process exit, for its supervisor to start it again; whoever feeds it must start over, too. It
// works only where the kick API is enabled (--enable-kick-api), else the error is ErrNoMethod. The exit breaks the
// connection, so success is either an answer or that. wire.IsAmbiguous tells of an error after which it may have happened.
func (c *Client) Kick(ctx context.Context) error {
	resp, err := c.opt.HTTP.Do(ctx, wire.Request{
		Method: http.MethodPost, URL: c.base + "/kick", Body: []byte{}, Timeout: kickTimeout, MaxBody: maxReply,
	})
	if wire.ClassOf(err) == wire.Closed && wire.IsAmbiguous(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if resp.Status == http.StatusNotFound {
		return fleet.FailWith(fleet.Refused, fleet.Because("pruntime.no_kick", "url", c.shown), ErrNoMethod)
	}
	if resp.Status/100 == 2 {
		return nil
	}
	return refusal(resp.Status, resp.Body, question{method: "kick", url: c.shown})
}
