package rule

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

var update = flag.Bool("update", false, "write the golden files")

var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// sick is a worker of which everything is known.
func sick() fleet.WorkerStatus {
	yes := true
	height := func(n int64, ago time.Duration) fleet.Height {
		return fleet.Height{Value: n, Known: true, MovedAt: at.Add(-ago)}
	}
	return fleet.WorkerStatus{
		Probe: fleet.Probe{At: at}, Ref: fleet.WorkerRef("prb-b", "7a0c"), ID: "7a0c", Name: "w-017", PID: 83, Endpoint: "http://127.0.1.17:8000",
		Stake: fleet.PHA(10), StakeOK: true, Enabled: true, Running: true, State: "S_SYNCHED", StateSince: at.Add(-7 * time.Minute),
		Message: "Error while synching mq egress: TimeoutError", MessageSeen: at.Add(-20 * time.Second), Initialized: &yes, PublicKey: strings.Repeat("ab", 32),
		Relay: height(900, time.Second), ParaHeader: height(460, time.Second), Para: height(450, 6*time.Minute),
		Session: "WorkerUnresponsive", SessionSince: at.Add(-time.Hour), V: "1234.5", Ve: "1200", PInit: 2000, PInstant: 1500, TotalReward: fleet.PHA(3),
	}
}

// known is a world in which everything is known.
func known() *Env {
	w := sick()
	head := int64(500)
	b := fleet.BridgeStatus{Ref: fleet.BridgeRef("prb-b"), Site: "dc1", Version: "v2", Condition: fleet.BridgeHealthy, Workers: []fleet.WorkerStatus{
		w, {Enabled: true, Condition: fleet.Working}, {Enabled: true, Condition: fleet.Failing}, {Enabled: true, Condition: fleet.Unresponsive}, {Condition: fleet.Disabled},
	}}
	b.Workers[0].Condition = fleet.Unresponsive
	bridge := BridgeEnv(&b, map[string]string{"customer": "alpha"}, &head, nil)
	n := fleet.NodeStatus{Ref: fleet.NodeRef("node-1"), Condition: fleet.NodeHealthy, Para: &fleet.ChainStatus{
		Probe: fleet.Probe{At: at}, Best: fleet.Height{Value: 500, Known: true, MovedAt: at}, Target: fleet.Height{Value: 502, Known: true, MovedAt: at}, Peers: 12,
	}, Container: &fleet.ContainerStatus{Probe: fleet.Probe{At: at}, State: "running"}}
	return &Env{Worker: WorkerEnv(&w, Reading{Condition: "Unresponsive", Rule: "v2.egress", Head: &head, Chain: chainOf(w.PublicKey)}, bridge), Bridge: bridge, Node: NodeEnv(&n), Site: "dc1"}
}

// chainOf is a chain that knows one key, and was read two minutes before the bridge.
func chainOf(key string) *fleet.ChainView {
	read := at.Add(-2 * time.Minute)
	return &fleet.ChainView{Probe: fleet.Probe{At: read}, Time: read, Workers: []fleet.ChainWorker{{
		Key: key, Registered: true, Operator: "45owner", Confidence: 2, PID: 0, Pool: true, State: "Unresponsive", StateSince: read.Add(-time.Hour), Stake: fleet.PHA(10),
		V: "1234.5", Ve: "1200", PInit: 2000, PInstant: 1500, ChallengedAt: read.Add(-40 * time.Minute), Reward: fleet.PHA(7), RewardMoved: read.Add(-13 * time.Hour),
		Daily: fleet.PHA(3), DailyFor: time.Hour,
	}}}
}

// nobody is a world in which nothing is known that can be unknown.
func nobody() *Env {
	w := fleet.WorkerStatus{Name: "w-018", Enabled: true, State: "S_ERROR"}
	bridge := BridgeEnv(&fleet.BridgeStatus{Ref: fleet.BridgeRef("prb-b"), Version: "v2"}, nil, nil, nil)
	return &Env{Worker: WorkerEnv(&w, Reading{Condition: "Failed"}, bridge), Bridge: bridge, Node: NodeEnv(nil)}
}

