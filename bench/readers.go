package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"phalops/internal/fleet"
	"phalops/internal/phala"
	"phalops/internal/substrate"
	"phalops/internal/wire"
)

// reading is what a reader says when it is done.
type reading struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"`    // seconds of the reading alone, without the start of the process
	Memory  float64 `json:"memory"` // peak of the process, MiB
	Found   *found  `json:"found"`  // nil: it did not look
}

// found tells whether two readers have read the same.
type found struct {
	Sessions int    `json:"sessions"`
	Workers  int    `json:"workers"`
	Pools    int    `json:"pools"`
	Stakers  int    `json:"stakers"`
	Stake    string `json:"stake"` // sum of all sessions'
}

// timed runs what is measured.
func timed(read func() error) (reading, error) {
	cpu, begin := cpuTime(), time.Now()
	err := read()
	r := reading{Seconds: time.Since(begin).Seconds(), CPU: (cpuTime() - cpu).Seconds()}
	if err == nil {
		r.Memory, err = peakMemory()
	}
	return r, err
}

// peakMemory is the most that this process has had in memory, MiB. What getrusage calls that may be the parent's: a child begins as a
// part of it.
func peakMemory() (float64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	var kib float64
	_, err = fmt.Sscanf(after, "%f kB", &kib)
	return kib / 1024, err
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for bad arguments only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// readPhalops reads a network as every command does that shows one.
func readPhalops(ctx context.Context, t task, _ io.Reader, say func(any) error) error {
	client := wire.New(wire.Options{Allow: wire.LoopbackOnly})
	defer client.Close()
	c := substrate.New(t.URL, client)
	hash, err := c.FinalizedHead(ctx)
	if err != nil {
		return err
	}
	runtime, err := new(substrate.Runtimes).At(ctx, c, hash)
	if err != nil {
		return err
	}
	var st *phala.State
	r, err := timed(func() (err error) {
		st, err = phala.Read(ctx, c.Snapshot(hash, substrate.SnapshotOptions{}), runtime.Metadata, phala.Want{})
		return err
	})
	if err != nil {
		return err
	}
	r.Found = &found{Pools: len(st.Pools), Stakers: len(st.Stakers)}
	var stake fleet.Amount
	for _, s := range st.Sessions {
		stake = stake.Plus(s.Stake)
		if s.Recorded {
			r.Found.Sessions++
		}
	}
	for _, w := range st.Workers {
		if w.Registered {
			r.Found.Workers++
		}
	}
	r.Found.Stake = stake.String()
	return say(r)
}

// readBare sends what phalops has sent, as many requests at once, and throws the replies away. It need not wait for keys before it can ask for
// their values, so nobody who reads can be faster.
func readBare(ctx context.Context, t task, _ io.Reader, say func(any) error) error {
	text, err := os.ReadFile(t.Sent)
	if err != nil {
		return err
	}
	var sent []string
	if err := json.Unmarshal(text, &sent); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: inFlight, DisableCompression: true}}
	defer client.CloseIdleConnections()
	r, err := timed(func() error {
		all, ctx := errgroup.WithContext(ctx)
		all.SetLimit(inFlight)
		for _, body := range sent {
			all.Go(func() error { return post(ctx, client, t.URL, body, io.Discard) })
		}
		return all.Wait()
	})
	if err != nil {
		return err
	}
	return say(r)
}

// inFlight is how many requests substrate.SnapshotOptions has on their way at once.
const inFlight = 4

func post(ctx context.Context, client *http.Client, url, body string, into io.Writer) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the node answers %s", resp.Status)
	}
	_, err = io.Copy(into, resp.Body)
	return err
}
