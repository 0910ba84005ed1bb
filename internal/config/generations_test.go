package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/config"
	"phalops/internal/secret"
)

func TestEveryGenerationIsRead(t *testing.T) {
	got := parse(t, `
hosts:
  gate: { address: gate.example, user: ops, port: 2222, trust: first }
  node-1: { address: 127.0.0.2, user: root, key: file:/etc/phalops/id_ed25519, bastion: gate }
  w-[01-02]: { address: "127.0.1.[1-2]", user: ops, key: env:KEY, become: sudo, docker: "ssh:///run/podman/podman.sock" }
  old: { address: 127.0.0.9, user: ops, docker: "unix:///run/old.sock" }
sites:
  - name: dc1
    mode: observe
    solo:
      - { name: solo-1, host: w-01, node: node-1, pruntime: "http://127.0.1.1:8000/", pherry: phala-pherry, labels: { rack: 7 } }
      - { name: solo-2, pruntime: "https://pr.example" }
    nodes:
      - { name: node-1, host: node-1, para: "http://127.0.0.2:9944", relay: "http://127.0.0.2:9945", container: phala-node, volume: /opt/khala/ }
    headers_caches:
      - { name: hc-1, url: "http://127.0.0.2:22111/", node: node-1 }
      - { name: public, url: "https://headers.example" }
    bridges:
      - { name: a, version: v0, url: "http://127.0.0.3:3000", node: node-1, host: node-1, project: bridge, roles: { fetch: old, lifecycle: w-02 }, standby: node-1 }
      - { name: b, version: v3, url: "http://127.0.0.4:3001", roles: { wm: node-1 } }
      - { name: c, version: v3, url: "http://127.0.0.5:3000/api/p/http://127.0.0.5:3001/", labels: { customer: alpha } }
      - { version: v3, name: d, url: "http://127.0.0.6:3000/api/p/http%3A%2F%2F127.0.0.6%3A3001" }
maintenance:
  - { name: weekly window, at: "0 4 * * 0", for: 2h, sites: dc1 }
  - { name: 每月, at: "30 3 * * 6#1", for: 1d }
`)
	key := secret.Ref("env:KEY")
	wantHosts := map[string]config.Host{
		"local":  {Name: "local", Docker: "unix:///var/run/docker.sock"},
		"gate":   {Name: "gate", Address: "gate.example", SSH: &config.SSH{User: "ops", Port: 2222, Trust: "first"}},
		"node-1": {Name: "node-1", Address: "127.0.0.2", SSH: &config.SSH{User: "root", Port: 22, Key: "file:/etc/phalops/id_ed25519", Bastion: "gate"}},
		"w-01":   {Name: "w-01", Address: "127.0.1.1", Docker: "ssh:///run/podman/podman.sock", SSH: &config.SSH{User: "ops", Port: 22, Key: key, Become: "sudo"}},
		"w-02":   {Name: "w-02", Address: "127.0.1.2", Docker: "ssh:///run/podman/podman.sock", SSH: &config.SSH{User: "ops", Port: 22, Key: key, Become: "sudo"}},
		"old":    {Name: "old", Address: "127.0.0.9", Docker: "unix:///run/old.sock", SSH: &config.SSH{User: "ops", Port: 22}},
	}
	if diff := cmp.Diff(wantHosts, got.Hosts); diff != "" {
		t.Errorf("hosts, -want +got:\n%s", diff)
	}
	wantSites := []config.Site{{
		Name: "dc1", Network: "khala", Mode: "observe",
		Nodes: []config.Node{{
			Name: "node-1", Host: "node-1", Para: "http://127.0.0.2:9944", Relay: "http://127.0.0.2:9945", Container: "phala-node",
			Grace: 2 * time.Minute, Volume: "/opt/khala",
		}},
		HeadersCaches: []config.HeadersCache{{Name: "hc-1", URL: "http://127.0.0.2:22111", Node: "node-1"}, {Name: "public", URL: "https://headers.example"}},
		Bridges: []config.Bridge{
			{
				Name: "a", Version: "v0", URL: "http://127.0.0.3:3000", Node: "node-1", Host: "node-1", Project: "bridge",
				Roles: map[string]string{"fetch": "old", "lifecycle": "w-02"}, Standby: "node-1", MaxWorkers: 100,
			},
			{Name: "b", Version: "v3", URL: "http://127.0.0.4:3001", Host: "local", Roles: map[string]string{"wm": "node-1"}, MaxWorkers: 100},
			{
				Name: "c", Version: "v3", URL: "http://127.0.0.5:3000/api/p/http%3A%2F%2F127.0.0.5%3A3001", Host: "local", MaxWorkers: 100,
				Labels: map[string]string{"customer": "alpha"},
			},
			{Name: "d", Version: "v3", URL: "http://127.0.0.6:3000/api/p/http%3A%2F%2F127.0.0.6%3A3001", Host: "local", MaxWorkers: 100},
			{
				Name: "solo-1", Version: config.VersionSolo, URL: "http://127.0.1.1:8000", Node: "node-1", Host: "w-01", Pherry: "phala-pherry",
				MaxWorkers: 1, Labels: map[string]string{"rack": "7"},
			},
			{Name: "solo-2", Version: config.VersionSolo, URL: "https://pr.example", Host: "local", MaxWorkers: 1},
		},
	}}
	if diff := cmp.Diff(wantSites, got.Sites); diff != "" {
		t.Errorf("sites, -want +got:\n%s", diff)
	}
	wantWindows := []config.Window{
		{Name: "weekly window", At: "0 4 * * 0", For: 2 * time.Hour, Sites: []string{"dc1"}},
		{Name: "每月", At: "30 3 * * 6#1", For: 24 * time.Hour},
	}
	if diff := cmp.Diff(wantWindows, got.Windows); diff != "" {
		t.Errorf("windows, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]secret.Ref{"file:/etc/phalops/id_ed25519", "env:KEY"}, got.References()); diff != "" {
		t.Errorf("references, -want +got:\n%s", diff)
	}
	shown, err := config.Show(got)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/generations.golden", string(shown))
	if diff := cmp.Diff(got, parse(t, string(shown))); diff != "" {
		t.Errorf("-read +shown and read again:\n%s", diff)
	}
}

func TestManager(t *testing.T) {
	for _, c := range []struct{ url, wm, monitor string }{
		{"http://127.0.0.4:3001", "http://127.0.0.4:3001", ""},
		{config.ManagerURL("http://127.0.0.4:3000", "http://127.0.0.5:3001"), "http://127.0.0.5:3001", "http://127.0.0.4:3000"},
		{"http://127.0.0.4:3000/api/p/%zz", "http://127.0.0.4:3000/api/p/%zz", ""},
	} {
		if wm, monitor := (config.Bridge{URL: c.url}).Manager(); wm != c.wm || monitor != c.monitor {
			t.Errorf("%s: %q through %q, want %q through %q", c.url, wm, monitor, c.wm, c.monitor)
		}
	}
}

func TestOpenWindows(t *testing.T) {
	c := parse(t, `
sites: [ { name: dc1 }, { name: dc2 } ]
maintenance:
  - { name: weekly, at: "0 4 * * 0", for: 2h, sites: [dc1] }
  - { name: night, at: "30 23 * * *", for: 1h }
  - { name: first saturday, at: "0 4 * * sat#1", for: 1h, sites: [dc2] }
  - { name: either day, at: "0 12 13 * 5", for: 1m, sites: [dc2] }
`)
	shanghai := time.FixedZone("CST", 8*3600)
	for _, tc := range []struct{ site, now, want string }{
		{"dc1", "2022-06-05 03:59:59.9", ""}, // a Sunday
		{"dc1", "2022-06-05 04:00:00", "weekly 04:00–06:00"},
		{"dc2", "2022-06-05 04:00:00", ""},
		{"dc1", "2022-06-05 04:00:00.5", "weekly 04:00–06:00"},
		{"dc1", "2022-06-05 05:59:59.9", "weekly 04:00–06:00"},
		{"dc1", "2022-06-05 06:00:00", ""},
		{"dc1", "2022-06-06 04:30:00", ""},
		{"dc1", "2022-06-05 23:45:00", "night 23:30–00:30"},
		{"dc2", "2022-06-06 00:29:59", "night 23:30–00:30"},
		{"dc2", "2022-06-04 04:30:00", "first saturday 04:00–05:00"},
		{"dc2", "2022-06-11 04:30:00", ""},
		{"dc2", "2022-06-13 12:00:30", "either day 12:00–12:01"}, // the 13th, a Monday
		{"dc2", "2022-06-17 12:00:30", "either day 12:00–12:01"}, // a Friday
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04:05", tc.now, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range c.OpenWindows(tc.site, now) {
			got += w.Name + " " + w.Began.Format("15:04") + "–" + w.Ends.Format("15:04")
		}
		if got != tc.want {
			t.Errorf("%s at %s: %q, want %q", tc.site, tc.now, got, tc.want)
		}
	}
	if open := c.OpenWindows("dc1", time.Date(2022, 6, 5, 4, 30, 0, 0, time.UTC)); len(open) != 1 || !open[0].Began.Equal(time.Date(2022, 6, 5, 4, 0, 0, 0, time.UTC)) {
		t.Errorf("in another zone: %+v", open)
	}
}
