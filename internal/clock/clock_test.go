package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRealSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := (Real{}).Sleep(t.Context(), time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("slept %v, %v", time.Since(began), err)
		}
		if err := (Real{}).Sleep(t.Context(), -time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("a negative sleep waited: %v, %v", time.Since(began), err)
		}
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	for name, c := range map[string]Clock{"real": Real{}, "scaled": Scaled{Origin: time.Now(), Speed: 20}, "virtual": NewVirtual(time.Now())} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := c.Sleep(ctx, 1000*time.Hour); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Sleep = %v", err)
				}
				if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Sleep with a context that is done = %v", err)
				}
			})
		})
	}
}

// Two processes with the same origin and speed agree on the time; a scaled hour at speed 20 is three minutes.
func TestScaled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		origin := time.Now().UTC().Round(0)
		c := Scaled{Origin: origin, Speed: 20}
		began := time.Now()
		if err := c.Sleep(t.Context(), time.Hour); err != nil || time.Since(began) != 3*time.Minute {
			t.Errorf("a scaled hour took %v, %v", time.Since(began), err)
		}
		other := Scaled{Origin: origin, Speed: 20}
		if !c.Now().Equal(origin.Add(time.Hour)) || !other.Now().Equal(c.Now()) {
			t.Errorf("now %v and %v, want %v", c.Now(), other.Now(), origin.Add(time.Hour))
		}
	})
}

func TestVirtual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		v := NewVirtual(start)
		woken := make(chan time.Duration, 3)
		for _, d := range []time.Duration{3 * time.Second, time.Second, time.Hour} {
			go func() {
				if v.Sleep(t.Context(), d) == nil {
					woken <- d
				}
			}()
		}
		synctest.Wait()
		v.Advance(2 * time.Second)
		synctest.Wait()
		if len(woken) != 1 || <-woken != time.Second {
			t.Fatal("after two seconds exactly the sleeper of one second wakes")
		}
		v.Set(start) // back in time: ignored
		if !v.Now().Equal(start.Add(2 * time.Second)) {
			t.Errorf("the hands went back to %v", v.Now())
		}
		v.Advance(time.Second)
		synctest.Wait()
		if len(woken) != 1 || <-woken != 3*time.Second {
			t.Error("the sleeper of three seconds does not wake")
		}
	})
}
