package daemon

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/docker"
	"phalops/internal/host/local"
	"phalops/internal/host/ssh"
	"phalops/internal/secret"
)

// machine is a configured host as it is reached.
type machine struct {
	way    []config.Host // the entry and those of its bastions, nearest first: what it was made from
	host   host.Host     // nil: no command runs there
	engine host.Engine   // nil: there is no way to its containers
	ssh    *ssh.Host     // nil: not over SSH
	key    digest        // of the key of its login
	close  func()
}

// digest tells one key from another; zero stands for the ssh-agent.
type digest [sha256.Size]byte

func (d digest) given() bool { return d != digest{} }

// Host is a configured host for commands and files: this machine, or one behind SSH.
func (c *Clients) Host(name string) (host.Host, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := c.machine(name)
	if err != nil {
		return nil, err
	}
	if m.host == nil {
		return nil, fleet.Fail(fleet.Unavailable, fleet.Because("daemon.no_commands", "host", name))
	}
	return m.host, nil
}

// Containers is the engine of a configured host.
func (c *Clients) Containers(name string) (host.Containers, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := c.machine(name)
	if err != nil {
		return nil, err
	}
	if m.engine == nil {
		return nil, fleet.Fail(fleet.Unavailable, fleet.Because("daemon.no_engine", "host", name))
	}
	return m.engine, nil
}

// machine makes a host's connections where there are none; it dials nothing. c.mu is held.
func (c *Clients) machine(name string) (machine, error) {
	if m, ok := c.hosts[name]; ok {
		return m, nil
	}
	h, ok := c.cfg.Hosts[name]
	if !ok {
		return machine{}, fleet.Fail(fleet.NotFound, fleet.Because("daemon.no_host", "host", name))
	}
	m, err := c.newMachine(h)
	if err != nil {
		return machine{}, fmt.Errorf("host %s: %w", name, err)
	}
	m.way = wayTo(c.cfg, h)
	c.hosts[name] = m
	return m, nil
}

func (c *Clients) newMachine(h config.Host) (machine, error) {
	if h.SSH != nil {
		return c.overSSH(h)
	}
	m := machine{close: func() {}}
	if h.Docker != "" {
		engine, err := docker.New(h.Docker, c.clock)
		if err != nil {
			return m, err
		}
		m.engine, m.close = engine, engine.Close
	}
	if h.Name == config.LocalHost {
		m.host = local.New(local.Options{Name: h.Name, Engine: m.engine})
	}
	return m, nil
}

// overSSH makes a host behind SSH. Its engine is reached the same way, unless it has an address of its own on this machine.
func (c *Clients) overSSH(h config.Host) (machine, error) {
	if err := c.mayDial(h); err != nil {
		return machine{}, err
	}
	o := ssh.Options{
		Name: h.Name, Address: net.JoinHostPort(h.Address, strconv.Itoa(h.SSH.Port)), User: h.SSH.User,
		KnownHosts: filepath.Join(c.cfg.Data, knownHosts), AcceptNew: h.SSH.Trust == "first", Root: host.Root{Way: h.SSH.Become},
		NewEngine: func(name string, dial func(context.Context) (net.Conn, error)) ssh.Engine {
			return docker.Through(name, dial, c.clock)
		},
	}
	if socket, there := strings.CutPrefix(h.Docker, "ssh://"); there {
		o.Engine = socket
	} else if h.Docker != "" {
		engine, err := docker.New(h.Docker, c.clock)
		if err != nil {
			return machine{}, err
		}
		o.NewEngine = func(string, func(context.Context) (net.Conn, error)) ssh.Engine { return engine }
	}
	key, err := c.identify(h, &o)
	if err != nil {
		return machine{}, err
	}
	if h.SSH.Bastion != "" {
		through, err := c.machine(h.SSH.Bastion)
		if err != nil {
			return machine{}, err
		}
		o.Bastion = through.ssh
	}
	s, err := ssh.New(o)
	if err != nil {
		return machine{}, err
	}
	return machine{host: s, engine: s.Containers(), ssh: s, key: key, close: s.Close}, nil
}