func TestConditionsAnswer(t *testing.T) {
	for _, tc := range []struct {
		source       string
		known, blank string // yes, no, unknown
	}{
		{`worker.bridge.version == "v2" and worker.message contains "Error while synching mq egress"`, "yes", "no"},
		{`worker.frozen > duration("5m")`, "yes", "unknown"},
		{`worker.frozen < duration("5m")`, "no", "unknown"},
		{`worker.frozen != duration("5m")`, "yes", "unknown"},
		{`not (worker.frozen > duration("1h"))`, "yes", "unknown"},
		{`worker.frozen == nil`, "no", "yes"},
		{`(worker.lag ?? 1000) >= 50`, "yes", "yes"},
		{`(worker.lag ?? 0) >= 50`, "yes", "no"},
		{`worker.lag == 50 and worker.para == 450`, "yes", "unknown"},
		{`worker.lag in [49, 50]`, "yes", "unknown"},
		{`worker.stake < 10.5 and worker.stake >= 10`, "yes", "unknown"},
		{`worker.initialized`, "yes", "unknown"},
		{`!worker.initialized`, "no", "unknown"},
		{`worker.initialized != true`, "no", "unknown"},
		{`worker.pid == 83 || worker.pid == 84`, "yes", "no"},
		{`worker.in_state > duration("3m") and worker.message_age <= duration("1m")`, "yes", "unknown"},
		{`worker.state == "S_ERROR" or worker.lag > 10`, "yes", "yes"},
		{`worker.lag > 10 or worker.state == "S_ERROR"`, "yes", "unknown"},
		{`worker.condition in ["Failed", "Unresponsive"]`, "yes", "yes"},
		{`worker.rule startsWith "v2."`, "yes", "no"},
		{`lower(worker.message) matches "timeout|refused"`, "yes", "no"},
		{`any(["mq egress", "ECONNREFUSED"], worker.message contains #)`, "yes", "no"},
		{`worker.session endsWith "Unresponsive" ? worker.v > 1000 : worker.enabled`, "yes", "yes"},
		{`worker.in_session >= duration("1h")`, "yes", "unknown"},
		{`worker.p_instant < worker.p_init * 0.8`, "yes", "unknown"},
		{`bridge.unresponsive_ratio > 0.05`, "yes", "unknown"},
		{`bridge.bad_ratio == 0.75 and bridge.workers == 4`, "yes", "unknown"},
		{`bridge.labels.customer == "alpha"`, "yes", "no"},
		{`bridge.labels["rack"] == ""`, "yes", "yes"},
		{`"customer" in bridge.labels`, "yes", "no"},
		{`node.condition == "Healthy" and node.para_peers > 3`, "yes", "unknown"},
		{`node.para_lag == 2 and node.container == "running"`, "yes", "unknown"},
		{`node.relay == nil`, "yes", "yes"},
		{`worker.chain.state == "Unresponsive" and worker.chain.in_state >= duration("1h")`, "yes", "unknown"},
		{`worker.chain.reward_frozen > duration("12h")`, "yes", "unknown"},
		{`worker.chain.stake == worker.stake and worker.chain.reward == 7 and worker.chain.daily == 3`, "yes", "unknown"},
		{`worker.chain.pid == 0`, "yes", "unknown"},
		{`worker.chain.pid == nil`, "no", "yes"},
		{`worker.chain.registered and worker.chain.operator == "45owner"`, "yes", "unknown"},
		{`(worker.chain.state ?? "Idle") == "Idle"`, "no", "yes"},
		{`worker.chain.confidence == 2 and worker.chain.v > worker.chain.ve and worker.chain.p_instant < worker.chain.p_init`, "yes", "unknown"},
		{`worker.chain.age == duration("2m") and worker.chain.challenged == duration("40m")`, "yes", "unknown"},
		{`site == "dc1"`, "yes", "no"},
		{`worker.para / worker.lag > 0`, "yes", "unknown"},
		{`int(worker.name) > 3`, "broken", "broken"},
		{`5 % (worker.pid - 83) == 5`, "broken", "yes"},
	} {
		p, err := Compile(tc.source, OfWorker)
		if err != nil {
			t.Errorf("%s: %s", tc.source, told(t, err, i18n.EN))
			continue
		}
		if p.String() != tc.source {
			t.Errorf("%s is told as %s", tc.source, p)
		}
		for _, one := range []struct {
			env  *Env
			want string
		}{{known(), tc.known}, {nobody(), tc.blank}} {
			if got := answer(p.Eval(one.env)); got != one.want {
				t.Errorf("%s about %s: %s, want %s", tc.source, one.env.Worker.Name, got, one.want)
			}
		}
	}
}

func answer(yes bool, err error) string {
	var why *Unanswered
	switch {
	case errors.As(err, &why) && yes:
		return "both an answer and an error"
	case errors.As(err, &why) && why.Unknown:
		return "unknown"
	case errors.As(err, &why):
		return "broken"
	case err != nil:
		return err.Error()
	case yes:
		return "yes"
	}
	return "no"
}

func TestAnUnknownFieldIsNamed(t *testing.T) {
	p, err := Compile(`worker.bridge.unresponsive_ratio > 0.5`, OfWorker)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Eval(nobody())
	var why *Unanswered
	if !errors.As(err, &why) || why.Reason.Args["field"] != "worker.bridge.unresponsive_ratio" || fleet.ReasonOf(err).Code != "rule.unknown" {
		t.Errorf("told %v", err)
	}
}

