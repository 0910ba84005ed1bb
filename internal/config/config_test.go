package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/secret"
	"phalops/internal/testkit"
)

const peer = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG"

func parse(t *testing.T, text string) config.Config {
	t.Helper()
	c, problems := config.Parse([]byte(text))
	for _, p := range problems {
		t.Errorf("%d:%d %s %s", p.Line, p.Column, p.Path, p.Reason)
	}
	if t.Failed() {
		t.FailNow()
	}
	return c
}

func TestEverythingIsRead(t *testing.T) {
	got := parse(t, `
lang: zh
data: /srv/phalops/
networks:
  khala: { reference: ["https://rpc.example/khala"] }
  fork: { ss58_prefix: 42, para: { block_time: 24s }, relay: { block_time: 3s }, reference: "http://rpc.example/" }
hosts:
  node-1: { address: 127.0.0.2, docker: "unix:///run/node-1.sock" }
  w-[099-100]: { address: "127.0.1.[99-100]", docker: "tcp://127.0.0.1:[2099-2100]" }
  local: { docker: "unix:///run/docker.sock" }
sites:
  - name: dc1
    network: fork
    nodes:
      - { name: node-1, host: node-1, para: "http://127.0.0.2:9944/", relay: "https://[::1]:9945/relay", container: phala-node, grace: 3m }
      - { name: archive, rpc: "http://127.0.0.3:9944" }
    data_providers:
      - { name: dp-1, host: node-1, node: node-1, project: bridge_dp }
    bridges:
      - name: prb-b
        version: v2
        url: http://127.0.0.4:3000/
        lifecycle: `+peer+`
        data_providers: [dp-1]
        node: node-1
        host: node-1
        project: bridge
        roles: { redis-q: w-099 }
        max_workers: 250
        labels: { customer: alpha, rack: 7 }
    pools:
      - { pid: 0, operator: env:POOL, account: 42DnB4uneK6bURXJeXgMdWYyUah9tSaviM2ijedZXxsPTQWY, proxied: 45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2, min_gas: 0.5 }
      - pid: 83
watchdog: { stalled_after: 10m, down_after: 3m, restart: { per: 1d12h, at_most: 1, backoff: 1h30m } }
healing: { mode: observe, at_most: { per_bridge: "25%", at_once: 5 }, ladder: [restart, alert], worker: { per: 14d, at_most: 0, backoff: 20m } }
alerts:
  channels:
    ops: { type: dingtalk, url: "http://127.0.0.9:8080/robot/send", token: env:T, secret: file:/etc/s, at: ["13800000000", 13900000000] }
  routes: [ { severity: critical, to: ops, repeat: 0 }, { severity: [info, warning], to: [ops], digest: 5m } ]
poll: { node: 20s, bridge: 30s, chain: 0 }
chain: { whole: false }
metrics: { listen: off }
clock: { origin: 2022-06-01T16:00:00.5+08:00, speed: 20 }
`)
	want := config.Config{
		Lang: "zh",
		Data: "/srv/phalops",
		Networks: map[string]config.Network{
			"khala": {Name: "khala", SS58Prefix: 30, ParaBlockTime: 12 * time.Second, RelayBlockTime: 6 * time.Second, Reference: []string{"https://rpc.example/khala"}},
			"phala": {Name: "phala", SS58Prefix: 30, ParaBlockTime: 12 * time.Second, RelayBlockTime: 6 * time.Second},
			"fork":  {Name: "fork", SS58Prefix: 42, ParaBlockTime: 24 * time.Second, RelayBlockTime: 3 * time.Second, Reference: []string{"http://rpc.example"}},
		},
		Hosts: map[string]config.Host{
			"local":  {Name: "local", Docker: "unix:///run/docker.sock"},
			"node-1": {Name: "node-1", Address: "127.0.0.2", Docker: "unix:///run/node-1.sock"},
			"w-099":  {Name: "w-099", Address: "127.0.1.99", Docker: "tcp://127.0.0.1:2099"},
			"w-100":  {Name: "w-100", Address: "127.0.1.100", Docker: "tcp://127.0.0.1:2100"},
		},
		Sites: []config.Site{{
			Name: "dc1", Network: "fork",
			Nodes: []config.Node{
				{Name: "node-1", Host: "node-1", Para: "http://127.0.0.2:9944", Relay: "https://[::1]:9945/relay", Container: "phala-node", Grace: 3 * time.Minute},
				{Name: "archive", Host: "local", RPC: "http://127.0.0.3:9944", Grace: 2 * time.Minute},
			},
			DataProviders: []config.DataProvider{{Name: "dp-1", Host: "node-1", Node: "node-1", Project: "bridge_dp"}},
			Bridges: []config.Bridge{{
				Name: "prb-b", Version: "v2", URL: "http://127.0.0.4:3000", Lifecycle: peer, DataProviders: []string{"dp-1"},
				Node: "node-1", Host: "node-1", Project: "bridge", Roles: map[string]string{"redis-q": "w-099"}, MaxWorkers: 250,
				Labels: map[string]string{"customer": "alpha", "rack": "7"},
			}},
			Pools: []config.Pool{
				{
					Operator: "env:POOL", Account: "42DnB4uneK6bURXJeXgMdWYyUah9tSaviM2ijedZXxsPTQWY", Proxied: "45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2",
					MinGas: fleet.NewAmount(5e11),
				},
				{PID: 83, MinGas: fleet.PHA(2)},
			},
		}},
		Watchdog: config.Watchdog{
			StalledAfter: 10 * time.Minute, DownAfter: 3 * time.Minute,
			Restart: config.Budget{Per: 36 * time.Hour, AtMost: 1, Backoff: 90 * time.Minute},
		},
		Healing: config.Healing{
			Mode: "observe", AtMost: config.AtMost{PerBridge: 0.25, AtOnce: 5}, Ladder: []string{"restart", "alert"},
			Worker: config.Budget{Per: 14 * 24 * time.Hour, AtMost: 0, Backoff: 20 * time.Minute},
		},
		Alerts: config.Alerts{
			Channels: map[string]config.Channel{"ops": {
				Name: "ops", Type: "dingtalk", URL: "http://127.0.0.9:8080/robot/send", Token: "env:T", Secret: "file:/etc/s",
				At: []string{"13800000000", "13900000000"},
			}},
			Routes: []config.Route{
				{Severity: []string{"critical"}, To: []string{"ops"}},
				{Severity: []string{"info", "warning"}, To: []string{"ops"}, Digest: 5 * time.Minute},
			},
		},
		Poll:  config.Poll{Node: 20 * time.Second, Bridge: 30 * time.Second},
		Chain: config.Chain{Whole: false},
		Clock: &config.Clock{Origin: time.Date(2022, 6, 1, 8, 0, 0, 5e8, time.UTC), Speed: 20},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameAmount)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if p := got.Pool("fork", 83); p != want.Sites[0].Pools[1] || got.Pool("khala", 0) != (config.Pool{MinGas: fleet.PHA(2)}) {
		t.Errorf("pool 83 is %+v", p)
	}
	if diff := cmp.Diff([]secret.Ref{"env:T", "file:/etc/s", "env:POOL"}, got.References()); diff != "" {
		t.Error(diff)
	}
}