// knownHosts is the file of host keys in the data folder.
const knownHosts = "known_hosts"

// secretTimeout bounds the reading of a key.
const secretTimeout = 10 * time.Second

// identify gives o the key of a host, or the ssh-agent where it has none.
func (c *Clients) identify(h config.Host, o *ssh.Options) (digest, error) {
	if h.SSH.Key.IsZero() {
		if c.secrets.LookupEnv != nil {
			o.Agent, _ = c.secrets.LookupEnv("SSH_AUTH_SOCK")
		}
		if o.Agent == "" {
			return digest{}, fleet.Fail(fleet.Failed, fleet.Because("daemon.no_key", "host", h.Name))
		}
		return digest{}, nil
	}
	key, err := c.keyOf(h.SSH.Key)
	if err != nil {
		return digest{}, err
	}
	o.Keys = [][]byte{key}
	return sha256.Sum256(key), nil
}

func (c *Clients) keyOf(ref secret.Ref) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), secretTimeout)
	defer cancel()
	key, err := c.secrets.Resolve(ctx, ref)
	if err != nil {
		return nil, err
	}
	return []byte(key.Reveal()), nil
}

// mayDial holds a host that is dialled without the HTTP client against its policy. A name could lead anywhere.
func (c *Clients) mayDial(h config.Host) error {
	if c.allow == nil {
		return nil
	}
	if at, err := netip.ParseAddr(h.Address); err == nil && c.allow(at) {
		return nil
	}
	return fleet.Fail(fleet.Refused, fleet.Because("wire.forbidden", "url", h.Address))
}

// wayTo is a host's entry and those of the bastions on the way to it.
func wayTo(cfg config.Config, h config.Host) []config.Host {
	way := []config.Host{h}
	for h.SSH != nil && h.SSH.Bastion != "" && len(way) <= len(cfg.Hosts) {
		h = cfg.Hosts[h.SSH.Bastion]
		way = append(way, h)
	}
	return way
}

// staleHosts takes out the hosts that the configuration no longer has as they were made, and those on whose way a key was
// replaced by another. c.mu is held.
func (c *Clients) staleHosts() []machine {
	keys := map[secret.Ref]digest{} // as they are now; zero where one cannot be had
	rotated := func(m machine) bool {
		if !m.key.given() {
			return false
		}
		ref := m.way[0].SSH.Key
		now, read := keys[ref]
		if !read {
			if key, err := c.keyOf(ref); err == nil {
				now = sha256.Sum256(key)
			}
			keys[ref] = now
		}
		return now.given() && now != m.key
	}
	gone := map[string]bool{}
	for name, m := range c.hosts {
		h, ok := c.cfg.Hosts[name]
		gone[name] = !ok || !reflect.DeepEqual(m.way, wayTo(c.cfg, h)) || rotated(m)
	}
	var stale []machine
	for name, m := range c.hosts {
		if slices.ContainsFunc(m.way, func(h config.Host) bool { return gone[h.Name] }) {
			stale = append(stale, m)
			delete(c.hosts, name)
		}
	}
	return stale
}

// closeInOrder closes machines, those behind a bastion before it.
func closeInOrder(all []machine) {
	slices.SortFunc(all, func(a, b machine) int { return cmp.Compare(len(b.way), len(a.way)) })
	for _, m := range all {
		m.close()
	}
}

// CheckKeys reads every key that the hosts need, each once, and says which cannot be had or used.
func (c *Clients) CheckKeys() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := map[secret.Ref]bool{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Hosts)) {
		h := c.cfg.Hosts[name]
		if h.SSH == nil || seen[h.SSH.Key] {
			continue
		}
		seen[h.SSH.Key] = true
		if _, err := c.machine(name); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