// TestMistakes shows every kind of mistake as an operator sees it.
func TestMistakes(t *testing.T) {
	var out strings.Builder
	for _, tc := range []struct {
		scope  Scope
		source string
	}{
		{OfWorker, ""},
		{OfWorker, "   "},
		{OfWorker, `worker.mesage contains "x"`},
		{OfWorker, `worker.temperature > 5`},
		{OfWorker, `worker.bridge.verson == "v2"`},
		{OfWorker, `message contains "x"`},
		{OfWorker, `wroker.lag > 5`},
		{OfWorker, `humidity > 5`},
		{OfWorker, `worker.state = "S_ERROR"`},
		{OfWorker, `worker.state == S_ERROR`},
		{OfWorker, `worker.lag > 5 AND worker.enabled`},
		{OfWorker, `worker.lag > 5 and`},
		{OfWorker, `worker.message contains "abc`},
		{OfWorker, `(worker.lag > 5`},
		{OfWorker, `worker.lag > 5)`},
		{OfWorker, `worker.message contains “超时”`},
		{OfWorker, `worker.name == "机房一号" and worker.lga > 1`},
		{OfWorker, "worker.enabled and\n  worker.lga > 1"},
		{OfWorker, `worker.frozen > 300`},
		{OfWorker, `worker.frozen > "5m"`},
		{OfWorker, `worker.lag > "5"`},
		{OfWorker, `worker.message > 5`},
		{OfWorker, `not worker.message`},
		{OfWorker, `worker.message`},
		{OfWorker, `worker.lag + 1`},
		{OfWorker, `worker.bridge`},
		{OfWorker, `worker.condition == "failed"`},
		{OfWorker, `node.condition in ["Healthy", "Dead"]`},
		{OfWorker, `worker.bridge.version == "v4"`},
		{OfWorker, `worker.chain.state == "MiningIdle"`},
		{OfWorker, `worker.chain.rewards_frozen > duration("12h")`},
		{OfWorker, `worker.chain.temperature > 5`},
		{OfWorker, `worker.chain`},
		{OfWorker, `reward_frozen > duration("12h")`},
		{OfWorker, `worker.message matches "("`},
		{OfWorker, `worker.message matches worker.name`},
		{OfWorker, `worker.message matches "(a{500}){2}"`},
		{OfWorker, `now() > date("2026-01-01")`},
		{OfWorker, `uper(worker.message) == "X"`},
		{OfWorker, `sendmail("x")`},
		{OfWorker, `replace(worker.message, "", worker.message) != ""`},
		{OfWorker, `need(worker.lag, "x") > 5`},
		{OfWorker, `let m = worker.message; m + m == ""`},
		{OfWorker, `all(1..100000, # > 0)`},
		{OfWorker, `2 ** 1000 > 1`},
		{OfWorker, `any(["a"], any(["b"], worker.enabled))`},
		{OfWorker, `any(["a"], # matches "b")`},
		{OfWorker, `any(bridge.labels, # == "b")`},
		{OfWorker, `$env["worker"] == nil`},
		{OfWorker, `worker.frozen.Hours() > 2`},
		{OfWorker, `len(worker) > 2`},
		{OfWorker, `worker.message[0:5] == "Error"`},
		{OfWorker, `worker["na" + "me"] == "w"`},
		{OfWorker, `worker.lag ?? 1000 >= 50`},
		{OfWorker, `{"a": 1} == nil`},
		{OfBridge, `worker.lag > 5`},
		{OfBridge, `bridge.unresponsiv_ratio > 0.05`},
		{OfWorker, `worker.name == "` + strings.Repeat("x", MaxSource) + `"`},
		{OfWorker, strings.Repeat("1+", 400) + "1 > 0"},
		{OfWorker, "worker.name == \"\xff\""},
	} {
		_, err := Compile(tc.source, tc.scope)
		if err == nil {
			t.Errorf("%s is accepted", tc.source)
			continue
		}
		var e *Error
		if !errors.As(err, &e) || fleet.KindOf(err) != fleet.Invalid || fleet.ReasonOf(err).Code != e.Reason.Code {
			t.Errorf("%s: %T %v", tc.source, err, err)
			continue
		}
		excerpt, caret := e.Excerpt(), e.Caret()
		if len(excerpt) > 200 {
			excerpt, caret = excerpt[:60]+"…", ""
		}
		fmt.Fprintf(&out, "%q\n%d:%d  %s\n  zh %s\n  en %s\n    %s\n    %s\n\n", clip(tc.source), e.Line, e.Column, e.Reason.Code,
			told(t, err, i18n.ZH), told(t, err, i18n.EN), excerpt, caret)
	}
	golden(t, "testdata/mistakes.golden", out.String())
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:60] + "…"
	}
	return s
}

func told(t *testing.T, err error, lang i18n.Lang) string {
	t.Helper()
	c, loadErr := i18n.Load()
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	r := fleet.ReasonOf(err)
	return c.Text(lang, r.Code, r.Args)
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what was told (-update writes it):\n%s", file, got)
	}
}
