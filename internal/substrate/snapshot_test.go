package substrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

var quick = SnapshotOptions{Pause: time.Nanosecond}

// TestSnapshotIsTheWholeMap: whatever the sizes of maps, pages and chunks and however the node orders its answers, a snapshot
// is exactly the map, in order, with bounded requests, all about one block.
func TestSnapshotIsTheWholeMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "entries")
		o := SnapshotOptions{
			Page: rapid.IntRange(1, 20).Draw(t, "page"), Chunk: rapid.IntRange(1, 25).Draw(t, "chunk"),
			InFlight: rapid.IntRange(1, 5).Draw(t, "in flight"),
		}
		prefix := []byte{0xab, 0xcd}
		want := numbered(prefix, n)
		node := newFakeNode(want)
		maps.Copy(node.state, numbered([]byte{0xab}, 3)) // neighbours
		for k := range node.state {
			if !strings.HasPrefix(k, "0xabcd") {
				want = without(want, k)
			}
		}
		switch rapid.IntRange(0, 2).Draw(t, "order") {
		case 1:
			node.order = func(keys []string) []string { slices.Reverse(keys); return keys }
		case 2:
			node.order = func(keys []string) []string { return append(keys, keys...) }
		}
		keys, got, err := collect(context.Background(), node.client().Snapshot(block, o), prefix)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || !slices.IsSorted(keys) {
			t.Fatal(diff, keys)
		}
		if lent := node.lent.Load(); lent != 0 {
			t.Fatalf("%d replies were not given back", lent)
		}
		if most := node.most.Load(); most > int64(o.InFlight) {
			t.Fatalf("%d requests at once, the limit is %d", most, o.InFlight)
		}
		for _, q := range node.asked {
			if q.Hash != block || q.Method == methodKeys && q.N > o.Page || q.Method == methodValues && q.N > o.Chunk {
				t.Fatalf("%+v", q)
			}
		}
	})
}

func without(m map[string]string, key string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}

// TestSnapshotRetries: every request fails some times, in every way that may pass; the same question comes again and the map is
// whole.
func TestSnapshotRetries(t *testing.T) {
	prefix := []byte{1}
	node := newFakeNode(numbered(prefix, 50))
	failures := []string{`bad gateway`, `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32009,"message":"Server is busy"}}`, `{"jsonrpc":"2.0","id":$ID,"result":[{"changes":[["0x0`}
	var mu sync.Mutex
	failed := map[string]int{}
	node.trouble = func(_ context.Context, q question) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		id := fmt.Sprint(q)
		if failed[id]++; failed[id] <= len(failures) {
			return failures[failed[id]-1], nil
		}
		return "", nil
	}
	o := quick
	o.Page = 20
	_, got, err := collect(t.Context(), node.client().Snapshot(block, o), prefix)
	if diff := cmp.Diff(node.state, got); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	for id, n := range failed {
		if n != 4 {
			t.Errorf("%s was asked %d times", id, n)
		}
	}
}

// TestSnapshotOfStingyServers: a server that gives fewer keys than it is asked for hides nothing.
func TestSnapshotOfStingyServers(t *testing.T) {
	prefix := []byte{1}
	node := newFakeNode(numbered(prefix, 50))
	node.stingy = 7
	_, got, err := collect(t.Context(), node.client().Snapshot(block, quick), prefix)
	if diff := cmp.Diff(node.state, got); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
}

