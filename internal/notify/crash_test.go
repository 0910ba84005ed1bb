package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/notify"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// errDeath is the panic of a process that is killed.
var errDeath = errors.New("killed")

// reaper kills the process at its n-th boundary: before and after every write, and before and after every send.
type reaper struct{ left int }

func (r *reaper) boundary() {
	r.left--
	if r.left == 0 {
		panic(errDeath)
	}
}

type mortal struct {
	store.Outbox
	reaper *reaper
}

func (m mortal) SaveMessage(ctx context.Context, ms []fleet.Message, events ...fleet.Event) error {
	m.reaper.boundary()
	err := m.Outbox.SaveMessage(ctx, ms, events...)
	m.reaper.boundary()
	return err
}

// live runs a process until it dies or the story ends, and says which.
func live(f func()) (died bool) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case errDeath:
			died = true
		default:
			panic(r)
		}
	}()
	f()
	return false
}

// TestEveryCrashRepeatsAtMostOneAlertAndLosesNone kills the process at every boundary of a story with single, critical and
// merged alerts and a recovery, once each, and lets a new one go on.
func TestEveryCrashRepeatsAtMostOneAlertAndLosesNone(t *testing.T) {
	story := func(p *notify.Pipeline, from int, done *int) {
		for minute := from; minute < 8; minute++ {
			all := []fleet.Incident{nodeStalled(fleet.Critical), workerFailed(1)}
			if minute >= 2 {
				all = append(all, workerFailed(2), workerFailed(3), workerFailed(4), workerFailed(5))
			}
			if minute >= 4 {
				all[0].Closed = at(4 * time.Minute)
			}
			beat(t, p, at(time.Duration(minute)*time.Minute), all...)
			*done = minute + 1
		}
	}
	for n := 1; ; n++ {
		s, reaper, r := memory.New(), &reaper{left: n}, &room{}
		r.hook = func(*notify.Alert) { reaper.boundary() }
		r.after = reaper.boundary
		minute := 0
		died := live(func() { story(pipeline(t, mortal{s, reaper}, r, i18n.EN), 0, &minute) })
		if died {
			story(pipeline(t, s, &room{}, i18n.EN), 8, &minute) // nothing is sent by making a pipeline
			story(pipeline(t, mortal{s, reaper}, r, i18n.EN), minute, &minute)
		}
		told, repeats := map[string]int{}, 0
		for _, a := range r.got {
			again := false
			for _, it := range a.Items {
				told[it.Title]++
				again = again || told[it.Title] > 1
			}
			if again {
				repeats++
				if !a.Repeat || !strings.Contains(a.Title, "(possibly sent before)") {
					t.Errorf("boundary %d: an unmarked repeat: %s", n, a.Title)
				}
			}
		}
		if repeats > 1 {
			t.Errorf("boundary %d: %d repeats", n, repeats)
		}
		for _, want := range []string{"[critical] node node-1", "[recovered by itself] node node-1", "w-001", "w-002", "w-003", "w-004", "w-005"} {
			if !strings.Contains(fmt.Sprint(told), want) {
				t.Errorf("boundary %d: %s was never told: %v", n, want, told)
			}
		}
		if !died {
			if n < 15 {
				t.Fatalf("only %d boundaries", n)
			}
			return
		}
	}
}

// broken is a store that fails while sick.
type broken struct {
	store.Outbox
	writes, reads bool
}

var errSick = errors.New("disk I/O error")

func (b *broken) SaveMessage(ctx context.Context, ms []fleet.Message, events ...fleet.Event) error {
	if b.writes {
		return errSick
	}
	return b.Outbox.SaveMessage(ctx, ms, events...)
}

func (b *broken) Messages(ctx context.Context, channel string, since time.Time) ([]fleet.Message, error) {
	if b.reads {
		return nil, errSick
	}
	return b.Outbox.Messages(ctx, channel, since)
}

func TestADeadStoreSilencesNobody(t *testing.T) {
	mem := memory.New()
	s, r := &broken{Outbox: mem}, &room{}
	p := pipeline(t, s, r, i18n.EN)
	beat(t, p, at(0), workerFailed(1))
	s.writes, s.reads = true, true
	for m := 1; m <= 10; m++ {
		now := at(time.Duration(m) * time.Minute)
		if _, err := p.Tell(t.Context(), []fleet.Incident{workerFailed(1), nodeStalled(fleet.Critical)}, now); !errors.Is(err, errSick) {
			t.Fatalf("Tell hides the store's error: %v", err)
		}
		if m == 5 {
			if err := p.Post(t.Context(), "store", fleet.Critical, fleet.Because("store.full"), nil, now); !errors.Is(err, errSick) {
				t.Fatalf("Post hides the store's error: %v", err)
			}
		}
		if _, err := p.Step(t.Context(), now); !errors.Is(err, errSick) {
			t.Fatalf("Step hides the store's error: %v", err)
		}
	}
	if got := r.titles(); len(got) != 3 || !strings.Contains(got[1], "[critical] node") {
		t.Fatalf("told %q, want the worker, the node and the store, once each", got)
	}
	s.writes, s.reads = false, false
	beat(t, p, at(11*time.Minute), workerFailed(1), nodeStalled(fleet.Critical))
	p = pipeline(t, s, r, i18n.EN)
	beat(t, p, at(12*time.Minute), workerFailed(1), nodeStalled(fleet.Critical))
	if len(r.got) != 3 {
		t.Errorf("after the store came back: %q", r.titles())
	}
}

