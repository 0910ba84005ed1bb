package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/control"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/metrics"
	"phalops/internal/notify"
	"phalops/internal/notify/dingtalk"
	"phalops/internal/secret"
)

// errPanicked is the result of a beat that panicked; the stack is in the log.
var errPanicked = errors.New("the beat panicked")

// Options are what a Daemon is made of.
type Options struct {
	Config  config.Config
	Path    string // of the configuration file, watched for changes; "": a fixed configuration
	Clock   clock.Clock
	Secrets secret.Resolver
	Catalog *i18n.Catalog
	Lang    i18n.Lang // of messages
	Log     *slog.Logger
	Version string
	Reload  <-chan struct{}       // SIGHUP; nil: never
	Allow   func(netip.Addr) bool // who may be dialled; nil: everybody
	// Changed is told of every configuration that was loaded or refused; nil: nobody.
	Changed func(config.Update)
}

// Daemon keeps watch: it beats every controller until it is stopped.
type Daemon struct {
	*Core
	o        Options
	control  *control.Control
	face     *face
	messages *notify.Pipeline
	metrics  *metrics.Metrics
	lock     *flock.Flock
	server   *http.Server
	listen   net.Listener
	stop     context.CancelFunc
	wg       sync.WaitGroup
}

// New opens everything that the daemon needs and starts nothing. On error everything is closed again.
func New(ctx context.Context, o Options) (*Daemon, error) {
	thrifty()
	d := &Daemon{o: o}
	core, err := Open(ctx, CoreOptions{Config: o.Config, Clock: o.Clock, Log: o.Log, Owner: "daemon", NeedsStore: true, Secrets: o.Secrets, Allow: o.Allow,
		PlanEnded: func(p fleet.Plan) { d.metrics.Action(p.Kind, p.State) }})
	if err != nil {
		return nil, err
	}
	d.Core = core
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *Daemon) open(ctx context.Context) error {
	o, core := d.o, d.Core
	if err := d.alone(); err != nil {
		return err
	}
	senders, err := d.outside(ctx, o.Config)
	if err != nil {
		return err
	}
	d.control = control.New(control.Options{
		Config: core.Config, Clock: o.Clock, Store: core.Store, Engine: core.Engine, Clients: core.sources(), Owner: core.Owner,
		Log: o.Log,
	})
	d.face = &face{control: d.control, core: core}
	d.metrics = metrics.New(d.face, o.Version, o.Clock.Now())
	d.messages = d.pipeline(o.Config, senders)
	if err := d.control.Load(ctx, o.Clock.Now()); err != nil {
		return err
	}
	if o.Config.Metrics.Listen != "" {
		if d.listen, err = new(net.ListenConfig).Listen(ctx, "tcp", o.Config.Metrics.Listen); err != nil {
			return fleet.FailWith(fleet.Unavailable, fleet.Because("daemon.listen", "address", o.Config.Metrics.Listen, "err", err), err)
		}
	}
	return nil
}

