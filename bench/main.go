// Command bench measures how fast a whole Phala network is read and what that costs, in both generations of its pallets: phalops beside a
// bare client, which sends the same requests and throws the replies away, and beside @polkadot/api. Each of them is a process of its own,
// so that its CPU time and its memory are its own alone, and so is the node: it has the simulated chain's replies ready and gives each of
// them after a fixed time.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// task is what another process of the benchmark is told, as JSON behind its role.
type task struct {
	Era     string        `json:"era,omitempty"`
	Crowd   int           `json:"crowd,omitempty"`
	Latency time.Duration `json:"latency,omitempty"`
	URL     string        `json:"url,omitempty"`  // of the node
	Sent    string        `json:"sent,omitempty"` // file with what phalops asked for
}

// role is what another process does. It ends with its standard input at the latest.
type role func(ctx context.Context, t task, stdin io.Reader, say func(any) error) error

func roles() map[string]role {
	return map[string]role{"node": serve, "bare": readBare, "phalops": readPhalops}
}

// run is the whole program; args of the other processes are a role and a task.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(args) == 2 && roles()[args[0]] != nil {
		err = play(ctx, args[0], args[1], stdin, json.NewEncoder(stdout).Encode)
	} else {
		err = compare(ctx, args, stdout, stderr)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 2
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func play(ctx context.Context, name, text string, stdin io.Reader, say func(any) error) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	if err := roles()[name](ctx, t, stdin, say); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
