package world

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Kinds of faults. The part before the dot is what it strikes.
const (
	ChainHalt       = "chain.halt"        // the whole network makes no blocks; chain: para, relay or both
	NodeStall       = "node.stall"        // imports stop and highestBlock stands still with them; chain
	NodeStallImport = "node.stall_import" // imports stop while highestBlock goes on; chain
	NodePeersLost   = "node.peers_lost"   // no peers, no blocks
	NodeRPCDown     = "node.rpc_down"     // the process runs, its RPC refuses connections
	NodeHang        = "node.hang"         // the process runs, takes connections and never answers
	NodeCrash       = "node.crash"        // the process exits with 1
	RPCGarbage      = "rpc.garbage"       // every answer is nonsense; text says which: html (default), torn, stranger or empty
	RPCHuge         = "rpc.huge"          // every answer is well-formed and 200 MB long
	RPCSlow         = "rpc.slow"          // every answer comes late by delay (real time)
	RPCError        = "rpc.error"         // every call is refused; text: code and message, default "-32603 Internal error"
	RPCLie          = "rpc.lie"           // the best block is told wrong by text blocks, default 1000000
	WSHalfOpen      = "ws.half_open"      // WebSocket connections stay open and silent, for good
	ProviderStall   = "dp.stall"          // it stands still although its node moves
	ProviderCrash   = "dp.crash"          // the process exits with 1
	LifecycleCrash  = "lifecycle.crash"   // the process exits with 1
	PeerFrozen      = "peer.frozen"       // a lifecycle or data provider stopped in its tracks: dialling it gets no answer
	MonitorCrash    = "monitor.crash"     // the process exits with 1, and nothing brings it back
	MonitorHang     = "monitor.hang"      // it takes connections and never answers
	BridgeSlow      = "bridge.slow"       // every reply comes late by delay (real time)
	WorkerError     = "worker.error"      // S_ERROR with text
	WorkerFreeze    = "worker.freeze"     // the sync loop is dead behind an unchanged state
	WorkerPause     = "worker.pause"      // the pRuntime stands still and goes on by itself
	WorkerStarting  = "worker.starting"   // hangs in S_STARTING
	WorkerMessage   = "worker.message"    // a sticky message that changes nothing, default a failed mq egress
	PruntimeDown    = "pruntime.down"     // it refuses connections
	PruntimeHang    = "pruntime.hang"     // it takes connections and never answers
	HostSilent      = "host.silent"       // the machine\'s container engine answers nobody
	RobotFails      = "robot.down"        // a chat robot fails; text says how: 5xx, hangs, after
)

// What cures a fault.
const (
	CuredByRestart = "restart" // of the worker, or of the process that is struck
	CuredByNothing = "nothing" // only time, where the fault has a For
)

// Fault is one thing that goes wrong.
type Fault struct {
	At      time.Duration // after Apply
	Kind    string
	Target  string        // a name, a glob ("w-0*", "prb-a/w-07"), or "random:N"
	Chain   string        // chain.*, node.stall*: para, relay, or both (the default)
	Text    string        // worker.error, worker.message: the text; see ErrorText
	For     time.Duration // it heals by itself after this long; 0: never
	CuredBy string        // default restart
	Delay   time.Duration // bridge.slow
}

// Scenario is what will go wrong.
type Scenario struct {
	Name   string
	Faults []Fault
}

type trouble struct {
	kind, chain, text, curedBy string
	delay                      time.Duration
	since                      time.Time
}

func hasKind(ts []*trouble, kind string) bool {
	return slices.ContainsFunc(ts, func(t *trouble) bool { return t.kind == kind })
}

func withoutKind(ts []*trouble, kind string) []*trouble {
	return slices.DeleteFunc(ts, func(t *trouble) bool { return t.kind == kind })
}

// withoutCured leaves out what a restart cures.
func withoutCured(ts []*trouble) []*trouble {
	return slices.DeleteFunc(ts, func(t *trouble) bool { return t.curedBy == CuredByRestart })
}

// FaultKinds are all kinds, in the order in which they are documented.
func FaultKinds() []string {
	return append([]string{ChainHalt, NodeStall, NodeStallImport, NodePeersLost, NodeRPCDown, NodeHang, NodeCrash, RPCGarbage,
		RPCHuge, RPCSlow, RPCError, RPCLie, WSHalfOpen, ProviderStall, ProviderCrash, LifecycleCrash, PeerFrozen, MonitorCrash, MonitorHang, BridgeSlow, WorkerError, WorkerFreeze, WorkerPause,
		WorkerStarting, WorkerMessage, PruntimeDown, PruntimeHang, HostSilent, RobotFails}, disasterKinds()...)
}