func sameAmount(a, b fleet.Amount) bool { return a == b }

func TestDefaults(t *testing.T) {
	got := parse(t, "sites: [ { name: dc1 } ]\nalerts: { channels: { b: { type: dingtalk, token: env:B }, a: { type: dingtalk, token: env:A } } }\n")
	shown, err := config.Show(got)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/defaults.golden", string(shown))
}

// A key whose lines below are all commented out is an empty mapping or list, not a mistake.
func TestEmptySections(t *testing.T) {
	text := "sites:\n  - name: dc1\n    nodes:\n    bridges:\n    data_providers:\nhosts:\nnetworks:\nwatchdog:\nhealing:\nalerts:\n  channels:\n  routes:\npoll:\nmetrics:\n"
	if diff := cmp.Diff(parse(t, "sites: [ { name: dc1 } ]"), parse(t, text)); diff != "" {
		t.Error(diff)
	}
}

func TestAliases(t *testing.T) {
	got := parse(t, "watchdog: { restart: &b { per: 1h, at_most: 2 } }\nhealing: { worker: *b }\nsites: [ { name: dc1 } ]")
	if got.Healing.Worker.Per != time.Hour || got.Healing.Worker.AtMost != 2 {
		t.Errorf("%+v", got.Healing.Worker)
	}
}