func TestSnapshotGivesUp(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string
		err    error
		tries  int
		is     error
	}{
		"state is gone":    {answer: `{"jsonrpc":"2.0","id":$ID,"error":{"code":4003,"message":"Client error: UnknownBlock: State already discarded for 0x2a"}}`, tries: 1, is: ErrNoState},
		"older words":      {answer: `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32603,"message":"Unknown error occurred","data":"Client(UnknownBlock(\"State already discarded\"))"}}`, tries: 1, is: ErrNoState},
		"no such method":   {answer: `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32601,"message":"Method not found"}}`, tries: 1},
		"nobody listens":   {err: errors.New("connection refused"), tries: 4},
		"a wrong address":  {err: fleet.Fail(fleet.Invalid, fleet.Because("wire.bad_url")), tries: 1},
		"another question": {answer: `{"jsonrpc":"2.0","id":0,"result":[]}`, tries: 4},
		"no list":          {answer: `{"jsonrpc":"2.0","id":$ID,"result":7}`, tries: 4},
	} {
		node := newFakeNode(nil)
		node.trouble = func(context.Context, question) (string, error) { return tc.answer, tc.err }
		_, _, err := collect(t.Context(), node.client().Snapshot(block, quick), []byte{1})
		if err == nil || tc.is != nil && !errors.Is(err, tc.is) || len(node.asked) != tc.tries {
			t.Errorf("%s: asked %d times, %v", name, len(node.asked), err)
		}
	}
}

// TestSnapshotHalves: a node whose answers may hold ten values gets fewer and fewer keys at once, and is not asked for too many
// again and again.
func TestSnapshotHalves(t *testing.T) {
	prefix := []byte{1}
	node := newFakeNode(numbered(prefix, 400))
	refused := 0
	var mu sync.Mutex
	node.trouble = func(_ context.Context, q question) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if q.N > 10 && (q.Method == methodValues || q.N > 50) {
			refused++
			return `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32008,"message":"Response is too big"}}`, nil
		}
		return "", nil
	}
	o := quick
	o.InFlight = 1
	_, got, err := collect(t.Context(), node.client().Snapshot(block, o), prefix)
	if diff := cmp.Diff(node.state, got); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	if refused > 25 {
		t.Errorf("%d requests were too large", refused)
	}
	node.trouble = func(_ context.Context, q question) (string, error) {
		if q.Method == methodValues {
			return `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32008,"message":"Response is too big"}}`, nil
		}
		return "", nil
	}
	if _, _, err := collect(t.Context(), node.client().Snapshot(block, quick), prefix); err == nil || !strings.Contains(err.Error(), "too big") {
		t.Error(err)
	}
}

// TestSnapshotTimeouts: a node that freezes over long lists is asked for shorter ones; one that is frozen altogether is given up
// in bounded time.
func TestSnapshotTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prefix := []byte{1}
		node := newFakeNode(numbered(prefix, 100))
		limit := 40
		node.trouble = func(ctx context.Context, q question) (string, error) {
			if q.Method == methodValues && q.N > limit {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "", nil
		}
		begin := time.Now()
		_, got, err := collect(t.Context(), node.client().Snapshot(block, SnapshotOptions{}), prefix)
		if diff := cmp.Diff(node.state, got); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
		if took := time.Since(begin); took > 100*time.Second {
			t.Error(took)
		}
		limit, begin = 0, time.Now()
		_, _, err = collect(t.Context(), node.client().Snapshot(block, SnapshotOptions{}), prefix)
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took > 130*time.Second {
			t.Error(took, err)
		}
	})
}

// TestSnapshotBoundsMemory: while the visitor sleeps, nothing more than a few answers are fetched.
func TestSnapshotBoundsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prefix := []byte{1}
		node := newFakeNode(numbered(prefix, 500))
		visits := 0
		err := node.client().Snapshot(block, SnapshotOptions{Page: 10, InFlight: 3}).Pairs(t.Context(), prefix, func(Pair) error {
			if visits++; visits == 1 {
				time.Sleep(time.Hour)
				synctest.Wait()
				if n := len(node.questions(methodValues)); n > 3+2 {
					t.Errorf("%d answers for a visitor who has seen none", n)
				}
			}
			return nil
		})
		if err != nil || visits != 500 {
			t.Error(visits, err)
		}
	})
}