// Check says what is wrong with a fault by itself, as a *fleet.Error of kind Invalid; whether its target exists shows when
// it strikes.
func (f Fault) Check() error {
	why := f.problem()
	if why.IsZero() {
		return nil
	}
	return fleet.Fail(fleet.Invalid, why)
}

func (f Fault) problem() fleet.Reason {
	_, badPattern := path.Match(f.Target, "")
	crash := strings.HasSuffix(f.Kind, ".crash")
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		return fleet.Because("sim.fault_unknown", "fault", f.Kind, "faults", strings.Join(FaultKinds(), ", "))
	case f.Target == "" || badPattern != nil || !f.luckyTarget():
		return fleet.Because("sim.fault_target", "fault", f.Kind, "target", f.Target)
	case f.At < 0 || f.For < 0 || f.Delay < 0:
		return fleet.Because("sim.fault_negative", "fault", f.Kind)
	case !slices.Contains([]string{"", "both", "para", "relay"}, f.Chain):
		return fleet.Because("sim.fault_chain", "fault", f.Kind, "chain", f.Chain)
	case !slices.Contains([]string{"", CuredByRestart, CuredByNothing}, f.CuredBy):
		return fleet.Because("sim.fault_cured_by", "fault", f.Kind, "cured_by", f.CuredBy)
	case f.Chain != "" && f.Kind != ChainHalt && f.Kind != NodeStall && f.Kind != NodeStallImport && !f.strikesRPC():
		return fleet.Because("sim.fault_key", "fault", f.Kind, "key", "chain")
	case f.Text != "" && !slices.Contains([]string{WorkerError, WorkerMessage, RobotFails, RPCGarbage, RPCError, RPCLie, WorkerDeadEnd}, f.Kind):
		return fleet.Because("sim.fault_key", "fault", f.Kind, "key", "text")
	case f.Delay != 0 && f.Kind != BridgeSlow && f.Kind != RPCSlow:
		return fleet.Because("sim.fault_key", "fault", f.Kind, "key", "delay")
	case f.CuredBy != "" && (crash || f.Kind == ChainHalt || f.Kind == HostSilent || f.Kind == RobotFails || f.Kind == WorkerPause ||
		slices.Contains(disasterKinds(), f.Kind) && f.Kind != CacheStale):
		return fleet.Because("sim.fault_key", "fault", f.Kind, "key", "cured_by")
	case f.For != 0 && (crash || f.Kind == WorkerDeadEnd || f.Kind == IdentityLost):
		return fleet.Because("sim.fault_key", "fault", f.Kind, "key", "for")
	case f.Delay == 0 && (f.Kind == BridgeSlow || f.Kind == RPCSlow):
		return fleet.Because("sim.fault_needs", "fault", f.Kind, "key", "delay")
	case f.For == 0 && f.Kind == WorkerPause:
		return fleet.Because("sim.fault_needs", "fault", f.Kind, "key", "for")
	case f.Kind == WorkerDeadEnd && !slices.Contains([]string{"", DeadEndLate, DeadEndRestarted, DeadEndSync}, f.Text):
		return fleet.Because("sim.fault_dead_end", "text", f.Text)
	case f.Kind == RobotFails && !slices.Contains([]string{"", string(Robot5xx), string(RobotHangs), string(RobotAfter)}, f.Text):
		return fleet.Because("sim.fault_robot", "text", f.Text)
	case !f.readableRPC():
		return fleet.Because("sim.fault_rpc_text", "fault", f.Kind, "text", f.Text)
	}
	return fleet.Reason{}
}

// luckyTarget holds "random:N" to a number of at least 1.
func (f Fault) luckyTarget() bool {
	count, random := strings.CutPrefix(f.Target, "random:")
	n, err := strconv.Atoi(count)
	return !random || err == nil && n > 0
}

// Apply makes a scenario's faults happen, counted from now. A target is looked for when its fault strikes; nobody there
// is recorded in Faults with an empty Target.
func (w *World) Apply(s Scenario) error {
	for i, f := range s.Faults {
		if err := f.Check(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	for i, f := range s.Faults {
		w.within(f.scope(), f.At, func() { w.strike(f, fmt.Sprintf("%s/%d", s.Name, i)) })
	}
	return nil
}
