package wire

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// PostLent is Post for those who send and receive much and are done with it soon. body appends the request to memory of the client, and reply is
// memory of the client: with free it is the client's again, and nobody must look at it from then on. Who does not call it loses nothing.
func (c *Client) PostLent(ctx context.Context, url, contentType string, body func([]byte) []byte) (status int, reply []byte, free func(), err error) {
	var used []byte
	if spare, ok := c.bodies.Get().(*[]byte); ok {
		used = *spare
	}
	l := &lentBody{text: body(used[:0]), home: &c.bodies}
	l.users.Store(1)
	defer l.release()
	resp, err := c.Do(ctx, Request{
		Method: http.MethodPost, URL: url, Body: l.text, lent: l,
		Header: http.Header{"Content-Type": {contentType}},
	})
	if err != nil {
		return 0, nil, nil, err
	}
	return resp.Status, resp.Body, resp.Free, nil
}

// lentBody is a request's body in memory that is used again when nobody reads it any more: a server may answer before it has everything, and
// then the transport is still writing.
type lentBody struct {
	text  []byte
	users atomic.Int32
	home  *sync.Pool
}

func (l *lentBody) release() {
	if l.users.Add(-1) == 0 && cap(l.text) <= kept {
		l.home.Put(&l.text)
	}
}

// attach makes it the body of a request.
func (l *lentBody) attach(r *http.Request) {
	open := func() (io.ReadCloser, error) {
		l.users.Add(1)
		return &lentReader{Reader: bytes.NewReader(l.text), release: sync.OnceFunc(l.release)}, nil
	}
	r.Body, _ = open()
	r.GetBody = open
}

// lentReader tells when it is closed.
type lentReader struct {
	*bytes.Reader
	release func()
}

func (r *lentReader) Close() error {
	r.release()
	return nil
}
