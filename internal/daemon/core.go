// Package daemon is the composition root: it puts the rooms together, as the long-running daemon (Daemon) and as the part
// of it that a single command needs (Core).
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/google/uuid"

	"phalops/internal/act"
	"phalops/internal/batch"
	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/secret"
	"phalops/internal/store"
	"phalops/internal/store/memory"
	"phalops/internal/store/sqlite"
)

// CoreOptions are what a Core is made of.
type CoreOptions struct {
	Config config.Config
	Clock  clock.Clock
	Log    *slog.Logger
	// Owner says in leases and locks who executes: "daemon" or "cli"; host, process and a random part are added.
	Owner string
	// NeedsStore: the data folder is opened, and made when it is not there. Otherwise a missing one is replaced by a store
	// in memory: commands that only read or only show what they would do need no data folder.
	NeedsStore bool
	// Secrets resolves the keys of hosts behind SSH.
	Secrets secret.Resolver
	// Allow says who may be dialled; nil: everybody. The demo and tests allow loopback addresses only.
	Allow func(netip.Addr) bool
	// PlanEnded is told once of each plan that ended in this process; nil: nobody.
	PlanEnded func(fleet.Plan)
}

// Core is an opened fleet: its configuration, memory, clients and the engine with every plan kind. It starts nothing.
type Core struct {
	Clock   clock.Clock
	Store   store.Store
	Engine  *act.Engine
	Clients *Clients
	Batches *batch.Batches
	Log     *slog.Logger
	Owner   string

	config atomic.Pointer[config.Config]
}

// Open opens a Core. Close it.
func Open(ctx context.Context, o CoreOptions) (*Core, error) {
	memory, err := openStore(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Core{Clock: o.Clock, Store: memory, Log: o.Log, Owner: ownerName(o.Owner)}
	c.config.Store(&o.Config)
	c.Clients = NewClients(ClientOptions{Config: o.Config, Clock: o.Clock, Secrets: o.Secrets, Allow: o.Allow})
	c.Batches = batch.New(batch.Options{
		Config: c.Config, Reach: hands{c.Clients}, Journal: memory, Engine: func() batch.Engine { return c.Engine }, Secrets: o.Secrets,
	})
	kinds := append(remedy.New(c.Config, hands{c.Clients}).Kinds(), c.Batches.Kinds()...)
	c.Engine, err = act.New(act.Options{
		Store: memory, Kinds: kinds, Log: o.Log,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Ended: o.PlanEnded,
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func openStore(ctx context.Context, o CoreOptions) (store.Store, error) {
	if !o.NeedsStore {
		if _, err := os.Stat(filepath.Join(o.Config.Data, sqlite.FileName)); errors.Is(err, os.ErrNotExist) {
			return memory.New(), nil
		}
	}
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: o.Config.Data})
	if err != nil {
		return nil, fmt.Errorf("open the store in %s: %w", o.Config.Data, err)
	}
	return s, nil
}

func ownerName(role string) string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return fmt.Sprintf("%s@%s/%d/%s", role, name, os.Getpid(), uuid.NewString()[:8])
}

// Config is the configuration in force.
func (c *Core) Config() config.Config { return *c.config.Load() }

// Configure puts another configuration in force.
func (c *Core) Configure(cfg config.Config) {
	c.config.Store(&cfg)
	c.Clients.Configure(cfg)
}

// Close gives everything back.
func (c *Core) Close() error {
	c.Clients.Close()
	if err := c.Store.Close(); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

// NameOf is a reference as people call it: a worker by the name that its bridge knows, everything else by its own name.
func (c *Core) NameOf(ref string) string {
	r := fleet.Ref(ref)
	if r.Kind() != fleet.KindWorker {
		if name := r.Name(); name != "" {
			return name
		}
		return ref
	}
	bridges, err := c.Store.Bridges(context.Background())
	if err != nil {
		return r.Name()
	}
	for _, b := range bridges {
		if b.Ref != r.Parent() {
			continue
		}
		if w := b.Worker(r); w != nil {
			return w.Name
		}
	}
	return r.Name()
}
