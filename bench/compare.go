package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"phalops/internal/sim/world"
)

// Targets.
const (
	targetRatio  = 1.3 // of the bare client's time
	targetCPU    = 0.4 // seconds, of the whole process
	targetMemory = 150 // MiB, of the whole process
)

// options are the flags.
type options struct {
	crowd, rounds int
	latency       time.Duration
	eras          []string
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.crowd, "crowd", 25_000, "workers of the network")
	flags.IntVar(&o.rounds, "rounds", 5, "runs of each reader; medians count")
	flags.DurationVar(&o.latency, "latency", 20*time.Millisecond, "after which the node answers a request")
	eras := flags.String("era", "v1,v2", "generations of Phala's pallets")
	err = flags.Parse(args)
	o.eras = strings.Split(*eras, ",")
	for _, era := range o.eras {
		if err == nil && era != string(world.EraV1) && era != string(world.EraV2) {
			err = fmt.Errorf("no era %q", era)
		}
	}
	if err == nil && (flags.NArg() > 0 || o.crowd < 1 || o.rounds < 1) {
		err = errors.New("there are flags only; at least one worker, at least one run")
	}
	return o, err
}

// compare is the whole benchmark.
func compare(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "phalops-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, era := range o.eras {
		r, err := o.era(ctx, era, filepath.Join(dir, era), stderr)
		if err != nil {
			return fmt.Errorf("%s: %w", era, err)
		}
		if err := r.print(stdout, o); err != nil {
			return err
		}
	}
	return nil
}

// reader is somebody who reads the network.
type reader struct {
	name  string
	start func(context.Context, task) (*exec.Cmd, error)
	most  int // runs that count, because it is slow; 0: as many as there are rounds
	runs  []cost
}

// result is what was measured of an era.
type result struct {
	era      string
	requests int   // of phalops
	found    found // by each reader that looked
	readers  []*reader
}

// the readers, by their places in a result.
const (
	bare = iota
	phalops
)

// era measures one era. sent is a file for what phalops asks for.
func (o options) era(ctx context.Context, era, sent string, stderr io.Writer) (r result, err error) {
	url, stop, err := startNode(ctx, task{Era: era, Crowd: o.crowd, Latency: o.latency})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	r.era, r.readers = era, []*reader{bare: {name: "bare client", start: own("bare")}, phalops: {name: "phalops", start: own("phalops")}}
	if js, err := polkadotJS(); err == nil {
		r.readers = append(r.readers, js)
	} else {
		fmt.Fprintln(stderr, err)
	}
	t := task{URL: url, Sent: sent}
	first, err := r.readers[phalops].run(ctx, t)
	if err != nil {
		return r, err
	}
	r.found = *first.Found
	said, err := ask(ctx, t)
	if err != nil {
		return r, err
	}
	text, err := json.Marshal(said.Sent)
	if err != nil {
		return r, err
	}
	if err := os.WriteFile(t.Sent, text, 0o600); err != nil {
		return r, err
	}
	r.requests = len(said.Sent)
	for i := range 1 + o.rounds { // the first one does not count: the node gets its replies ready
		if err := r.round(ctx, t, i > 0); err != nil {
			return r, err
		}
	}
	return r, nil
}

// round lets everybody read once.
func (r *result) round(ctx context.Context, t task, counts bool) error {
	for _, reader := range r.readers {
		if reader.most > 0 && len(reader.runs) == reader.most {
			continue
		}
		c, err := reader.run(ctx, t)
		if err != nil {
			return err
		}
		said, err := ask(ctx, t)
		switch {
		case err != nil:
			return err
		case c.Found != nil && *c.Found != r.found:
			return fmt.Errorf("%s found %+v, phalops at first %+v", reader.name, *c.Found, r.found)
		case counts && said.New > 0: // it would have waited for the simulator
			return fmt.Errorf("%s asks for other things each time: %d of its %d requests are new", reader.name, said.New, len(said.Sent))
		case counts:
			reader.runs = append(reader.runs, c)
		}
	}
	return nil
}

// ask lets the node tell what it was asked for since the last time.
func ask(ctx context.Context, t task) (said asked, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL+askedPath, http.NoBody)
	if err != nil {
		return said, err
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return said, err
	}
	defer resp.Body.Close()
	return said, json.NewDecoder(resp.Body).Decode(&said)
}

// median of what value says of the runs.
func (r *reader) median(value func(cost) float64) float64 {
	all := make([]float64, len(r.runs))
	for i, c := range r.runs {
		all[i] = value(c)
	}
	return median(all)
}

func median(all []float64) float64 {
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// ratios are a reader's times by the bare client's in the same round.
func (r result) ratios(of int) []float64 {
	all := make([]float64, len(r.readers[of].runs))
	for i, c := range r.readers[of].runs {
		all[i] = c.Seconds / r.readers[bare].runs[i].Seconds
	}
	return all
}

func (r result) print(w io.Writer, o options) error {
	fmt.Fprintf(w, "Phala %s: %d sessions, %d workers in the registry, %d pools, %d stakers; %d requests of phalops, each answered after %s; medians\n",
		r.era, r.found.Sessions, r.found.Workers, r.found.Pools, r.found.Stakers, r.requests, o.latency)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\truns\ttime\tof bare\tCPU, reading\tCPU, process\tpeak memory\t\n")
	for i, reader := range r.readers {
		fmt.Fprintf(t, "%s\t%d\t%.2f s\t%.2f\t%.2f s\t%.2f s\t%.0f MiB\t\n", reader.name, len(reader.runs), reader.median(func(c cost) float64 { return c.Seconds }), median(r.ratios(i)),
			reader.median(func(c cost) float64 { return c.CPU }), reader.median(func(c cost) float64 { return c.Total }), reader.median(func(c cost) float64 { return c.Memory }))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	ours := r.readers[phalops]
	_, err := fmt.Fprintf(w, "    targets: %.2f of a bare client's time, <= %.1f; CPU %.2f s of <= %.1f s; memory %.0f MiB of <= %d MiB\n\n", median(r.ratios(phalops)), targetRatio,
		ours.median(func(c cost) float64 { return c.Total }), targetCPU, ours.median(func(c cost) float64 { return c.Memory }), targetMemory)
	return err
}