// alone makes sure that this data folder has one daemon.
func (d *Daemon) alone() error {
	lock := flock.New(filepath.Join(d.o.Config.Data, "daemon.lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if !ok {
		return fleet.Fail(fleet.Locked, fleet.Because("daemon.second", "data", d.o.Config.Data))
	}
	d.lock = lock
	return nil
}

// keys makes sure that the key of every host can be had and used.
func (d *Daemon) keys(cfg config.Config) error {
	c := NewClients(ClientOptions{Config: cfg, Clock: d.o.Clock, Secrets: d.o.Secrets, Allow: d.o.Allow})
	defer c.Close()
	return c.CheckKeys()
}

// senders makes a sender for every configured channel; a secret that cannot be had is an error at start, not at 3 a.m.
func (d *Daemon) senders(ctx context.Context, cfg config.Config) (map[string]notify.Sender, error) {
	out := map[string]notify.Sender{}
	for name, ch := range cfg.Alerts.Channels {
		token, err := d.o.Secrets.Resolve(ctx, ch.Token)
		if err != nil {
			return nil, fmt.Errorf("alert channel %s: %w", name, err)
		}
		var sign secret.Value
		if !ch.Secret.IsZero() {
			if sign, err = d.o.Secrets.Resolve(ctx, ch.Secret); err != nil {
				return nil, fmt.Errorf("alert channel %s: %w", name, err)
			}
		}
		out[name] = dingtalk.New(dingtalk.Options{URL: ch.URL, Token: token, Secret: sign, At: ch.At, HTTP: d.Clients.HTTP(), Catalog: d.o.Catalog, Lang: d.o.Lang})
	}
	return out, nil
}

// outside is senders after keys: everything that a new configuration needs beside itself.
func (d *Daemon) outside(ctx context.Context, cfg config.Config) (map[string]notify.Sender, error) {
	if err := d.keys(cfg); err != nil {
		return nil, err
	}
	return d.senders(ctx, cfg)
}

// pipeline makes the channels over their senders. What is on its way is in the store, so a reload loses nothing.
func (d *Daemon) pipeline(cfg config.Config, senders map[string]notify.Sender) *notify.Pipeline {
	return notify.New(notify.Options{
		Store: counted{d.Store, d.metrics.Message}, Senders: senders, Routes: cfg.Alerts.Routes, Catalog: d.o.Catalog.Naming(d.NameOf), Lang: d.o.Lang, Log: d.Log,
	})
}

// Addr is where /metrics, /healthz and /readyz are served; "" when nowhere.
func (d *Daemon) Addr() string {
	if d.listen == nil {
		return ""
	}
	return d.listen.Addr().String()
}

// Start begins to keep watch. It returns at once; Stop ends it.
func (d *Daemon) Start(ctx context.Context) error {
	ctx, d.stop = context.WithCancel(ctx)
	now := d.Clock.Now()
	if err := d.Store.Append(ctx, fleet.Event{At: now, Kind: fleet.EventDaemon, Author: "phalops", Target: fleet.Fleet,
		Reason: fleet.Because("daemon.started", "version", d.o.Version, "owner", d.Owner)}); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if d.listen != nil {
		d.server = &http.Server{Handler: d.routes(), ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
		d.wg.Go(func() {
			if err := d.server.Serve(d.listen); !errors.Is(err, http.ErrServerClosed) {
				d.Log.Error("the metrics server ended", "err", err)
			}
		})
	}
	d.control.Configure(now, d.messages)
	r := d.runner()
	d.wg.Go(func() { r.run(ctx) })
	if d.o.Path != "" {
		watcher := config.NewWatcher(d.o.Path, clock.Real{}, d.o.Reload)
		d.wg.Go(func() {
			cfg, problems, err := watcher.Load()
			if err != nil || len(problems) > 0 || !reflect.DeepEqual(cfg, d.o.Config) {
				d.reload(ctx, config.Update{Config: cfg, Problems: problems, Err: err}) // changed since it was read for Options
			}
			err = watcher.Run(ctx, func(u config.Update) { d.reload(ctx, u) })
			if ctx.Err() == nil {
				d.Log.Error("the configuration is no longer watched", "err", err)
			}
		})
	}
	return nil
}

// beatsAtOnce is how many identities beat in parallel. Nearly all of them wait for an answer, and one that waits for a frozen
// peer must not keep the place of a sound one, so it is well above the number of bridges that anybody has.
const beatsAtOnce = 1024

func (d *Daemon) runner() *runner {
	return &runner{sched: d.control.Schedule(), clock: d.Clock, limit: beatsAtOnce, grace: 20 * time.Second, log: d.Log, beat: d.beat}
}

// reload puts a changed file in force; a broken one never replaces a working one.
func (d *Daemon) reload(ctx context.Context, u config.Update) {
	now := d.Clock.Now()
	what, err := fleet.Because("daemon.reloaded", "file", d.o.Path), error(nil)
	if !u.OK() {
		what = fleet.Because("daemon.reload_refused", "file", d.o.Path, "problems", len(u.Problems))
	} else if senders, failed := d.outside(ctx, u.Config); failed != nil {
		err = failed
		what = fleet.Because("daemon.reload_refused", "file", d.o.Path, "problems", 1)
	} else {
		u.Config.Data, u.Config.Metrics, u.Config.Clock = d.o.Config.Data, d.o.Config.Metrics, d.o.Config.Clock
		d.Configure(u.Config)
		d.messages = d.pipeline(u.Config, senders)
		d.control.Configure(now, d.messages)
	}
	d.face.refused.Store(!u.OK() || err != nil)
	d.Log.Info("configuration file changed", "file", d.o.Path, "ok", u.OK() && err == nil, "problems", len(u.Problems), "err", err)
	if err := d.Store.Append(ctx, fleet.Event{At: now, Kind: fleet.EventConfig, Author: "phalops", Target: fleet.Fleet, Reason: what}); err != nil {
		d.Log.Error("write down the reload", "err", err)
	}
	if d.o.Changed != nil {
		d.o.Changed(u)
	}
}

// Stop ends the watch: nothing new begins, what is under way gets a grace to finish, leases are given back, everything is
// closed. It is safe to call more than once.
func (d *Daemon) Stop(ctx context.Context) error {
	var errs []error
	if d.stop != nil {
		d.stop()
		d.stop = nil
		if d.server != nil {
			errs = append(errs, d.server.Shutdown(ctx))
		}
		d.wg.Wait()
		errs = append(errs, d.control.Release(ctx), d.Store.Append(ctx, fleet.Event{At: d.Clock.Now(), Kind: fleet.EventDaemon, Author: "phalops",
			Target: fleet.Fleet, Reason: fleet.Because("daemon.stopped", "owner", d.Owner)}))
	}
	return errors.Join(append(errs, d.close())...)
}

func (d *Daemon) close() error {
	var errs []error
	if d.listen != nil {
		if err := d.listen.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
		d.listen = nil
	}
	if d.Core != nil && d.lock != nil {
		errs = append(errs, d.lock.Close())
		d.lock = nil
	}
	if d.Core != nil {
		errs = append(errs, d.Close())
		d.Core = nil
	}
	return errors.Join(errs...)
}

// Run keeps watch until ctx ends.
func Run(ctx context.Context, o Options) error {
	d, err := New(ctx, o)
	if err != nil {
		return err
	}
	if err := d.Start(ctx); err != nil {
		return errors.Join(err, d.Stop(context.WithoutCancel(ctx)))
	}
	<-ctx.Done()
	return d.Stop(context.WithoutCancel(ctx))
}