func TestAStoppedProcessRecordsWhatItSent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, r := memory.New(), &room{}
	r.after = cancel // the daemon is told to stop in the middle of a send
	p := pipeline(t, s, r, i18n.EN)
	if _, err := p.Tell(ctx, []fleet.Incident{nodeStalled(fleet.Critical)}, at(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Step(ctx, at(0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Step: %v", err)
	}
	r.after = nil
	beat(t, pipeline(t, s, r, i18n.EN), at(time.Minute), nodeStalled(fleet.Critical))
	if len(r.got) != 1 {
		t.Errorf("told %q", r.titles())
	}
}

// TestNothingIsLostWhateverTheServiceDoes drives random incidents against a service that refuses, breaks off after taking
// an alert, or works, and a process that restarts now and then.
func TestNothingIsLostWhateverTheServiceDoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, r := memory.New(), &room{limit: rapid.IntRange(4, 20).Draw(rt, "limit")}
		p := pipeline(t, s, r, i18n.EN)
		seen := map[string]bool{}
		var all []fleet.Incident
		now := start
		steps := rapid.IntRange(5, 30).Draw(rt, "steps")
		for range steps {
			now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second)
			for range rapid.IntRange(0, 4).Draw(rt, "new") {
				i := workerFailed(len(all))
				i.Opened = now
				i.Severity = rapid.SampledFrom([]fleet.Severity{fleet.Info, fleet.Warning, fleet.Critical}).Draw(rt, "severity")
				all = append(all, i)
			}
			r.fail, r.retry, r.hook = nil, true, nil
			switch rapid.IntRange(0, 4).Draw(rt, "service") {
			case 0:
				r.fail = &notify.Refused{Err: errors.New("no"), After: time.Minute}
			case 1: // taken, and then the line breaks
				r.fail = errors.New("reset")
				r.hook = func(a *notify.Alert) { r.got, r.at = append(r.got, *a), append(r.at, now) }
			}
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				p = pipeline(t, s, r, i18n.EN)
			}
			beat(t, p, now, all...)
		}
		r.fail, r.hook = nil, nil
		for range 20 {
			now = now.Add(2 * time.Minute)
			beat(t, p, now, all...)
		}
		for _, a := range r.got {
			for _, it := range a.Items {
				name, _, _ := strings.Cut(it.Title[strings.Index(it.Title, "w-"):], ":")
				if seen[name] && !a.Repeat && !strings.Contains(it.Title, "still") {
					rt.Fatalf("an unmarked repeat: %s", it.Title)
				}
				seen[name] = true
			}
		}
		if len(seen) != len(all) {
			rt.Fatalf("%d of %d incidents were told", len(seen), len(all))
		}
	})
}

func TestACrashedDigestIsRepeatedAsOneAlert(t *testing.T) {
	s, r, reaper := memory.New(), &room{}, &reaper{}
	a, b := nodeStalled(fleet.Info), nodeStalled(fleet.Info)
	a.ID, b.ID = "a", "b"
	p := pipeline(t, s, r, i18n.EN)
	beat(t, p, at(0), a)
	beat(t, p, at(3*time.Minute), a, b)
	reaper.left = 1
	r.after = reaper.boundary
	if !live(func() { beat(t, p, at(10*time.Minute), a, b) }) {
		t.Fatal("the digest was not sent")
	}
	p = pipeline(t, s, r, i18n.EN)
	beat(t, p, at(11*time.Minute), a, b)
	beat(t, p, at(20*time.Minute), a, b)
	if len(r.got) != 2 || len(r.got[1].Items) != 2 || !r.got[1].Repeat {
		t.Errorf("told %q, want the digest of two twice", r.titles())
	}
}

func TestWhatAnotherProcessSentIsNotSentAgain(t *testing.T) {
	s, r := memory.New(), &room{}
	first, second := pipeline(t, s, r, i18n.EN), pipeline(t, s, r, i18n.EN)
	if _, err := first.Tell(t.Context(), []fleet.Incident{nodeStalled(fleet.Critical)}, at(0)); err != nil {
		t.Fatal(err)
	}
	beat(t, second, at(0), nodeStalled(fleet.Critical))
	if _, err := first.Step(t.Context(), at(5*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if len(r.got) != 1 {
		t.Errorf("told %q", r.titles())
	}
}
