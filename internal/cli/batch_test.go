package cli

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/daemon"
	"phalops/internal/i18n"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
	"phalops/internal/view"
)

// A phrase that is nobody's: it is in Substrate's own documentation.
const testPhrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

// newMixedFleet is a fleet with a bridge of each generation and pRuntimes that no bridge has yet, at 127.9.220.1 and on.
func newMixedFleet(t *testing.T, spare int) simFleet {
	t.Helper()
	return startFleet(t, "[]", daemon.SimOptions{Speed: fast, Wire: simwire.Options{ItemTime: time.Millisecond},
		Fleet: world.FleetOptions{Workers: 3, Pools: 1, V0Workers: 3, V3Workers: 3, Spare: spare, Net: 9}})
}

func (f simFleet) list(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func items(t *testing.T, r result) []view.BatchItem {
	t.Helper()
	var out []view.BatchItem
	if err := json.Unmarshal([]byte(r.out), &out); err != nil {
		t.Fatalf("%v in\n%s%s", err, r.out, r.err)
	}
	return out
}

// feeders are how many feed each pRuntime at these endpoints.
func (f simFleet) feeders(endpoints ...string) (out []int) {
	f.Face.Do(func(w *world.World) {
		for _, e := range endpoints {
			out = append(out, w.Pruntime(e).Feeders())
		}
	})
	return out
}

// What a list would do, and what is wrong with it, is shown in both languages before anything is sent.
func TestBatchPreview(t *testing.T) {
	f := newMixedFleet(t, 6)
	list := f.list(t, "# new machines", "83:127.9.220.1:r1", "88:127.9.220.2", "90:127.9.220.3:r3", "83:127.9.100.1:twin", "4242:127.9.220.4:lost", "83:127.9.220.5:w-02")
	bad := f.list(t, "83:127.9.220.1", "83:127.9.220.1", "not a worker at all")
	for _, lang := range i18n.Langs() {
		f.shell.lang = lang
		r := f.want(t, exitDone, "", "worker", "add", "--file", list, "--stake", "10.5", "--dry-run", "--lang", string(lang))
		no := f.want(t, exitUsage, "", "worker", "add", "--file", bad, "--stake", "10.5", "--lang", string(lang))
		golden(t, lang, "batch_add", r.out+"--- stderr\n"+r.err+"--- a bad list\n"+no.err)
		r = f.want(t, exitDone, "", "worker", "stop", "--feed", "--name", "w-0[12]", "--dry-run", "--lang", string(lang))
		set := f.want(t, exitDone, "", "worker", "set", "--name", "*-01", "stake=12", "--dry-run", "--lang", string(lang))
		golden(t, lang, "batch_change", r.out+"---\n"+set.out)
	}
	if effects := f.effects(); len(effects) > 0 {
		t.Errorf("a preview did %v", effects)
	}
}

// Every line that lacks a stake is told with its number, and can be left out like every other bad one.
func TestEveryLineWithoutAStakeIsTold(t *testing.T) {
	f := newMixedFleet(t, 3)
	list := f.list(t, "name,ip,pid,stake", "a,127.9.220.1,83,", "b,127.9.220.2,83,10", "c,127.9.220.3,83,")
	r := f.want(t, exitUsage, "there is no stake", "worker", "add", "--file", list, "--dry-run")
	for _, line := range []string{"list.txt:2", "list.txt:4"} {
		if !strings.Contains(r.err, line) {
			t.Errorf("no %s in\n%s", line, r.err)
		}
	}
	r = f.want(t, exitDone, "b", "worker", "add", "--file", list, "--dry-run", "--skip-bad")
	if strings.Contains(r.out, "127.9.220.1") || !strings.Contains(r.out+r.err, "2") {
		t.Errorf("got\n%s%s", r.out, r.err)
	}
}

// Each verb on a bridge of each generation, with its exit codes.
func TestBatchVerbs(t *testing.T) {
	t.Setenv("OP", testPhrase)
	f := newMixedFleet(t, 6)
	list := f.list(t, "83:127.9.220.1:n1", "88:127.9.220.2:n2", "90:127.9.220.3:n3")
	add := []string{"worker", "add", "--file", list, "--stake", "10", "--yes"}
	r := f.want(t, exitDone, "", append(add, "-o", "json")...)
	for _, i := range items(t, r) {
		if i.Result != "done" || i.Plan == "" || i.Reason == nil {
			t.Errorf("%+v", i)
		}
	}
	new3 := []string{"http://127.9.220.1:8000", "http://127.9.220.2:8000", "http://127.9.220.3:8000"}
	if n := f.feeders(new3...); !slices.Equal(n, []int{1, 1, 1}) {
		t.Errorf("feeders of what was added: %v", n)
	}
	f.want(t, exitDone, "works", add...) // the same again
	f.want(t, exitPartly, "is worker n1", "worker", "add", "--file", f.list(t, "83:127.9.220.1:other", "83:127.9.220.4:n4"), "--stake", "10", "--yes")
	f.want(t, exitFailed, "skipped", "worker", "add", "--file", f.list(t, "83:127.9.220.1:other"), "--stake", "10", "--yes")
	f.want(t, exitUsage, "a list is needed", "worker", "add", "--yes")
	f.want(t, exitUsage, "no bridge prb-x", "worker", "add", "--file", list, "--stake", "10", "--bridge", "prb-x")
	f.want(t, exitRefused, "", "worker", "stop", "--feed", "--name", "n?") // nobody confirms
	f.want(t, exitUsage, "--feed", "worker", "stop", "--name", "n?", "--yes")
	f.want(t, exitUsage, "", "worker", "stop", "--feed", "--yes")
	f.want(t, exitDone, "rests", "worker", "stop", "--feed", "--name", "n[123]", "--yes")
	if n := f.feeders(new3...); !slices.Equal(n, []int{0, 0, 0}) {
		t.Errorf("feeders of what was stopped: %v", n)
	}
	watching := f
	watching.shell.tty, watching.shell.width = true, 150
	watching.want(t, exitDone, "[########################] 6/6, 0 failed", "worker", "start", "--feed", "--name", "n[123]", "--yes")
	f.want(t, exitDone, "", "worker", "set", "--name", "n[123]", "stake=11.5", "--yes")
	f.want(t, exitUsage, "", "worker", "set", "--name", "n[123]", "stake=lots", "--yes")
	f.want(t, exitUsage, "one only", "worker", "set", "--name", "n[14]", "name=x", "--yes", "--bridge", "prb-a")
	for _, bridge := range []string{"prb-a", "prb-v0", "prb-v3"} {
		f.want(t, exitDone, "42DnB4uneK6bURXJeXgMdWYyUah9tSaviM2ijedZXxsPTQWY", "pool", "add", "--bridge", bridge, "--pool", "77", "--operator", "env:OP", "--yes", "--force")
		f.want(t, exitDone, "", "pool", "set", "--bridge", bridge, "--pool", "77", "name=seven", "--restart", "never", "--yes")
		f.want(t, exitDone, "", "pool", "remove", "--bridge", bridge, "--pool", "77", "--yes")
	}
	f.want(t, exitFailed, "NONE is not set", "pool", "add", "--bridge", "prb-a", "--pool", "78", "--operator", "env:NONE", "--yes")
	f.want(t, exitFailed, "still has", "pool", "remove", "--bridge", "prb-a", "--pool", "83", "--yes")
	f.want(t, exitUsage, "reference", "pool", "add", "--bridge", "prb-a", "--pool", "78", "--operator", testPhrase, "--yes")
	f.noPhrase(t)
}

// kills is how often a batch is killed: three times, and fifty with PHALOPS_LAB=full.
func kills() int {
	if os.Getenv("PHALOPS_LAB") == "full" {
		return 50
	}
	return 3
}

// A batch whose process is killed at any moment, and resumed, ends with exactly the wanted inventory: none lost, none twice, never
// two feeders. Whoever reads the folder, the output or the process list finds no mnemonic.
func TestLabBatchOutlivesKills(t *testing.T) {
	for n := range kills() {
		f := newMixedFleet(t, 30)
		r := rand.New(rand.NewPCG(uint64(n), 7)) //nolint:gosec // moments, no secrets
		var lines []string
		for i := range 30 {
			lines = append(lines, fmt.Sprintf("%d:127.9.220.%d:k%02d", []int{83, 88, 90}[i%3], i+1, i))
		}
		list := f.list(t, lines...)
		said := f.killed(t, r, "pool", "add", "--bridge", "prb-a", "--pool", "99", "--operator", "env:OP", "--yes")
		said += f.killed(t, r, "worker", "add", "--file", list, "--stake", "10", "--yes")
		said += f.resumed(t)
		said += f.want(t, exitDone, "", "worker", "add", "--file", list, "--stake", "10", "--yes").out
		said += f.killed(t, r, "worker", "stop", "--feed", "--name", "k*", "--yes") + f.resumed(t)
		said += f.want(t, exitDone, "", "worker", "stop", "--feed", "--name", "k*", "--yes").out
		for i, n := range f.feeders(endpointsOf(30)...) {
			if n != 0 {
				t.Errorf("k%02d is stopped and has %d feeders", i, n)
			}
		}
		said += f.killed(t, r, "worker", "start", "--feed", "--name", "k*", "--yes") + f.resumed(t)
		said += f.want(t, exitDone, "", "worker", "start", "--feed", "--name", "k*", "--yes").out
		f.judge(t, 30)
		if strings.Contains(said, "obey lake") {
			t.Error("the mnemonic was said")
		}
		f.noPhrase(t)
		if t.Failed() {
			t.Fatalf("round %d:\n%s", n, said)
		}
	}
}

func endpointsOf(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("http://127.9.220.%d:8000", i+1))
	}
	return out
}

