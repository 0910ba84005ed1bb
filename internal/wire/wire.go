// Package wire is the one outbound HTTP policy of phalops: every request has a deadline, every reply a size limit, every
// target a bounded pool; a peer that must be asked one question at a time is; secrets in addresses stay out of errors; and
// the caller says who may be dialled at all.
//
// Deadlines are the machine's time, also where the fleet lives on a scaled clock.
package wire

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of Options.
const (
	DefaultTimeout = 30 * time.Second
	DefaultMaxBody = 32 << 20
)

const (
	maxHeader    = 64 << 10
	maxIdle      = 4  // idle connections kept per target
	maxPerTarget = 16 // connections per target: a frozen one must not eat our descriptors
	dialTimeout  = 10 * time.Second
	// A Node.js server drops idle connections after 5 s. Giving them up first keeps a command from being written into a
	// connection that is about to close, where nobody could tell whether it was carried out.
	idleTimeout = 4 * time.Second
)

// Options is the policy of a Client. The zero value dials everybody with the defaults.
type Options struct {
	Timeout time.Duration // of one exchange; default 30 s
	MaxBody int64         // of one reply, bytes; default 32 MiB

	// Allow says who may be dialled. It is asked about the address itself, after names were resolved and right before the
	// connection is made, so a name cannot smuggle anything past it. nil allows everybody.
	Allow func(netip.Addr) bool

	Resolver *net.Resolver       // nil: the machine's
	Redact   func(string) string // applied to every error text, for secrets outside the query; nil: nothing more
}

// LoopbackOnly allows 127.0.0.0/8 and nothing else: the policy of the demo and of every test.
func LoopbackOnly(a netip.Addr) bool {
	a = a.Unmap()
	return a.Is4() && a.IsLoopback()
}

// Client does requests under one policy. It is safe for concurrent use; share one, because pools and Serial keys are its
// own. Close it.
type Client struct {
	opt       Options
	transport *http.Transport
	once      *http.Transport // for requests after which no connection is kept
	serial    keyed
	buffers   sync.Pool // of *bytes.Buffer
	bodies    sync.Pool // of *[]byte

	life   context.Context // ends with Close
	end    context.CancelFunc
	mu     sync.Mutex // guards closed against flying.Add
	closed bool
	flying sync.WaitGroup
}

// New makes a Client. It starts nothing.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: o.Resolver, ControlContext: guard(o.Allow)}
	c := &Client{opt: o, transport: &http.Transport{
		Proxy:                  nil, // never from the environment
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    maxIdle,
		MaxConnsPerHost:        maxPerTarget,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // the size limit is meant for what arrives
	}}
	c.once = c.transport.Clone()
	c.once.DisableKeepAlives = true
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// Close breaks off what is in flight, waits for it and drops all connections. Later requests fail.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.flying.Wait()
	c.transport.CloseIdleConnections()
}

func (c *Client) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.flying.Add(1)
	return true
}

// Request is one exchange.
type Request struct {
	Method  string        // default: POST with a Body, else GET
	URL     string        // http or https; its query and user never appear in an error
	Header  http.Header   // taken as it is; User-Agent is ours
	Body    []byte        //
	Serial  string        // one request in flight per key; "" = not serialised
	Timeout time.Duration // of the exchange, without the wait for Serial; default Options.Timeout
	MaxBody int64         // default Options.MaxBody

	lent *lentBody // Body, where it is lent
	Once bool      // keep no connection: for targets that are many and asked rarely
}

// Response is a whole reply of any status.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	buffer *bytes.Buffer // of Body
	home   *Client
}

// Do sends a request and reads the whole reply. Every answered request is a Response, whatever its status (see Expect);
// everything else is an *Error. Waiting for Serial is bounded by ctx alone, the exchange by ctx and the timeout. Redirects
// are not followed and nothing is ever sent twice, except a GET on a kept connection that the server had just closed.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if r.Method == "" {
		r.Method = http.MethodGet
		if r.Body != nil {
			r.Method = http.MethodPost
		}
	}
	target, err := url.Parse(r.URL)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return nil, badURL(display(target))
	}
	x := &exchange{client: c, target: target}
	if !c.enter() {
		return nil, x.fail(errClosed)
	}
	defer c.flying.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()

	free, err := c.serial.acquire(ctx, r.Serial)
	if err != nil {
		return nil, x.fail(err)
	}
	defer free()
	timeout := c.opt.Timeout
	if r.Timeout > 0 {
		timeout = r.Timeout
	}
	ctx, cancelTimeout := context.WithTimeout(ctx, timeout)
	defer cancelTimeout()
	return x.run(ctx, r)
}

// Post is Do for packages that know no more of this one than an interface.
func (c *Client) Post(ctx context.Context, url, contentType string, body []byte) (status int, reply []byte, err error) {
	resp, err := c.Do(ctx, Request{
		Method: http.MethodPost, URL: url, Body: body,
		Header: http.Header{"Content-Type": {contentType}},
	})
	if err != nil {
		return 0, nil, err
	}
	return resp.Status, resp.Body, nil
}

// Get is Do for packages that know no more of this one than an interface.
func (c *Client) Get(ctx context.Context, url string) (status int, reply []byte, err error) {
	resp, err := c.Do(ctx, Request{URL: url})
	if err != nil {
		return 0, nil, err
	}
	return resp.Status, resp.Body, nil
}

// exchange is one request on its way.
type exchange struct {
	client *Client
	target *url.URL
	sent   atomic.Bool // from here on the other side may have it
}

func (x *exchange) run(ctx context.Context, r Request) (*Response, error) {
	// GotConn is called before the first byte is handed over and in this goroutine; later hooks race with cancellation.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, r.Method, x.target.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, badURL(display(x.target))
	}
	if r.lent != nil {
		r.lent.attach(req)
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	req.Header.Set("User-Agent", "phalops")
	if u := x.target.User; u != nil {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
	}
	// The bare transport: no redirects, no cookies, no wrapping of errors with the whole address.
	transport := x.client.transport
	if r.Once {
		transport = x.client.once
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, x.fail(err)
	}
	defer resp.Body.Close()
	limit := x.client.opt.MaxBody
	if r.MaxBody > 0 {
		limit = r.MaxBody
	}
	if resp.ContentLength > limit {
		return nil, x.fail(tooLarge(limit))
	}
	buffer := x.client.buffer(resp.ContentLength)
	if _, err := buffer.ReadFrom(io.LimitReader(resp.Body, limit+1)); err != nil {
		return nil, x.fail(err)
	}
	if int64(buffer.Len()) > limit {
		return nil, x.fail(tooLarge(limit))
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: buffer.Bytes(), buffer: buffer, home: x.client}, nil
}

const (
	trusted = 1 << 20 // memory that is taken on the word of the other side alone
	kept    = 4 << 20 // the biggest buffer that is kept for the next reply
)

// buffer is one that fits when the length that was announced is right.
func (c *Client) buffer(length int64) *bytes.Buffer {
	b, ok := c.buffers.Get().(*bytes.Buffer)
	if !ok {
		b = new(bytes.Buffer)
	}
	b.Grow(int(min(max(length, 0), trusted)) + bytes.MinRead)
	return b
}

// Free gives the reply's memory back for another one: Body must not be used afterwards. Who does not call it loses nothing.
func (r *Response) Free() {
	if r.buffer == nil {
		return
	}
	if r.buffer.Cap() <= kept {
		r.buffer.Reset()
		r.home.buffers.Put(r.buffer)
	}
	r.buffer, r.Body = nil, nil
}