func TestStarter(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		got := parse(t, string(config.Starter(lang)))
		if got.Lang != lang || got.Healing.Mode != "observe" || len(got.Sites) != 1 || len(got.Sites[0].Bridges) != 1 {
			t.Errorf("%s: %+v", lang, got)
		}
		if refs := got.References(); refs != nil {
			t.Errorf("%s: needs %v", lang, refs)
		}
		essential := 0
		for line := range strings.Lines(string(config.Starter(lang))) {
			if code, _, _ := strings.Cut(line, "#"); strings.TrimSpace(code) != "" {
				essential++
			}
		}
		if essential > 16 {
			t.Errorf("%s: %d lines to understand before the first start", lang, essential)
		}
	}
	if zh := string(config.Starter("zh")); !regexp.MustCompile(`\p{Han}`).MatchString(zh) {
		t.Error("the Chinese starter is not Chinese")
	}
}

// What the starter offers in comments works when the comment sign is taken away; only its placeholder is refused, and what
// names a host that is in another comment.
func TestStarterComments(t *testing.T) {
	comment := regexp.MustCompile(`^( *)# ((?: *- \{| *[a-z_]+(?:-[^ ]+)?:).*)$`)
	for _, lang := range []string{"zh", "en"} {
		var b strings.Builder
		opened := 0
		for line := range strings.Lines(string(config.Starter(lang))) {
			if m := comment.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
				line = m[1] + m[2] + "\n"
				opened++
			}
			b.WriteString(line)
		}
		if opened < 20 {
			t.Fatalf("%s: only %d comments opened", lang, opened)
		}
		text := strings.Replace(b.String(), "Qm…", peer, 1)
		text = strings.Replace(text, "redis-q: prb-2", "redis-q: prb-host", 1)
		c := parse(t, text)
		if len(c.Hosts) != 105 || len(c.References()) != 3 || len(c.Windows) != 1 || len(c.Sites[0].Bridges) != 4 || c.Sites[0].Bridges[0].Roles["redis-q"] == "" {
			t.Errorf("%s: not everything was read: %+v", lang, c)
		}
	}
}

// TestSharedExample holds the design's example against this version: it has nothing that is unknown, and everything that
// cannot be had yet is said to be so.
func TestSharedExample(t *testing.T) {
	_, problems := config.Parse(testkit.Shared(t, "design", "phalops.example.yaml"))
	codes := map[string]int{}
	for _, p := range problems {
		codes[p.Reason.Code]++
		switch {
		case strings.HasPrefix(p.Reason.Code, "config.unsupported"):
		case p.Reason.Code == "config.bad_peer" && p.Reason.Args["value"] == "QmcX…": // a placeholder, rightly refused
		case p.Reason.Code == "config.bad_account" && p.Reason.Args["value"] == "43…": // another one
		default:
			t.Errorf("%d:%d %s %s", p.Line, p.Column, p.Path, p.Reason)
		}
	}
	if codes["config.unsupported"] != 3 || codes["config.unsupported_value"] != 1 || codes["config.bad_peer"] != 1 {
		t.Errorf("%v", codes)
	}
}

func TestTooLarge(t *testing.T) {
	_, problems := config.Parse(make([]byte, config.MaxSize+1))
	if len(problems) != 1 || problems[0].Reason.Code != "config.too_large" {
		t.Error(problems)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "phalops.yaml")
	if _, _, err := config.Load(path); fleet.KindOf(err) != fleet.NotFound || fleet.ReasonOf(err).Code != "config.no_file" {
		t.Error(err)
	}
	if _, _, err := config.Load(dir); fleet.ReasonOf(err).Code != "config.not_regular" {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("langs: zh\nsites: []"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems, err := config.Load(path)
	if err != nil || len(problems) != 2 {
		t.Fatal(problems, err)
	}
	err = problems.Err(path)
	want := map[string]string{"file": path, "count": "2", "at": "1:1", "reason": "config.unknown_key_near", "key": "langs", "near": "lang"}
	if diff := cmp.Diff(want, fleet.ReasonOf(err).Args); diff != "" || fleet.KindOf(err) != fleet.Invalid {
		t.Error(diff, err)
	}
	if config.Problems(nil).Err(path) != nil {
		t.Error("no problem is an error")
	}
}
