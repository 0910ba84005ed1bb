package phala

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
)

// clockwork is a chain with nothing but times: block n is at n·18 s, and blocks before the first stored one are pruned.
type clockwork struct {
	first uint64
	asked int
}

func (c *clockwork) Post(_ context.Context, _, _ string, body []byte) (int, []byte, error) {
	var q struct {
		ID     uint64
		Method string
		Params []json.RawMessage
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return 0, nil, err
	}
	c.asked++
	if q.Method == "chain_getBlockHash" {
		var n uint64
		_ = json.Unmarshal(q.Params[0], &n)
		return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":"0x%064x"}`, q.ID, n), nil
	}
	var keys []string
	var hash string
	var n uint64
	_ = json.Unmarshal(q.Params[0], &keys)
	_ = json.Unmarshal(q.Params[1], &hash)
	_, _ = fmt.Sscanf(hash, "0x%x", &n)
	if n < c.first {
		return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"error":{"code":4003,"message":"Client error: UnknownBlock: State already discarded for %s"}}`, q.ID, hash), nil
	}
	ms := binary.LittleEndian.AppendUint64(nil, n*18_000)
	return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":[{"block":%q,"changes":[[%q,"0x%x"]]}]}`, q.ID, hash, keys[0], ms), nil
}

func TestBlockBefore(t *testing.T) {
	md := metadata(t, "khala-1190")
	find := func(n *clockwork, newest uint64, seconds int64) (string, error) {
		return BlockBefore(t.Context(), substrate.New("http://127.0.0.1:9944", n), md, newest, time.Unix(seconds, 0))
	}
	for seconds, want := range map[int64]uint64{0: 0, 17: 0, 18: 1, 18*995_200 + 17: 995_200, 18 * 999_999: 999_999} {
		n := &clockwork{}
		if hash, err := find(n, 1_000_000, seconds); err != nil || hash != fmt.Sprintf("0x%064x", want) || n.asked > 100 {
			t.Errorf("%d s: %s, want %x (%d requests, %v)", seconds, hash, want, n.asked, err)
		}
	}
	if _, err := find(&clockwork{}, 10, -1); fleet.ReasonOf(err).Code != "phala.too_young" {
		t.Error(err)
	}
	if _, err := find(&clockwork{first: 999_744}, 1_000_000, 18*995_200); err == nil {
		t.Error("a pruned state was read")
	}
}
