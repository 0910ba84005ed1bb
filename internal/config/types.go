// Package config turns one YAML file into typed, validated configuration. Every problem is reported at once with its line,
// column and field path; unknown keys are errors; secrets stay references.
package config

import (
	"time"

	"phalops/internal/secret"
)

// Config is the whole file after defaults, ranges and checks. Zero fields carry their documented default already.
type Config struct {
	Lang     string             // zh | en; default en (the starter file sets it)
	Data     string             // folder of the store; default /var/lib/phalops
	Networks map[string]Network // khala and phala are built in
	Hosts    map[string]Host    // "local" is always there
	Sites    []Site
	Watchdog Watchdog
	Healing  Healing
	Alerts   Alerts
	Poll     Poll
	Chain    Chain
	Metrics  Listen   // default 127.0.0.1:9477
	Windows  []Window // maintenance
	Clock    *Clock   // nil in production
}

// Network is a chain family.
type Network struct {
	Name           string
	SS58Prefix     int           // default 30
	ParaBlockTime  time.Duration // default 12s
	RelayBlockTime time.Duration // default 6s
	Reference      []string      // outside heads: RPC URLs of parachain nodes that are not ours
}

// Host is a machine with a container engine.
type Host struct {
	Name    string
	Address string // IP or name; "" for local
	Docker  string // engine: unix:///path or tcp://127.0.0.1:port of this machine, ssh:///path of its own; "" = ssh:///var/run/docker.sock, or out of reach without SSH; default for local unix:///var/run/docker.sock
	SSH     *SSH   // nil: not reached over SSH
}

// SSH is how a host is reached for commands, files and, where it names no engine of its own, containers.
type SSH struct {
	User    string     // login
	Port    int        // default 22
	Key     secret.Ref // private key
	Become  string     // "" | sudo: how commands become root
	Bastion string     // name of the host to go through; "" = directly
	Trust   string     // "" = the host key must be known already | first: learn it at the first contact
}

// Site is one place with its own LAN.
type Site struct {
	Name          string
	Network       string // default khala
	Nodes         []Node
	DataProviders []DataProvider
	HeadersCaches []HeadersCache
	Bridges       []Bridge // of every generation; solo workers are here as well, with Version "solo"
	Pools         []Pool   // stake pools of ours; what bridges and the chain tell of needs no entry
	Mode          string   // act | observe; "" = as healing.mode says
}

// HeadersCache serves relay chain headers to v3 bridges and pherry.
type HeadersCache struct {
	Name string
	URL  string
	Node string // the node that it reads
}

// Node is a para+relay chain process, or with RPC any one-chain Substrate node.
type Node struct {
	Name      string
	Host      string        // default local
	Para      string        // URL
	Relay     string        // URL
	RPC       string        // URL of a one-chain node; then Para and Relay are empty
	Container string        // container name on Host; "" = phalops cannot restart it
	Grace     time.Duration // stop grace; default 120s, never less than 60s
	Volume    string        // folder of its chain data on Host; "" = not known, and its disk is not looked at
}

// DataProvider is a v2 data provider's container.
type DataProvider struct {
	Name    string
	Host    string // default local
	Node    string // the node it reads
	Project string // exact compose project
}

// VersionSolo is the Version of a solo worker: one pRuntime with its own pherry, which is a bridge for one.
const VersionSolo = "solo"

// Bridge is a PRB, or with VersionSolo a solo worker's pherry.
type Bridge struct {
	Name          string
	Version       string // v0 | v2 | v3 | solo
	URL           string // the monitor (v0, v2), prb-wm or its monitor's proxy (v3), the pRuntime (solo)
	Lifecycle     string // peer id, "" where the monitor knows exactly one lifecycle manager
	DataProviders []string
	Node          string            // restarted with it, in the right order
	Host          string            // default local
	Project       string            // exact compose project; "" = its containers are not ours to restart
	Roles         map[string]string // service → host, where parts live on other hosts
	Standby       string            // host with a stopped copy of identity and database; never started by a restart
	Pherry        string            // solo: the feeder's container on Host; "" = phalops cannot restart it
	MaxWorkers    int               // default 100
	Labels        map[string]string
}

// Watchdog is the node policy.
type Watchdog struct {
	StalledAfter time.Duration // default 5m
	DownAfter    time.Duration // default 2m
	Restart      Budget        // default per 6h, at most 3, backoff 10m
}

// Budget bounds restarts.
type Budget struct {
	Per     time.Duration
	AtMost  int
	Backoff time.Duration // pause after the first; doubles
}

// Healing is the worker policy.
type Healing struct {
	Mode   string   // act | observe; default act, the starter file begins with observe
	AtMost AtMost   // default 10% per bridge, 3 at once
	Ladder []string // default [restart, container, alert]
	Worker Budget   // restarts of one worker; default per 6h, at most 3, backoff 10m
	Rules  []Rule   // the operator's own, asked before the built-in ones
	Watch  []string // names (globs) of built-in rules that only report what they would have done
}

// Rule is an operator's own healing rule.
type Rule struct {
	Name     string
	When     string        // expr condition over rule.Env, compiled already by config check
	For      time.Duration // it must hold this long; default 0
	Do       []string      // rungs: restart, container, alert; default [restart, alert]
	Cooldown time.Duration // between two treatments of one worker; default: the worker budget's backoff
	Mode     string        // act | observe; "" = as the site says
}

// Window is a maintenance window: phalops decides and records, and does not act.
type Window struct {
	Name  string
	At    string        // cron expression, local time
	For   time.Duration //
	Sites []string      // empty: all
}

// AtMost caps how many workers of a bridge are treated at the same time. Both caps hold; at least one worker is always
// allowed.
type AtMost struct {
	PerBridge float64 // share of the bridge's enabled workers, 0…1
	AtOnce    int
}

// Alerts is who is told.
type Alerts struct {
	Channels map[string]Channel
	Routes   []Route // default: critical at once, repeated hourly; warning at once; info as a 10-minute digest
}

// Channel is one way to reach people.
type Channel struct {
	Name   string
	Type   string     // dingtalk
	URL    string     // default: the service's own, https://oapi.dingtalk.com/robot/send
	Token  secret.Ref //
	Secret secret.Ref // signing secret; zero: the robot uses keywords or an address list
	At     []string   // mobile numbers to wake for critical alerts
}

// Route sends severities to channels.
type Route struct {
	Severity []string
	To       []string
	Repeat   time.Duration // 0: never repeated
	Digest   time.Duration // 0: at once
}

// Poll is how often the fleet is asked.
type Poll struct {
	Node   time.Duration // default 15s
	Bridge time.Duration // default 15s
	Chain  time.Duration // a network's storage; default 5m, 0: never
}

// Chain is how much of a network's storage is read.
type Chain struct {
	Whole      bool // default true: every session, worker and pool; else our own ones and the chain's own sums
	AllWorkers bool // keep every worker of the network in memory, also those of others; default false
}

// Listen is an address to serve on; "" = off.
type Listen struct{ Listen string }

// Clock makes the daemon run on a simulated world's time (written by `sim serve --write-config`, never by hand).
type Clock struct {
	Origin time.Time
	Speed  float64
}
