package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/daemon"
	"phalops/internal/fleet"
	"phalops/internal/secret"
)

// session is an opened fleet for one command.
type session struct {
	*app
	core *daemon.Core

	joined map[string]bool // plans of somebody else that this command follows

	mu    sync.Mutex
	names map[fleet.Ref]string // workers by the names that their bridges know; nil: not read yet
}

// Places where the configuration is looked for when -c is not given.
var configPlaces = [...]string{"./phalops.yaml", "/etc/phalops/phalops.yaml"}

func (a *app) configPath() (string, error) {
	if a.flags.config != "" {
		return a.flags.config, nil
	}
	for _, p := range configPlaces {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	return "", usage("cli.no_config", "places", strings.Join(configPlaces[:], ", "))
}

// loadConfig reads the configuration; its problems are printed, all of them.
func (a *app) loadConfig() (config.Config, string, error) {
	path, err := a.configPath()
	if err != nil {
		return config.Config{}, "", err
	}
	cfg, problems, err := config.Load(path)
	if err != nil {
		return cfg, path, err
	}
	if len(problems) > 0 {
		a.printProblems(path, problems)
		return cfg, path, exitError{exitUsage}
	}
	if a.flags.lang == "" {
		a.lang = langNamed(cfg.Lang, a.lang)
	}
	return cfg, path, nil
}

// clockOf is the fleet's clock: the machine's, or that of the simulated world that the configuration belongs to.
func (a *app) clockOf(cfg config.Config) clock.Clock {
	switch {
	case a.Clock != nil:
		return a.Clock
	case cfg.Clock != nil:
		return clock.Scaled{Origin: cfg.Clock.Origin, Speed: cfg.Clock.Speed}
	default:
		return clock.Real{}
	}
}

// withCore opens the fleet of the configuration, with its data folder, for a command that acts, and closes it after.
func (a *app) withCore(ctx context.Context, f func(context.Context, *session) error) error {
	return a.open(ctx, !a.flags.dryRun, f)
}

// withReader is withCore for commands that only read: they need no data folder.
func (a *app) withReader(ctx context.Context, f func(context.Context, *session) error) error {
	return a.open(ctx, false, f)
}

func (a *app) open(ctx context.Context, needsStore bool, f func(context.Context, *session) error) (err error) {
	cfg, _, err := a.loadConfig()
	if err != nil {
		return err
	}
	ctx, cancel := a.withTimeout(ctx)
	defer cancel()
	core, err := daemon.Open(ctx, daemon.CoreOptions{
		Config: cfg, Clock: a.clockOf(cfg), Log: a.log, Owner: "cli", NeedsStore: needsStore, Secrets: secret.FromEnvironment(),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, core.Close()) }()
	s := &session{app: a, core: core}
	a.catalog = a.catalog.Naming(s.nameOf)
	return f(ctx, s)
}

// snapshot is what a command shows: from the daemon's memory, or asked for just now.
type snapshot = daemon.Snapshot

// look reads what is known of the fleet: the daemon's last facts with their age, or, without a daemon, one round of asking.
func (s *session) look(ctx context.Context) (snapshot, error) { return s.lookWith(ctx, s.core.Look) }

// lookAtChains is look for commands that show what the chains say: without a daemon these are asked too.
func (s *session) lookAtChains(ctx context.Context) (snapshot, error) {
	return s.lookWith(ctx, s.core.LookAtChains)
}

func (s *session) lookWith(ctx context.Context, look func(context.Context) (snapshot, error)) (snapshot, error) {
	began := s.core.Clock.Now()
	now, err := look(ctx)
	if err != nil {
		return now, err
	}
	if now.Live {
		s.firstLook = began
	}
	names := map[fleet.Ref]string{}
	for _, b := range now.Bridges {
		for _, w := range b.Workers {
			names[w.Ref] = w.Name
		}
	}
	s.mu.Lock()
	s.names = names
	s.mu.Unlock()
	return now, nil
}

// nameOf is a reference as people call it: a worker by its name, everything else by the last part. It is "" for the whole
// fleet, which the catalogue has a word for.
func (s *session) nameOf(ref string) string {
	r := fleet.Ref(ref)
	if r.Kind() == fleet.KindWorker {
		if name := s.workerNames()[r]; name != "" {
			return name
		}
	}
	return r.Name()
}

// workerNames is read once: the record of a day names the same workers many times.
func (s *session) workerNames() map[fleet.Ref]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names != nil {
		return s.names
	}
	s.names = map[fleet.Ref]string{}
	bridges, err := s.core.Store.Bridges(context.Background())
	if err != nil {
		s.log.Warn("read the workers' names", "err", err)
	}
	for _, b := range bridges {
		for _, w := range b.Workers {
			s.names[w.Ref] = w.Name
		}
	}
	return s.names
}

// name is a target for a table.
func (s *session) name(ref fleet.Ref) string {
	if ref == fleet.Fleet {
		return s.say("kind.fleet")
	}
	return s.nameOf(string(ref))
}

// foot says on stderr where the answer comes from.
func (a *app) foot(s snapshot) {
	switch {
	case a.flags.output != "table": // for programs: its fields say so
	case s.Live:
		fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.asked_now")))
	default:
		fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.from_daemon", "at", s.Seen, "owner", s.Daemon)))
	}
}
