package notify

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/store"
)

// Options are what a Pipeline works with.
type Options struct {
	Store   store.Outbox
	Senders map[string]Sender // by channel name
	Routes  []config.Route
	Catalog *i18n.Catalog // its zone and naming are those of the messages
	Lang    i18n.Lang
	Log     *slog.Logger // nil: silent
	// Count, when not nil, is told of each message that was sent or given up, for metrics. It must not call back.
	Count func(channel string, state fleet.MessageState)
}

// Pipeline is all channels. Tell and Step beat them one after the other; whoever wants one slow service not to delay the
// others beats each of Channels by itself.
type Pipeline struct {
	channels []*Channel
	routes   []config.Route
}

// New makes a Pipeline. It starts nothing.
func New(o Options) *Pipeline {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Count == nil {
		o.Count = func(string, fleet.MessageState) {}
	}
	p := &Pipeline{routes: o.Routes}
	for _, name := range slices.Sorted(maps.Keys(o.Senders)) {
		p.channels = append(p.channels, &Channel{
			name: name, sender: o.Senders[name], routes: o.Routes, words: speaker{o.Catalog, o.Lang}, log: o.Log, count: o.Count,
			ledger: newLedger(name, o.Store),
		})
	}
	return p
}

// Channels are the channels in the order of their names.
func (p *Pipeline) Channels() []*Channel { return slices.Clone(p.channels) }

// Channel finds a channel; nil when there is none of that name.
func (p *Pipeline) Channel(name string) *Channel {
	at := slices.IndexFunc(p.channels, func(c *Channel) bool { return c.name == name })
	if at < 0 {
		return nil
	}
	return p.channels[at]
}

// Tell is Channel.Tell of every channel.
func (p *Pipeline) Tell(ctx context.Context, incidents []fleet.Incident, now time.Time) (time.Time, error) {
	return p.each(func(c *Channel) (time.Time, error) { return c.Tell(ctx, incidents, now) })
}

// Step is Channel.Step of every channel.
func (p *Pipeline) Step(ctx context.Context, now time.Time) (time.Time, error) {
	return p.each(func(c *Channel) (time.Time, error) { return c.Step(ctx, now) })
}

func (p *Pipeline) each(do func(*Channel) (time.Time, error)) (next time.Time, err error) {
	for _, c := range p.channels {
		t, e := do(c)
		next, err = sooner(next, t), errors.Join(err, e)
	}
	return next, err
}

// Post says something that is no incident on every channel that takes its severity. id is the same as long as it should not
// be said again while it is on its way. It works while the store does not.
func (p *Pipeline) Post(ctx context.Context, id string, severity fleet.Severity, title fleet.Reason, lines []fleet.Reason, now time.Time) error {
	_, err := p.each(func(c *Channel) (time.Time, error) {
		if _, ok := routeOf(p.routes, c.name, severity); !ok {
			return time.Time{}, nil
		}
		return time.Time{}, c.Post(ctx, now, fleet.Message{
			ID: c.name + "/" + id, Kind: fleet.MessageFiring, Severity: severity, Title: title, Lines: lines,
		})
	})
	return err
}

// Test sends a test message on one channel with the next Step. The ID of the message is returned, so that its fate can be
// followed in the store.
func (p *Pipeline) Test(ctx context.Context, channel string, now time.Time) (string, error) {
	c := p.Channel(channel)
	if c == nil {
		return "", fleet.Fail(fleet.NotFound, fleet.Because("notify.no_channel", "channel", channel))
	}
	m := fleet.Message{
		ID: channel + "/test/" + now.UTC().Format("20060102T150405.000"), Kind: fleet.MessageTest, Severity: fleet.Info,
		Title: fleet.Because("notify.title.test"), Lines: []fleet.Reason{fleet.Because("notify.line.test", "channel", channel, "at", now)},
	}
	return m.ID, c.Post(ctx, now, m)
}

// Told is when an incident was first told on any channel; false when nobody was told yet. It knows the
// incidents of the newest Tell.
func (p *Pipeline) Told(incident string) (time.Time, bool) {
	var first time.Time
	for _, c := range p.channels {
		if t, ok := c.told(incident); ok {
			first = sooner(first, t)
		}
	}
	return first, !first.IsZero()
}
