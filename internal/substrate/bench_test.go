package substrate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"phalops/internal/substrate/scale"
	"phalops/internal/wire"
)

// Targets of BenchmarkSnapshot.
const (
	targetRatio  = 1.3 // of a bare client's time
	targetCPU    = 0.4 // seconds
	targetMemory = 150 // MiB
)

const (
	benchEnv     = "PHALOPS_BENCH_NODE" // set in the process that is the node
	benchLatency = 20 * time.Millisecond
)

// benchMaps are what a refresh of a whole network reads, in Khala's largest numbers.
var benchMaps = []struct {
	pallet, item string
	entries      int
	value        string // copied into every entry
	read         func(context.Context, *Snapshot, *scale.Entry) (int, error)
}{
	{"PhalaMining", "Miners", 25_000, "01" + strings.Repeat("05", 96), each[[32]byte, benchSession]},
	{"PhalaRegistry", "Workers", 25_000, strings.Repeat("ab", 64) + "01020000" + "90c0a76200000000" + "01" + strings.Repeat("cd", 32) + "02" + "0132070000" + "081000000003000000", each[[32]byte, benchWorker]},
	{"PhalaMining", "Stakes", 18_075, "0080e03779c311000000000000000000", each[[32]byte, scale.U128]},
	{"PhalaStakePool", "StakePools", 3_353, "bf06000000000000" + strings.Repeat("cd", 32) + "0110270000" + strings.Repeat("07", 16) + "01" + strings.Repeat("08", 16) + strings.Repeat("09", 80) + "1c" + strings.Repeat("ef", 7*32) + "00", each[uint64, benchPool]},
	{"PhalaStakePool", "PoolStakers", 19_101, strings.Repeat("cd", 96), each[benchStakerKey, benchStaker]},
}

type benchSession struct {
	State       string
	V, Ve       scale.U128
	UpdatedAt   uint64     `scale:"v_updated_at"`
	PInit       uint32     `scale:"benchmark.p_init"`
	PInstant    uint32     `scale:"benchmark.p_instant"`
	Iterations  uint64     `scale:"benchmark.iterations"`
	Since       uint64     `scale:"benchmark.mining_start_time"`
	Challenged  uint64     `scale:"benchmark.challenge_time_last"`
	CoolDown    uint64     `scale:"cool_down_start"`
	TotalReward scale.U128 `scale:"stats.total_reward"`
}

type benchWorker struct {
	Operator        scale.Option[[32]byte]
	ConfidenceLevel uint8
	InitialScore    scale.Option[uint32]
	Features        []uint32
}

type benchPool struct {
	Pid                                   uint64
	Owner                                 [32]byte
	PayoutCommission                      scale.Option[uint32]
	OwnerReward, TotalShares              scale.U128
	TotalStake, FreeStake, ReleasingStake scale.U128
	Cap                                   scale.Option[scale.U128]
	Workers                               [][32]byte
}

type benchStakerKey struct {
	Pid  uint64
	User [32]byte
}

type benchStaker struct{ Locked, Shares, AvailableRewards, RewardDebt scale.U128 }

// each reads a map into Go values, as whoever wants the whole network does.
func each[K, V any](ctx context.Context, s *Snapshot, e *scale.Entry) (n int, err error) {
	err = Each(ctx, s, e, func(*K, *V) error { n++; return nil })
	return n, err
}

// benchNode has all its answers ready, each 20 ms away.
type benchNode struct {
	keys, values map[string][]byte // by the prefix and the key before; by the first key
}

func newBenchNode(md *scale.Metadata) (*benchNode, error) {
	n := &benchNode{map[string][]byte{}, map[string][]byte{}}
	for _, m := range benchMaps {
		e, err := md.Entry(m.pallet, m.item)
		if err != nil {
			return nil, err
		}
		size, fixed := e.Key.Size()
		if !fixed {
			return nil, fmt.Errorf("keys of %s have no size", m.item)
		}
		keys := make([]string, m.entries)
		for i := range keys {
			key := make([]byte, size)
			binary.LittleEndian.PutUint64(key, uint64(i))
			keys[i] = "0x" + hex.EncodeToString(e.Hashers[0].Append(e.Prefix(), key))
		}
		slices.Sort(keys)
		n.add(fmt.Sprintf("0x%x", e.Prefix()), keys, "0x"+m.value)
	}
	return n, nil
}

func (n *benchNode) add(prefix string, keys []string, value string) {
	before := ""
	for page := range slices.Chunk(keys, 1000) {
		n.keys[prefix+before], _ = json.Marshal(page)
		changes := make([][2]string, len(page))
		for i, k := range page {
			changes[i] = [2]string{k, value}
		}
		n.values[page[0]], _ = json.Marshal([]any{map[string]any{"block": block, "changes": changes}})
		before = page[len(page)-1]
	}
	n.keys[prefix+before] = []byte("[]")
}

