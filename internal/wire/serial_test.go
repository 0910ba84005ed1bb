package wire

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestSerialKeepsOneInFlightPerKeyAndOthersParallel(t *testing.T) {
	var mu sync.Mutex
	now, most := map[string]int{}, map[string]int{}
	seen, both := 0, make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		key := r.URL.Path
		mu.Lock()
		now[key]++
		if most[key] == 0 {
			if seen++; seen == 2 {
				close(both)
			}
		}
		most[key] = max(most[key], now[key])
		mu.Unlock()
		select { // nobody goes on before both keys are in flight
		case <-both:
		case <-r.Context().Done():
		}
		mu.Lock()
		now[key]--
		mu.Unlock()
	})
	c := newClient(t, Options{Timeout: 5 * time.Second})
	var wg sync.WaitGroup
	for i := range 16 {
		key := []string{"/a", "/b"}[i%2]
		wg.Go(func() {
			if _, err := c.Do(t.Context(), Request{URL: url + key, Serial: key}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most["/a"] != 1 || most["/b"] != 1 {
		t.Errorf("in flight at the same time: %v, want one each", most)
	}
	if len(c.serial.slots) != 0 {
		t.Errorf("%d keys are kept after use", len(c.serial.slots))
	}
}

func TestWaitingForSerialEndsWithTheContextAndSendsNothing(t *testing.T) {
	hang, began := make(chan struct{}), make(chan struct{})
	var hits atomic.Int32
	url := serve(t, func(http.ResponseWriter, *http.Request) {
		if hits.Add(1) == 1 {
			close(began)
		}
		<-hang
	})
	c := newClient(t, Options{})
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = c.Do(t.Context(), Request{URL: url, Serial: "k"}) })
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Do(ctx, Request{Method: "POST", URL: url, Serial: "k"})
	if ClassOf(err) != Timeout || IsAmbiguous(err) {
		t.Errorf("got %v (ambiguous %v), want an unambiguous timeout", err, IsAmbiguous(err))
	}
	close(hang)
	wg.Wait()
	if hits.Load() != 1 {
		t.Errorf("%d requests were sent, want 1", hits.Load())
	}
}
