package config

import (
	"maps"
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/secret"
)

// LocalHost is the machine that phalops runs on.
const LocalHost = "local"

const localDocker = "unix:///var/run/docker.sock"

// modes are what healing may do: act, or observe and say what would have been done.
func modes() []string { return []string{"act", "observe"} }

// dingTalk is where DingTalk's robots listen.
const dingTalk = "https://oapi.dingtalk.com/robot/send"

const (
	khala = "khala"
	phala = "phala"
)

// defaults is the configuration of an empty file.
func defaults() Config {
	return Config{
		Lang:     "en",
		Data:     "/var/lib/phalops",
		Networks: map[string]Network{khala: defaultNetwork(khala), phala: defaultNetwork(phala)},
		Hosts:    map[string]Host{LocalHost: {Name: LocalHost, Docker: localDocker}},
		Watchdog: Watchdog{StalledAfter: 5 * time.Minute, DownAfter: 2 * time.Minute, Restart: defaultBudget()},
		Healing: Healing{
			Mode:   "act",
			AtMost: AtMost{PerBridge: 0.1, AtOnce: 3},
			Ladder: []string{"restart", "container", "alert"},
			Worker: defaultBudget(),
		},
		Alerts:  Alerts{Channels: map[string]Channel{}},
		Poll:    Poll{Node: 15 * time.Second, Bridge: 15 * time.Second, Chain: 5 * time.Minute},
		Chain:   Chain{Whole: true},
		Metrics: Listen{Listen: "127.0.0.1:9477"},
	}
}

// defaultNetwork has the values of Khala and Phala, which every fork of them shares.
func defaultNetwork(name string) Network {
	return Network{Name: name, SS58Prefix: 30, ParaBlockTime: 12 * time.Second, RelayBlockTime: 6 * time.Second}
}

func defaultBudget() Budget {
	return Budget{Per: 6 * time.Hour, AtMost: 3, Backoff: 10 * time.Minute}
}

func defaultNode() Node { return Node{Host: LocalHost, Grace: 2 * time.Minute} }

func defaultBridge() Bridge { return Bridge{Host: LocalHost, MaxWorkers: 100} }

// minGas is what a gas account should have left: the fees of some days (Phala's wiki tells compute providers to keep more than
// 2 PHA).
func minGas() fleet.Amount { return fleet.PHA(2) }

func defaultSolo() Bridge { return Bridge{Version: VersionSolo, Host: LocalHost, MaxWorkers: 1} }

// defaultRoutes tells everybody: critical at once and again each hour, warnings at once, the rest as a digest.
func defaultRoutes(channels map[string]Channel) []Route {
	if len(channels) == 0 {
		return nil
	}
	all := slices.Sorted(maps.Keys(channels))
	return []Route{
		{Severity: []string{"critical"}, To: all, Repeat: time.Hour},
		{Severity: []string{"warning"}, To: slices.Clone(all)},
		{Severity: []string{"info"}, To: slices.Clone(all), Digest: 10 * time.Minute},
	}
}

// References lists every reference to a secret, each once, in a fixed order.
func (c Config) References() []secret.Ref {
	var refs []secret.Ref
	add := func(ref secret.Ref) {
		if !ref.IsZero() && !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Alerts.Channels)) {
		ch := c.Alerts.Channels[name]
		add(ch.Token)
		add(ch.Secret)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Hosts)) {
		if s := c.Hosts[name].SSH; s != nil {
			add(s.Key)
		}
	}
	for _, s := range c.Sites {
		for _, p := range s.Pools {
			add(p.Operator)
		}
	}
	return refs
}
