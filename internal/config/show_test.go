package config_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/secret"
)

// What config show prints is a configuration: reading it gives the same one, and printing that gives the same text.
func TestShowIsReadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyConfig(t)
		first, err := config.Show(c)
		if err != nil {
			t.Fatal(err)
		}
		back, problems := config.Parse(first)
		if len(problems) > 0 {
			t.Fatalf("%+v\n%s", problems, first)
		}
		if diff := cmp.Diff(c, back, cmpopts.EquateEmpty(), cmp.Comparer(sameAmount)); diff != "" {
			t.Fatalf("-shown +read:\n%s\n%s", diff, first)
		}
		second, err := config.Show(back)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v\n%s\n%s", err, first, second)
		}
	})
}

// anyConfig draws a valid configuration, with names and labels that YAML could take for something else.
func anyConfig(t *rapid.T) config.Config {
	c, problems := config.Parse([]byte("sites: [ { name: dc1 } ]"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c.Lang = rapid.SampledFrom([]string{"zh", "en"}).Draw(t, "lang")
	c.Data = rapid.SampledFrom([]string{"/var/lib/phalops", "/srv/中文 x", "/a: b", "/#x"}).Draw(t, "data")
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"true", "null", "1e3", "0x10", "017", "no", "2022-01-01", "a.b", "桥-1", "A_b", "off", "1_000"}), 6, 6, rapid.ID[string]).Draw(t, "names")
	for _, n := range names[:3] {
		c.Hosts[n] = config.Host{Name: n, Address: rapid.SampledFrom([]string{"127.0.0.1", "fe80::1", "host.example", "1a"}).Draw(t, "address"), Docker: "unix:///run/x y.sock"}
		h := c.Hosts[n]
		h.Docker = rapid.SampledFrom([]string{"", "unix:///run/x.sock", "tcp://127.0.0.1:1", "tcp://[::1]:2"}).Draw(t, "docker")
		c.Hosts[n] = h
	}
	if rapid.Bool().Draw(t, "rules") {
		c.Healing.Rules = []config.Rule{{
			Name: rapid.SampledFrom([]string{"mq egress flapping", "夜班 #1: \"x\"", "- a", "true"}).Draw(t, "rule"),
			When: rapid.SampledFrom([]string{`worker.message contains "it's: #1"`, "worker.enabled and\n  worker.lag > 5\n", "not worker.enabled // 停了", "true"}).Draw(t, "when"),
			For:  time.Duration(rapid.IntRange(0, 600).Draw(t, "for")) * time.Second, Do: rapid.SampledFrom([][]string{{"alert"}, {"restart", "alert"}}).Draw(t, "do"),
			Cooldown: time.Hour, Mode: rapid.SampledFrom([]string{"", "act", "observe"}).Draw(t, "mode of a rule"),
		}}
		c.Healing.Watch = []string{"v2.error.*", "*"}
	}
	if rapid.Bool().Draw(t, "ssh") {
		h := c.Hosts[names[1]]
		h.Docker = rapid.SampledFrom([]string{"", "ssh:///run/e.sock", "unix:///run/x.sock"}).Draw(t, "docker behind ssh")
		h.SSH = &config.SSH{
			User: rapid.SampledFrom([]string{"root", "1", "null", "a@b"}).Draw(t, "user"), Port: rapid.IntRange(1, 65535).Draw(t, "port"),
			Key: secret.Ref(rapid.SampledFrom([]string{"", "file:/a b", "cred:x"}).Draw(t, "key")), Become: rapid.SampledFrom([]string{"", "sudo"}).Draw(t, "become"),
			Trust: rapid.SampledFrom([]string{"", "first"}).Draw(t, "trust"),
		}
		c.Hosts[names[1]] = h
		inside := c.Hosts[names[2]]
		inside.SSH = &config.SSH{User: "ops", Port: 22, Bastion: names[1]}
		c.Hosts[names[2]] = inside
	}
	engine := names[0]
	h := c.Hosts[engine]
	h.Docker = "unix:///run/e.sock"
	c.Hosts[engine] = h
	c.Sites[0].Mode = rapid.SampledFrom([]string{"", "act", "observe"}).Draw(t, "mode")
	node := config.Node{Volume: rapid.SampledFrom([]string{"", "/opt/a b"}).Draw(t, "volume"), Name: names[3], Host: engine, Para: "http://127.0.0.1:9944", Relay: "http://[::1]:9945/x", Container: "0x1", Grace: anySpan(t, time.Minute, time.Hour)}
	c.Sites[0].Nodes = []config.Node{node, {Name: names[4], Host: config.LocalHost, RPC: "https://rpc.example", Grace: 2 * time.Minute}}
	c.Sites[0].DataProviders = []config.DataProvider{{Name: names[5], Host: engine, Node: node.Name, Project: "1"}}
	c.Sites[0].Bridges = []config.Bridge{{
		Name: names[3], Version: "v2", URL: "http://127.0.0.1:3000", Lifecycle: rapid.SampledFrom([]string{"", peer}).Draw(t, "lifecycle"),
		DataProviders: names[5:], Node: node.Name, Host: engine, Project: "null",
		Roles:      map[string]string{"redis-q": engine, "1": engine},
		MaxWorkers: rapid.IntRange(1, 5000).Draw(t, "max"),
		Labels:     map[string]string{names[1]: rapid.StringMatching(`[\PC]{0,20}`).Draw(t, "label"), "x": "~"},
	}}
	c.Sites[0].HeadersCaches = []config.HeadersCache{{Name: names[3], URL: "http://127.0.0.1:22111", Node: node.Name}, {Name: names[0], URL: "http://[::1]"}}
	c.Sites[0].Bridges = append(c.Sites[0].Bridges,
		config.Bridge{Name: names[4], Version: rapid.SampledFrom([]string{"v0", "v3"}).Draw(t, "version"), URL: "http://127.0.0.2:3000", Host: engine, Standby: config.LocalHost, MaxWorkers: 1},
		config.Bridge{Name: names[5], Version: "v3", URL: config.ManagerURL("http://[::1]:3000", "http://127.0.0.3:3001"), Host: config.LocalHost, MaxWorkers: 100},
		config.Bridge{Name: names[0], Version: config.VersionSolo, URL: "http://127.0.0.4:8000", Host: engine, Node: node.Name, Pherry: "0x1", MaxWorkers: 1, Labels: map[string]string{"x": "1"}})
	c.Sites[0].Pools = []config.Pool{
		{PID: rapid.Uint64Range(0, 1<<63-1).Draw(t, "pid"), MinGas: fleet.NewAmount(rapid.Uint64().Draw(t, "gas"))},
		{PID: 1 << 62, Operator: "file:/a b", Account: alice, Proxied: alice},
	}
	c.Poll.Chain = rapid.SampledFrom([]time.Duration{0, time.Minute, 24 * time.Hour}).Draw(t, "poll of the chain")
	c.Chain.Whole = rapid.Bool().Draw(t, "whole")
	c.Chain.AllWorkers = c.Chain.Whole && rapid.Bool().Draw(t, "all workers")
	c.Windows = []config.Window{{Name: rapid.SampledFrom([]string{"no", "每周: 一次 #1", "'"}).Draw(t, "window"), At: "*/5 4 * * 0", For: anySpan(t, time.Minute, time.Hour), Sites: []string{"dc1"}}}
	c.Watchdog = config.Watchdog{StalledAfter: anySpan(t, time.Minute, time.Hour), DownAfter: anySpan(t, time.Minute, time.Hour), Restart: anyBudget(t)}
	c.Healing.AtMost = config.AtMost{PerBridge: float64(rapid.IntRange(1, 1000).Draw(t, "share")) / 1000, AtOnce: rapid.IntRange(1, 9).Draw(t, "at once")}
	c.Healing.Worker = anyBudget(t)
	c.Metrics.Listen = rapid.SampledFrom([]string{"", ":9477", "[::1]:9", "127.0.0.1:9477"}).Draw(t, "listen")
	if rapid.Bool().Draw(t, "alerts") {
		c.Alerts.Channels[names[2]] = config.Channel{Name: names[2], Type: "dingtalk", URL: "https://[::1]/robot/send", Token: "env:A", Secret: secret.Ref(rapid.SampledFrom([]string{"", "cred:x", "age:/a b"}).Draw(t, "secret")), At: []string{"007000"}}
		c.Alerts.Routes = []config.Route{{Severity: []string{"critical"}, To: []string{names[2]}, Repeat: anySpan(t, 0, time.Hour), Digest: anySpan(t, 0, time.Hour)}}
	}
	if rapid.Bool().Draw(t, "clock") {
		c.Clock = &config.Clock{Origin: time.Unix(0, rapid.Int64Range(0, 2e18).Draw(t, "origin")).UTC(), Speed: rapid.Float64Range(0.001, 1000).Draw(t, "speed")}
	}
	return c
}