// TestSnapshotRefusesNonsense: a node that contradicts itself is an error, never a wrong map, and never an endless loop.
func TestSnapshotRefusesNonsense(t *testing.T) {
	prefix := []byte{1}
	for name, trouble := range map[string]func(question) string{
		"the same page again": func(q question) string {
			if q.Method == methodKeys {
				return `{"jsonrpc":"2.0","id":$ID,"result":["0x0101","0x0102"]}`
			}
			return ""
		},
		"too many keys": func(q question) string {
			if q.Method == methodKeys {
				return `{"jsonrpc":"2.0","id":$ID,"result":["0x0101","0x0102","0x0103"]}`
			}
			return ""
		},
		"keys of another map": func(q question) string {
			if q.Method == methodKeys {
				return `{"jsonrpc":"2.0","id":$ID,"result":["0x02"]}`
			}
			return ""
		},
		"another block": func(q question) string {
			if q.Method == methodValues {
				return `{"jsonrpc":"2.0","id":$ID,"result":[{"block":"0x00","changes":[]}]}`
			}
			return ""
		},
		"listed and not there": func(q question) string {
			if q.Method == methodValues {
				return fmt.Sprintf(`{"jsonrpc":"2.0","id":$ID,"result":[{"block":%q,"changes":[[%q,null],[%q,null]]}]}`, block, q.Keys[0], q.Keys[len(q.Keys)-1])
			}
			return ""
		},
		"no answer about a key": func(q question) string {
			if q.Method == methodValues {
				return fmt.Sprintf(`{"jsonrpc":"2.0","id":$ID,"result":[{"block":%q,"changes":[]}]}`, block)
			}
			return ""
		},
	} {
		node := newFakeNode(map[string]string{"0x0101": "0x", "0x0102": "0x02"})
		node.trouble = func(_ context.Context, q question) (string, error) { return trouble(q), nil }
		o := quick
		o.Page = 2
		var wrong *ReplyError
		if _, got, err := collect(t.Context(), node.client().Snapshot(block, o), prefix); !errors.As(err, &wrong) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestSnapshotEndsWithItsVisitor(t *testing.T) {
	prefix := []byte{1}
	node := newFakeNode(numbered(prefix, 300))
	enough := errors.New("enough")
	o := quick
	o.Page = 7
	err := node.client().Snapshot(block, o).Pairs(t.Context(), prefix, func(Pair) error { return enough })
	if !errors.Is(err, enough) {
		t.Error(err)
	}
	if n := len(node.asked); n > 30 {
		t.Errorf("%d requests for one entry", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	err = node.client().Snapshot(block, o).Pairs(ctx, prefix, func(Pair) error {
		seen++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || seen > 100 {
		t.Error(seen, err)
	}
}

// TestSnapshotSharesItsLimit: many maps at once are as polite as one.
func TestSnapshotSharesItsLimit(t *testing.T) {
	state := map[string]string{}
	for i := range 5 {
		maps.Copy(state, numbered([]byte{byte(i)}, 40))
	}
	node := newFakeNode(state)
	s := node.client().Snapshot(block, SnapshotOptions{Page: 6, InFlight: 2})
	var total atomic.Int64
	var reading sync.WaitGroup
	for i := range 5 {
		reading.Go(func() {
			_, got, err := collect(t.Context(), s, []byte{byte(i)})
			if err != nil {
				t.Error(err)
			}
			total.Add(int64(len(got)))
		})
	}
	reading.Wait()
	if total.Load() != 200 || node.most.Load() > 2 {
		t.Error(total.Load(), node.most.Load())
	}
}

func TestValuesKeepTheOrderAskedFor(t *testing.T) {
	node := newFakeNode(map[string]string{"0x01": "0xaa", "0x02": "0x"})
	node.order = func(keys []string) []string { slices.Sort(keys); return slices.Compact(keys) }
	keys := [][]byte{{2}, {9}, {1}, {2}}
	var got []Pair
	err := node.client().Snapshot(block, quick).Values(t.Context(), keys, func(p Pair) error {
		got = append(got, Pair{bytes.Clone(p.Key), bytes.Clone(p.Value)})
		return nil
	})
	want := []Pair{{[]byte{2}, []byte{}}, {[]byte{9}, nil}, {[]byte{1}, []byte{0xaa}}, {[]byte{2}, []byte{}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if err := node.client().Snapshot(block, quick).Values(t.Context(), nil, func(Pair) error { return errors.New("nobody asked") }); err != nil {
		t.Error(err)
	}
}
