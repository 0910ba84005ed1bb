package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's own program play the other processes, as the benchmark's does.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && roles()[os.Args[1]] != nil {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestCompare reads a small network of each era. What the readers find must agree, or compare fails.
func TestCompare(t *testing.T) {
	v1, stderr := compared(t, "v1", `\d+ stakers`)
	switch {
	case strings.Contains(v1, "@polkadot/api 16.5.6 "):
	case os.Getenv("CI") == "true" || !strings.Contains(stderr, "not installed"):
		t.Errorf("polkadot-js is not measured: %s", stderr)
	}
	t.Setenv("PHALOPS_POLKADOTJS", t.TempDir()) // once is enough: it is slow
	if _, stderr := compared(t, "v2", `0 stakers`); !strings.Contains(stderr, "not installed") {
		t.Errorf("nothing says that polkadot-js is missing: %s", stderr)
	}
}

func compared(t *testing.T, era, stakers string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run([]string{"-era", era, "-crowd", "600", "-rounds", "1", "-latency", "1ms"}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	t.Logf("%s", &out)
	for _, want := range []string{
		`^Phala ` + era + `: 640 sessions, 640 workers in the registry, [78]\d pools, ` + stakers + `; [1-9]\d+ requests of phalops, each answered after 1ms`,
		`\n +bare client +1 +\d\.\d\d s +1\.00 `,
		`\n +phalops +1 +\d\.\d\d s `,
	} {
		if !regexp.MustCompile(want).Match(out.Bytes()) {
			t.Errorf("nothing matches %s", want)
		}
	}
	m := regexp.MustCompile(`memory (\d+) MiB of <= 150 MiB`).FindStringSubmatch(out.String())
	if m == nil {
		t.Fatal("no targets beside the results")
	}
	if mib, _ := strconv.Atoi(m[1]); mib < 5 || mib > targetMemory {
		t.Errorf("%d MiB for so few workers", mib)
	}
	return out.String(), errs.String()
}

// TestReaderThatFindsSomethingElse: that is an error, not a result.
func TestReaderThatFindsSomethingElse(t *testing.T) {
	says := func(text string) *reader {
		return &reader{name: "somebody", start: func(ctx context.Context, _ task) (*exec.Cmd, error) {
			return exec.CommandContext(ctx, "echo", text), nil
		}}
	}
	node := httptest.NewServer(&node{})
	defer node.Close()
	at := task{URL: node.URL}
	r := result{found: found{Sessions: 3, Stake: "7"}, readers: []*reader{says(`{"seconds":1}`), says(`{"seconds":2,"found":{"sessions":3,"stake":"7"}}`)}}
	if err := r.round(t.Context(), at, true); err != nil || len(r.readers[1].runs) != 1 || r.ratios(1)[0] != 2 {
		t.Fatalf("%v: %+v", err, r.readers[1].runs)
	}
	for _, other := range []string{`{"found":{"sessions":3,"stake":"8"}}`, `nothing`} {
		r.readers[1] = says(other)
		if err := r.round(t.Context(), at, true); err == nil {
			t.Errorf("%s counts", other)
		}
	}
}

func TestFlags(t *testing.T) {
	o, err := parse([]string{"-era", "v2", "-latency", "5ms"}, os.Stderr)
	if err != nil || o.crowd != 25_000 || o.latency != 5*time.Millisecond || len(o.eras) != 1 {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-crowd", "0"}, {"-rounds", "0"}, {"x"}, {"-era", "v3"}, {"-x"}} {
		var said bytes.Buffer
		if _, err := parse(bad, &said); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, all := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 3, 2}, 7: {7}} {
		if got := median(all); got != want {
			t.Errorf("median of %v is %v", all, got)
		}
	}
}