// alice is the account of a public development phrase.
const alice = "45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2"

func anySpan(t *rapid.T, least, most time.Duration) time.Duration {
	return time.Duration(rapid.Int64Range(int64(least/time.Millisecond), int64(most/time.Millisecond)).Draw(t, "span")) * time.Millisecond
}

func anyBudget(t *rapid.T) config.Budget {
	return config.Budget{
		Per:     time.Duration(rapid.IntRange(1, 30).Draw(t, "days")) * 24 * time.Hour,
		AtMost:  rapid.IntRange(0, 9).Draw(t, "at most"),
		Backoff: anySpan(t, time.Minute, time.Hour),
	}
}

// Even a reference that was set without a check prints as nothing but <secret>.
func TestShowNeverPrintsASecret(t *testing.T) {
	c := parse(t, "sites: [ { name: dc1 } ]")
	c.Alerts.Channels["x"] = config.Channel{Name: "x", Type: "dingtalk", Token: "TOPSECRET"}
	c.Hosts["x"] = config.Host{Name: "x", Address: "127.0.0.1", SSH: &config.SSH{User: "ops", Key: "TOPSECRET"}}
	b, err := config.Show(c)
	if err != nil || bytes.Contains(b, []byte("TOPSECRET")) || bytes.Count(b, []byte("<secret>")) != 2 {
		t.Errorf("%v\n%s", err, b)
	}
	if s := fmt.Sprintf("%v %+v %+v", c, c.Alerts, c.Hosts["x"].SSH); bytes.Contains([]byte(s), []byte("TOPSECRET")) {
		t.Error("fmt prints it")
	}
}