// killed runs a command in a process of its own and kills it at some moment.
func (f simFleet) killed(t *testing.T, r *rand.Rand, args ...string) string {
	t.Helper()
	var said strings.Builder
	cmd := exec.CommandContext(t.Context(), "phalops", append(args, "-c", f.config, "--lang", "en")...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), "OP="+testPhrase), &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(time.Duration(100+r.IntN(900)) * time.Millisecond):
		_ = cmd.Process.Kill()
		<-ended
	}
	return said.String()
}

// resumed has every plan that a killed process left go on to its end.
func (f simFleet) resumed(t *testing.T) string {
	t.Helper()
	var plans []view.Plan
	r := f.want(t, exitDone, "", "plan", "list", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &plans); err != nil {
		t.Fatal(err)
	}
	said := r.out
	for _, p := range plans {
		if p.State == "running" || p.State == "restoring" {
			again := f.shell.run(t, "plan", "resume", p.ID, "-c", f.config)
			said += again.out + again.err
		}
	}
	return said
}

// judge looks at the world itself.
func (f simFleet) judge(t *testing.T, n int) {
	t.Helper()
	f.Face.Do(func(w *world.World) {
		seen := map[string]int{}
		for _, x := range w.Bridge("prb-a").Workers() {
			seen[x.Name]++
		}
		for _, x := range w.V0Bridge("prb-v0").Workers() {
			seen[x.Name]++
		}
		for _, x := range w.V3Bridge("prb-v3").WorkersOf(90) {
			seen[x.Name]++
		}
		for i := range n {
			if name := fmt.Sprintf("k%02d", i); seen[name] != 1 {
				t.Errorf("%s is there %d times", name, seen[name])
			}
		}
		if len(seen) != n+9 {
			t.Errorf("%d workers, want %d", len(seen), n+9)
		}
		for _, h := range w.Harm() {
			if h.Kind == world.HarmTwoFeeders {
				t.Errorf("two feeders: %s", h.Target)
			}
		}
	})
	for i, n := range f.feeders(endpointsOf(n)...) {
		if n != 1 {
			t.Errorf("k%02d has %d feeders", i, n)
		}
	}
}

// noPhrase reads every file of the data folder.
func (f simFleet) noPhrase(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(f.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), "obey lake") {
			t.Errorf("the mnemonic is in %s", d.Name())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