func (n *benchNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	time.Sleep(benchLatency)
	var id uint64
	_, _ = fmt.Sscanf(string(body[:min(60, len(body))]), `{"jsonrpc":"2.0","id":%d,`, &id)
	_, params, _ := bytes.Cut(body, []byte(`"params":`))
	words := bytes.SplitN(params, []byte{'"'}, 5) // [, prefix, count, key before, …
	result := n.values[string(words[1])]
	if bytes.Contains(body[:min(100, len(body))], []byte(methodKeys)) {
		before := string(words[3])
		if bytes.Contains(words[2], []byte("null")) {
			before = ""
		}
		result = n.keys[string(words[1])+before]
	}
	reply := append(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":`, id), result...)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(reply)+1)) // as real nodes say it
	_, _ = w.Write(append(reply, '}'))
}

func benchMetadata(t testing.TB) *scale.Metadata {
	blob, err := io.ReadAll(sharedFile(t, "metadata", "khala-1190-v14.scale.gz"))
	if err != nil {
		t.Fatal(err)
	}
	md, err := scale.Parse(blob)
	if err != nil {
		t.Fatal(err)
	}
	return md
}

// TestBenchNode is the benchmark's node, in a process of its own so that its work is not counted; it lives as long as its stdin.
func TestBenchNode(t *testing.T) {
	if os.Getenv(benchEnv) == "" {
		t.Skip("only for BenchmarkSnapshot")
	}
	n, err := newBenchNode(benchMetadata(t))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: n}
	go func() { _ = server.Serve(l) }()
	fmt.Printf("\nhttp://%s\n", l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Close()
}

func startBenchNode(b *testing.B) (url string) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestBenchNode$")
	cmd.Env = append(os.Environ(), benchEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "http://") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return lines.Text()
		}
	}
	b.Fatal("the node did not start")
	return ""
}

// bare reads the same with as many requests at once, and does nothing with it.
func bare(ctx context.Context, url string, md *scale.Metadata) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	slots := make(chan struct{}, SnapshotOptions{}.withDefaults().InFlight)
	post := func(method, params string) (string, error) {
		slots <- struct{}{}
		defer func() { <-slots }()
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			return "", err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		reply, err := io.ReadAll(resp.Body)
		return string(reply), err
	}
	var all errgroup.Group
	for _, m := range benchMaps {
		e, err := md.Entry(m.pallet, m.item)
		if err != nil {
			return err
		}
		all.Go(func() error {
			for after := "null"; ; {
				reply, err := post(methodKeys, fmt.Sprintf(`["0x%x",1000,%s,%q]`, e.Prefix(), after, block))
				if err != nil {
					return err
				}
				keys := reply[strings.IndexByte(reply, '[')+1 : strings.LastIndexByte(reply, ']')]
				if keys != "" {
					all.Go(func() error {
						_, err := post(methodValues, fmt.Sprintf(`[[%s],%q]`, keys, block))
						return err
					})
				}
				if strings.Count(keys, ",") < 999 {
					return nil
				}
				after = keys[strings.LastIndexByte(keys, ',')+1:]
			}
		})
	}
	return all.Wait()
}

// whole reads everything into Go values.
func whole(ctx context.Context, c *Client, md *scale.Metadata) error {
	s := c.Snapshot(block, SnapshotOptions{})
	var all errgroup.Group
	for _, m := range benchMaps {
		e, err := md.Entry(m.pallet, m.item)
		if err != nil {
			return err
		}
		all.Go(func() error {
			n, err := m.read(ctx, s, e)
			if err == nil && n != m.entries {
				err = fmt.Errorf("%d entries of %s instead of %d", n, m.item, m.entries)
			}
			return err
		})
	}
	return all.Wait()
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is the most that this process ever had in memory, MiB.
func peakMemory(b *testing.B) int {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return int(u.Maxrss >> 10)
}

// BenchmarkSnapshot reads a whole network from a node on loopback: five maps, 90,529 entries, 95 pages.
func BenchmarkSnapshot(b *testing.B) {
	md, url := benchMetadata(b), startBenchNode(b)
	http := wire.New(wire.Options{Allow: wire.LoopbackOnly})
	defer http.Close()
	c := New(url, http)
	var took, used, bareTook time.Duration
	for b.Loop() {
		cpu, begin := cpuTime(b), time.Now()
		if err := whole(b.Context(), c, md); err != nil {
			b.Fatal(err)
		}
		took, used = took+time.Since(begin), used+cpuTime(b)-cpu
	}
	memory := peakMemory(b)
	for range b.N {
		begin := time.Now()
		if err := bare(b.Context(), url, md); err != nil {
			b.Fatal(err)
		}
		bareTook += time.Since(begin)
	}
	n := float64(b.N)
	b.ReportMetric(used.Seconds()/n, "cpu-s/op")
	b.ReportMetric(float64(memory), "peak-MiB")
	fmt.Printf("    targets: %.2f of a bare client's %.2f s, <= %.1f; CPU %.2f s of <= %.1f s; memory %d MiB of <= %d MiB\n",
		took.Seconds()/bareTook.Seconds(), bareTook.Seconds()/n, targetRatio, used.Seconds()/n, targetCPU, memory, targetMemory)
}
