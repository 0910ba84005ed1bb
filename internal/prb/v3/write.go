package v3

import (
	"context"
	"encoding/json"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// edit is one write.
type edit struct {
	name   string
	args   any
	hidden []string
	told   func(reply []byte) bool // the answer shows that it was done as asked for
	done   func([]Pool) bool       // the inventory shows it
}

// change looks at the inventory, lets plan make an edit of it, and writes.
func (c *Client) change(ctx context.Context, plan func([]Pool) (edit, error)) error {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	pools, err := c.Pools(ctx)
	if err != nil {
		return unsent(err)
	}
	e, err := plan(pools)
	if err != nil {
		return err
	}
	return c.write(ctx, e, func(ctx context.Context) (bool, error) {
		pools, err := c.Pools(ctx)
		return err == nil && e.done(pools), err
	})
}

// lock lets one write in at a time.
func (c *Client) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case c.writing <- struct{}{}:
		return func() { <-c.writing }, nil
	case <-ctx.Done():
		return nil, fleet.FailWith(fleet.Unavailable, fleet.Because("prb3.write_waited", "url", c.shown), ctx.Err())
	}
}

// write sends e once. look answers whether it was done.
func (c *Client) write(ctx context.Context, e edit, look func(context.Context) (bool, error)) error {
	q, err := c.command(e.name, e.args)
	if err != nil {
		return err
	}
	q.hidden = e.hidden
	asking, cancel := leaveRoom(ctx)
	defer cancel()
	data, err := c.call(asking, q)
	if err == nil && e.told(data) {
		return nil
	}
	if err == nil { // written, but is it what was asked for?
		err = &callError{faultGarbage, 0, fleet.Fail(fleet.Failed, fleet.Because("prb3.not_as_asked", "method", e.name, "url", c.shown))}
	}
	err = commandError(err)
	if !prb.IsAmbiguous(err) {
		return err
	}
	switch done, lookErr := look(ctx); {
	case done:
		return nil
	case lookErr == nil && faultOf(err).settled():
		return decided(err)
	}
	return err
}

// decided is err for a command that prb-wm is through with, after a look showed that it was not done as asked for.
func decided(err error) error {
	return fleet.Fail(fleet.Failed, fleet.ReasonOf(err))
}

// leaveRoom keeps some of the caller's time for a look after an unclear answer.
func leaveRoom(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(10*time.Second, time.Until(end)/3)))
}

func toldOK(data []byte) bool {
	var r struct {
		OK prb.Flag `json:"ok"`
	}
	return json.Unmarshal(data, &r) == nil && bool(r.OK)
}
