package wire

import (
	"context"
	"sync"
)

// keyed lets one holder per key in; a key costs memory only while somebody holds it or waits for it.
type keyed struct {
	mu    sync.Mutex
	slots map[string]*slot
}

type slot struct {
	token chan struct{} // full while held
	users int           // holder and waiters
}

// acquire waits until key is free or ctx is done. The returned function must be called exactly once.
func (k *keyed) acquire(ctx context.Context, key string) (free func(), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if key == "" {
		return func() {}, nil
	}
	s := k.join(key)
	select {
	case s.token <- struct{}{}:
		return func() { <-s.token; k.leave(key, s) }, nil
	case <-ctx.Done():
		k.leave(key, s)
		return nil, ctx.Err()
	}
}

func (k *keyed) join(key string) *slot {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.slots[key]
	if s == nil {
		s = &slot{token: make(chan struct{}, 1)}
		if k.slots == nil {
			k.slots = make(map[string]*slot)
		}
		k.slots[key] = s
	}
	s.users++
	return s
}

func (k *keyed) leave(key string, s *slot) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(k.slots, key)
	}
}
