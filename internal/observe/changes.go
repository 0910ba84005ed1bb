package observe

import (
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

const (
	// frozenAfter is how long a counter must stand still to count as frozen in the fact log.
	frozenAfter = 2 * time.Minute
	// messageGrain rounds the time stamps of messages that come again and again: one fact in this time is enough.
	messageGrain = 5 * time.Minute
	// A chain is behind its target by a minute of blocks; less is the beat between two questions.
	paraMinute, relayMinute = 5, 10
)

// Changes lists what changed between two statuses of the same node or bridge, as far as a rule can see it, in a fixed order.
// Two statuses that differ in the times of answers only have no changes. A counter is kept as moving or frozen; then At is
// when it moved last. Peers are kept when they come, go, or jump by a quarter. Value "" is "unknown now"; what is gone from
// the inventory gets present = false.
//
// Fields of a node: para|relay.{reachable,moving,finalized_moving,behind,peers,syncing,chain,version,genesis,falls,peers_ahead,peers_moving,
// from_host}, container.*, disk.{reachable,free_gib}, log.signs and cache.<name>.{present,reachable,*_moving}; of a
// bridge: monitor.reachable, lifecycle.{reachable,peer}, dp.<peer>.{present,reachable,status,para_moving,relay_moving}; of
// its workers: present, reachable and the fields of fleet.WorkerStatus by their JSON names, with {relay,para_header,para}
// as .moving and .begun (false: the counter is at -1), and pruntime.* for what the pRuntime itself says. Numbers in a message that grow with every beat are left out.
func Changes[S fleet.NodeStatus | fleet.BridgeStatus](prev, next S) []fleet.Fact {
	if was, ok := any(prev).(fleet.BridgeStatus); ok {
		return changes(unsteady(was, any(next).(fleet.BridgeStatus)))
	}
	return changes(prev, next)
}

func changes[S fleet.NodeStatus | fleet.BridgeStatus](prev, next S) []fleet.Fact {
	before := map[key]string{}
	for _, f := range facts(prev) {
		before[key{f.Target, f.Field}] = f.Value
	}
	var changes []fleet.Fact
	var latest time.Time
	for _, f := range facts(next) {
		k := key{f.Target, f.Field}
		if old := before[k]; !same(f.Field, old, f.Value) {
			changes = append(changes, f)
		}
		delete(before, k)
		if f.At.After(latest) {
			latest = f.At
		}
	}
	for _, f := range facts(prev) {
		if _, gone := before[key{f.Target, f.Field}]; gone && present(f.Field) {
			f.Value, f.At = "false", latest
			changes = append(changes, f)
		}
	}
	return changes
}

type key struct {
	target fleet.Ref
	field  string
}

func present(field string) bool {
	return field == "present" || strings.HasSuffix(field, ".present")
}

// same compares two values of a field; numbers of peers that are near each other are the same.
func same(field, a, b string) bool {
	if a == b || (field != "para.peers" && field != "relay.peers") {
		return a == b
	}
	m, errA := strconv.Atoi(a)
	n, errB := strconv.Atoi(b)
	if errA != nil || errB != nil || (m == 0) != (n == 0) {
		return false
	}
	return 4*max(m-n, n-m) < m
}

// facts spells a status out.
func facts(status any) []fleet.Fact {
	switch s := status.(type) {
	case fleet.NodeStatus:
		return nodeFacts(s)
	case fleet.BridgeStatus:
		return bridgeFacts(s)
	}
	return nil
}

// teller writes down what one source says about one target.
type teller struct {
	facts  *[]fleet.Fact
	target fleet.Ref
	prefix string
	source string
	at     time.Time
}

func (t teller) say(field, value string) { t.sayAt(field, value, t.at) }

func (t teller) sayAt(field, value string, at time.Time) {
	*t.facts = append(*t.facts, fleet.Fact{Target: t.target, Field: t.prefix + field, Value: value, Source: t.source, At: at})
}

func (t teller) sayBool(field string, v *bool) {
	if v == nil {
		t.say(field, "")
		return
	}
	t.say(field, strconv.FormatBool(*v))
}

// reachable says whether the newest question was answered; since when not, the Probe knows.
func (t teller) reachable(p fleet.Probe) {
	switch {
	case p.Missed > 0:
		t.sayAt("reachable", "false", p.Failed)
	case !p.At.IsZero():
		t.sayAt("reachable", "true", p.At)
	default:
		t.say("reachable", "")
	}
}

func (t teller) moving(field string, h fleet.Height) {
	if !h.Known {
		t.say(field, "")
		return
	}
	t.sayAt(field, strconv.FormatBool(h.FrozenFor(t.at) < frozenAfter), h.MovedAt)
}

func nodeFacts(n fleet.NodeStatus) []fleet.Fact {
	var out []fleet.Fact
	name := n.Ref.Name()
	for _, part := range []struct {
		name   string
		chain  *fleet.ChainStatus
		minute int64
	}{{"para", n.Para, paraMinute}, {"relay", n.Relay, relayMinute}} {
		c := part.chain
		if c == nil {
			continue
		}
		t := teller{facts: &out, target: n.Ref, prefix: part.name + ".", source: name + " " + part.name, at: c.At}
		t.reachable(c.Probe)
		t.moving("moving", c.Best)
		t.moving("finalized_moving", c.Finalized)
		behind := ""
		if c.Best.Known && c.Target.Known {
			behind = strconv.FormatBool(c.Target.Value-c.Best.Value >= part.minute)
		}
		t.say("behind", behind)
		peers := ""
		if c.Peers >= 0 && !c.At.IsZero() {
			peers = strconv.Itoa(c.Peers)
		}
		t.say("peers", peers)
		t.sayBool("syncing", c.Syncing)
		t.say("chain", c.Chain)
		t.say("version", c.Version)
		chainExtras(t, c, part.minute)
	}
	nodeSurroundings(&out, n)
	if c := n.Container; c != nil {
		t := teller{facts: &out, target: n.Ref, prefix: "container.", source: name + " container", at: c.At}
		t.reachable(c.Probe)
		t.say("state", c.State)
		t.say("health", c.Health)
		t.say("id", c.ID)
		t.say("image", c.Image)
		t.say("started", stamp(c.Started))
		restarts, exit := strconv.Itoa(c.Restarts), strconv.Itoa(c.ExitCode)
		if c.State == "" {
			restarts, exit = "", ""
		}
		t.say("restarts", restarts)
		t.say("exit_code", exit)
	}
	return out
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func bridgeFacts(b fleet.BridgeStatus) []fleet.Fact {
	var out []fleet.Fact
	name := b.Ref.Name()
	monitor := teller{facts: &out, target: b.Ref, prefix: "monitor.", source: name + " monitor", at: b.Monitor.At}
	monitor.reachable(b.Monitor)
	lifecycle := teller{facts: &out, target: b.Ref, prefix: "lifecycle.", source: name + " lifecycle", at: b.Lifecycle.At}
	lifecycle.reachable(b.Lifecycle)
	lifecycle.say("peer", b.LifecyclePeer)
	for _, dp := range b.DataProviders {
		t := teller{facts: &out, target: b.Ref, prefix: "dp." + dp.PeerID + ".", source: name + " data provider", at: dp.At}
		t.say("present", "true")
		t.reachable(dp.Probe)
		t.say("status", dp.Status)
		t.moving("para_moving", dp.Para)
		t.moving("relay_moving", dp.Parent)
	}
	for i := range b.Workers {
		workerFacts(&out, lifecycle.source, &b.Workers[i])
	}
	return out
}

func workerFacts(out *[]fleet.Fact, source string, w *fleet.WorkerStatus) {
	t := teller{facts: out, target: w.Ref, source: source, at: w.At}
	t.reachable(w.Probe)
	r := t // the record may have come while the states were silent
	if w.Failed.After(r.at) {
		r.at = w.Failed
	}
	r.say("present", "true")
	r.say("name", w.Name)
	r.say("pid", strconv.FormatUint(w.PID, 10))
	r.say("endpoint", w.Endpoint)
	stake := "invalid"
	if w.StakeOK {
		stake = w.Stake.String()
	}
	r.say("stake", stake)
	r.say("enabled", strconv.FormatBool(w.Enabled))
	r.say("sync_only", strconv.FormatBool(w.SyncOnly))
	t.say("running", strconv.FormatBool(w.Running))
	t.say("state", w.State)
	t.say("message", uncounted(w.Message))
	t.say("hidden", uncounted(w.Hidden))
	t.say("message_at", stamp(w.MessageAt.Truncate(messageGrain)))
	t.sayBool("initialized", w.Initialized)
	t.say("public_key", w.PublicKey)
	t.say("session", w.Session)
	t.sayBool("registered", w.Registered)
	t.say("version", w.Version)
	t.say("revision", w.Revision)
	if w.Gatekeeper {
		t.say("gatekeeper", "true")
	}
	t.heights(w.Relay, w.ParaHeader, w.Para)
	if p := w.Pruntime; p != nil {
		t = teller{facts: out, target: w.Ref, prefix: "pruntime.", source: w.Name + " pruntime", at: p.At}
		t.reachable(p.Probe)
		t.sayBool("initialized", p.Initialized)
		t.sayBool("registered", p.Registered)
		t.sayBool("waiting_for_para_headers", p.Waiting)
		t.say("public_key", p.PublicKey)
		t.say("version", p.Version)
		t.heights(p.Relay, p.ParaHeader, p.Para)
	}
}

// heights says of a worker's counters whether they move and whether they have begun.
func (t teller) heights(relay, paraHeader, para fleet.Height) {
	for _, h := range []struct {
		name string
		fleet.Height
	}{{"relay", relay}, {"para_header", paraHeader}, {"para", para}} {
		t.moving(h.name+".moving", h.Height)
		begun := ""
		if h.Known {
			begun = strconv.FormatBool(h.Value >= 0)
		}
		t.say(h.name+".begun", begun)
	}
}
