package rule

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// FuzzCompile: whatever an operator writes, and whatever a bridge says, there is an answer or an explained mistake, soon.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`worker.bridge.version == "v2" and worker.message contains "Error while synching mq egress"`, `bridge.unresponsive_ratio > 0.05`,
		`any(["a", "b"], worker.message contains #)`, `worker.message matches "^(a|b)*$"`, `(worker.lag ?? 0) > 5 ? true : node.para == nil`,
		`worker.frozen > duration("5m") * 2`, `let x = 1; x`, `$env`, `worker?.bridge?.labels?.x == ""`, `#`, `"\u00`, `((((((`, `not not not true`, "1 in [1,2,3]",
		`worker.frozen > duration(worker.message)`, `-worker.lag < 0`, `[worker.lag] == [nil]`, `worker.lag == worker.para`, `nil == nil`, `worker.bridge == bridge`,
		`max(worker.lag, 5) > 1`, `worker | len() > 1`, `if worker.enabled { true } else { false }`, `worker.message contains "机"`, `int("0x10") == 16`,
		`worker in [worker]`, `node.name in bridge.labels`, `round(worker.v) == 1`, `min([]) == 1`, `false; true`, `worker.stake > 1e308 * 10`,
	} {
		f.Add(s, "Error while synching mq egress")
	}
	f.Fuzz(func(t *testing.T, source, message string) {
		for _, scope := range []Scope{OfWorker, OfBridge} {
			hang := time.AfterFunc(10*time.Second, func() { panic("it does not end: " + source) })
			defer hang.Stop()
			p, err := Compile(source, scope)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Reason.IsZero() || e.Line < 1 || e.Column < 1 || e.Offset > utf8.RuneCountInString(source) {
					t.Fatalf("%q: %#v", source, err)
				}
				if utf8.ValidString(source) && strings.Trim(e.Caret(), " \t^") != "" {
					t.Fatalf("%q: caret %q", source, e.Caret())
				}
				continue
			}
			for _, env := range []*Env{known(), nobody()} {
				env.Worker.Message = cut(message)
				if scope == OfBridge {
					env.Worker = nil
				}
				first, err := p.Eval(env)
				var why *Unanswered
				if err != nil && (first || !errors.As(err, &why) || why.Reason.IsZero()) {
					t.Fatalf("%q: %v, %v", source, first, err)
				}
				if again, err2 := p.Eval(env); again != first || (err == nil) != (err2 == nil) {
					t.Fatalf("%q gives two answers", source)
				}
			}
		}
	})
}

// TestTheDearestConditionEnds: what is just allowed stays small against the longest message.
func TestTheDearestConditionEnds(t *testing.T) {
	list := `["` + strings.Repeat(`x", "`, 150) + `x"]`
	for _, source := range []string{
		`worker.message matches "(a?){90}b$"`,
		`none(` + list + `, lower(upper(worker.message)) contains #)`,
		`lower(upper(worker.message)) + ` + strings.Repeat("upper(worker.message) + ", 70) + `"" == "x"`,
	} {
		p, err := Compile(source, OfWorker)
		if err != nil {
			t.Errorf("%.60s: %v", source, err)
			continue
		}
		env := known()
		env.Worker.Message = cut(strings.Repeat("a", 1<<20))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		_, err = p.Eval(env)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; err != nil || took > time.Second || grown > 32<<20 {
			t.Errorf("%.60s: %v, %d KiB, %v", source, took, grown>>10, err)
		}
	}
}

func TestALongMessageIsCutBetweenLetters(t *testing.T) {
	w := fleet.WorkerStatus{Message: "a" + strings.Repeat("错", MaxMessage)}
	if m := WorkerEnv(&w, Reading{}, nil).Message; len(m) > MaxMessage || len(m) < MaxMessage-3 || !utf8.ValidString(m) {
		t.Errorf("%d bytes, valid: %v", len(m), utf8.ValidString(m))
	}
}

// BenchmarkWorker is one worker of a cycle: its Env is made and the condition asked. Target: below 2 µs.
func BenchmarkWorker(b *testing.B) {
	for name, source := range map[string]string{
		"simple": `worker.lag > 50 and worker.enabled`,
		"egress": `worker.bridge.version == "v2" and worker.message contains "Error while synching mq egress"`,
		"regexp": `worker.state == "S_ERROR" or worker.message matches "timeout|refused"`,
	} {
		p, err := Compile(source, OfWorker)
		if err != nil {
			b.Fatal(err)
		}
		w, env, head := sick(), known(), int64(500)
		b.Run(name+"/eval", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = p.Eval(env)
			}
		})
		b.Run(name+"/env+eval", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e := Env{Worker: WorkerEnv(&w, Reading{Condition: "Working", Head: &head}, env.Bridge), Bridge: env.Bridge, Node: env.Node, Site: "dc1"}
				_, _ = p.Eval(&e)
			}
		})
	}
}
