package observe

import (
	"context"
	"errors"
	"testing"
	"time"

	"phalops/internal/substrate"
)

type getter struct {
	body  string
	err   error
	asked int
}

func (g *getter) Get(_ context.Context, url string) (int, []byte, error) {
	g.asked++
	if url != "http://127.0.0.1:22111/state" {
		return 404, nil, nil
	}
	return 200, []byte(g.body), g.err
}

func TestCacheIsWatched(t *testing.T) {
	g := &getter{body: `{"genesis":[1],"recent_imported":{"header":null,"para_header":null,"storage_changes":null},"higest":{"header":100,"para_header":50,"storage_changes":null},"checked":{"header":null,"para_header":null,"storage_changes":null}}`}
	w := watch(t, &oracle{said: said{url: "u", ChainReading: ChainReading{Best: at(1)}}})
	w.source.Caches = []CacheSource{Cache("hc-1", "http://127.0.0.1:22111", g)}
	w.after(0)
	c := w.status.Caches[0]
	if c.Name != "hc-1" || c.Header.Value != 100 || c.ParaHeader.Value != 50 || c.StorageChanges.Known || !c.At.Equal(start) {
		t.Fatalf("got %+v", c)
	}
	for range 4 {
		w.after(15 * time.Second)
	}
	if g.asked != 2 {
		t.Errorf("asked %d times in a minute", g.asked)
	}
	w.after(2 * time.Minute)
	if c = w.status.Caches[0]; c.Header.FrozenFor(c.At) != 3*time.Minute {
		t.Errorf("frozen for %v", c.Header.FrozenFor(c.At))
	}
	g.err = errors.New("refused")
	for range 3 {
		w.after(time.Minute)
	}
	if c = w.status.Caches[0]; c.Missed != 3 || c.Header.Value != 100 {
		t.Errorf("silent: %+v", c)
	}
	g.err, g.body = nil, `{"higest":{"header":101,"para_header":null,"storage_changes":9}}`
	w.after(time.Minute)
	if c = w.status.Caches[0]; c.Missed != 0 || c.Header.Value != 101 || c.ParaHeader.Known || !c.StorageChanges.Known {
		t.Errorf("back: %+v", c)
	}
	w.source.Caches = []CacheSource{Cache("hc-1", "http://127.0.0.1:22111/other", g)}
	w.after(time.Minute)
	if c = w.status.Caches[0]; c.Header.Known || c.Cause.Code != "substrate.bad_cache" {
		t.Errorf("another address has another history: %+v", c)
	}
	w.source.Caches = nil
	if w.after(time.Minute); w.status.Caches != nil {
		t.Errorf("no longer configured: %+v", w.status.Caches)
	}
}

var _ substrate.Getter = (*getter)(nil)
