package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// networkOf is a healthy network with so many of our bridges, each with so many workers; bridge number i works for pool 83+i.
func networkOf(bridges, workers int) decide.NetworkInput {
	in := decide.NetworkInput{Ref: khala, Policy: defaults, Now: now}
	var all []*fleet.BridgeStatus
	for b := range bridges {
		in.Bridges = append(in.Bridges, bridgeNamed(fmt.Sprintf("prb-%c", 'b'+b), workers, uint64(83+b)))
	}
	for b := range in.Bridges {
		all = append(all, &in.Bridges[b])
	}
	in.View = onChain(all...)
	return in
}

func bridgeNamed(name string, workers int, pid uint64) fleet.BridgeStatus {
	b := healthyBridge(workers).Status
	b.Ref = fleet.BridgeRef(name)
	for i := range b.Workers {
		w := &b.Workers[i]
		w.Ref, w.PID = fleet.WorkerRef(name, w.ID), pid
	}
	return b
}

// remembering answers as if these decisions had been made before.
func remembering(ds ...fleet.Decision) decide.Memory {
	return func(ref fleet.Ref) (fleet.Decision, bool) {
		for _, d := range ds {
			if d.Target == ref {
				return d, true
			}
		}
		return fleet.Decision{}, false
	}
}

func state(changes ...chainChange) func(*decide.NetworkInput) {
	return func(in *decide.NetworkInput) { inView(in, 0, len(in.View.Workers), changes...) }
}

// inView changes what the chain says of our workers from number from to number to-1, and counts them anew.
func inView(in *decide.NetworkInput, from, to int, changes ...chainChange) {
	for i := from; i < to; i++ {
		chained(in.View, i, changes...)
	}
	for i := range in.View.Pools {
		clear(in.View.Pools[i].Workers)
	}
	for i := range in.View.Workers {
		c := &in.View.Workers[i]
		if p := in.View.Pool(c.PID); p != nil && c.Pool {
			p.Workers[c.State]++
		}
	}
}

func part(from, to int, changes ...chainChange) func(*decide.NetworkInput) {
	return func(in *decide.NetworkInput) { inView(in, from, to, changes...) }
}

func view(change func(*fleet.ChainView)) func(*decide.NetworkInput) {
	return func(in *decide.NetworkInput) { change(in.View) }
}

func pool(change func(*fleet.ChainPool)) func(*decide.NetworkInput) {
	return func(in *decide.NetworkInput) { change(&in.View.Pools[0]) }
}

// before is what was decided about a target so long ago.
func before(target fleet.Ref, condition string, d time.Duration) func(*decide.NetworkInput) {
	return func(in *decide.NetworkInput) {
		in.Last = remembering(fleet.Decision{Target: target, Condition: condition, Since: ago(d), At: ago(m)})
	}
}

func sessions(idle, unresponsive int) func(*decide.NetworkInput) {
	return view(func(v *fleet.ChainView) {
		v.Totals.Sessions = map[string]int{"Idle": idle, "Unresponsive": unresponsive}
	})
}

func TestNetwork(t *testing.T) {
	type change = func(*decide.NetworkInput)
	const clear = "healthy Clear network.clear "
	tests := []struct {
		name  string
		given []change
		want  string // verdict, condition, rule and severity
	}{
		{"all well", nil, clear},
		{"never read", []change{func(in *decide.NetworkInput) { in.View = nil }}, "wait Unknown network.unseen "},
		{"never answered", []change{view(func(v *fleet.ChainView) { v.Probe = fleet.Probe{Failed: ago(20 * h), Missed: 100} })}, "wait Unknown network.unseen "},
		{"not read lately", []change{view(func(v *fleet.ChainView) { v.At, v.Time, v.Failed = ago(h), ago(h), ago(h) })}, "wait Unknown network.unread "},
		{"not read for six hours", []change{view(func(v *fleet.ChainView) { v.At, v.Time, v.Moved, v.Failed = ago(6*h), ago(6*h), ago(6*h), ago(6*h) })}, "person Unknown network.unread warning"},
		{"phalops slept for a day", []change{view(func(v *fleet.ChainView) { v.At, v.Time = ago(24*h), ago(24*h) })}, "wait Unknown network.unread "},
		{"stood long ago, when it was read last", []change{view(func(v *fleet.ChainView) { v.At, v.Time, v.Moved = ago(2*h), ago(9*h), ago(9*h) })}, "wait Unknown network.unread "},
		{"no new block for ten minutes", []change{view(func(v *fleet.ChainView) { v.Time, v.Moved = read.Add(-10*m), read.Add(-10*m) })}, clear},
		{"no new block for 25 minutes", []change{view(func(v *fleet.ChainView) { v.Time, v.Moved = read.Add(-25*m), read.Add(-25*m) })}, "wait Stands network.stands info"},
		{"no new block for half an hour", []change{view(func(v *fleet.ChainView) { v.Time, v.Moved = read.Add(-30*m), read.Add(-30*m) })}, "person Stands network.stands warning"},
		{"its node is days behind, and syncs", []change{view(func(v *fleet.ChainView) { v.Time = ago(72 * h) })}, "wait Unknown network.other_time "},
		{"of another time, and since when is not told", []change{view(func(v *fleet.ChainView) { v.Time, v.Moved = ago(72*h), time.Time{} })}, "wait Unknown network.other_time "},
		{"whether anybody was paid is not told", []change{view(func(v *fleet.ChainView) { v.Totals.RewardMoved = time.Time{} })}, clear},
		{"nobody was paid for three hours", []change{view(func(v *fleet.ChainView) { v.Totals.RewardMoved = read.Add(-3 * h) })}, "person Unpaid network.unpaid warning"},
		{"nobody was paid for nearly three hours", []change{view(func(v *fleet.ChainView) { v.Totals.RewardMoved = read.Add(-3*h + time.Second) })}, clear},
		{"nobody was paid in a small network", []change{sessions(19, 0), view(func(v *fleet.ChainView) { v.Totals.RewardMoved = read.Add(-11 * h) })}, clear},
		{"… for twelve hours", []change{sessions(19, 0), view(func(v *fleet.ChainView) { v.Totals.RewardMoved = read.Add(-12 * h) })}, "person Unpaid network.unpaid warning"},
		{"nobody computes", []change{sessions(0, 0), view(func(v *fleet.ChainView) { v.Totals.RewardMoved = read.Add(-99 * h) })}, clear},
		{"none of ours was paid, and others are not read", []change{view(func(v *fleet.ChainView) { v.Whole, v.Totals.RewardMoved = false, read.Add(-12*h) })}, "person Unpaid network.unpaid.ours warning"},
		{"a third of all are marked", []change{sessions(2000, 1000)}, "wait Unheard network.unheard info"},
		{"a third of all have been marked for a while", []change{sessions(2000, 1000), before(khala, "Unheard", 15*m)}, "person Unheard network.unheard info"},
		{"a third of all and some of ours", []change{sessions(2000, 1005), before(khala, "Unheard", 15*m), part(0, 5, is("Unresponsive", 20*m))}, "person Unheard network.unheard warning"},
		{"less than a third", []change{sessions(2000, 985), before(khala, "Unheard", 15*m)}, clear},
		{"a third of all, and many more of ours", []change{sessions(2000, 1020), part(0, 20, is("Unresponsive", 20*m))}, "person Suspect network.chain.unheard critical"},
		{"a third of those that were read", []change{sessions(2000, 1000), view(func(v *fleet.ChainView) { v.Whole = false })}, clear},
		{"a third of few", []change{sessions(40, 20)}, clear},
		{"an upgrade is authorized", []change{view(func(v *fleet.ChainView) { v.Upgrade = &fleet.RuntimeUpgrade{At: "authorized", Hash: "0xabcd"} })}, "person Upgrade network.upgrade.authorized info"},
		{"an upgrade is pending", []change{view(func(v *fleet.ChainView) { v.Upgrade = &fleet.RuntimeUpgrade{At: "pending", From: 19_000_000} })}, "person Upgrade network.upgrade.pending warning"},
		{"an upgrade, and nobody is paid", []change{view(func(v *fleet.ChainView) {
			v.Upgrade, v.Totals.RewardMoved = &fleet.RuntimeUpgrade{At: "pending"}, read.Add(-3*h)
		})}, "person Unpaid network.unpaid warning"},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := networkOf(2, 10)
			for _, f := range tt.given {
				f(&in)
			}
			_, ds := decide.Network(in)
			for _, d := range ds {
				sound(t, d)
				said(t, texts, d)
			}
			d := ds[0]
			if got := string(d.Verdict) + " " + d.Condition + " " + d.Rule + " " + string(d.Severity); d.Target != khala || got != tt.want {
				t.Errorf("got %s, want %s\n%+v", got, tt.want, d)
			}
		})
	}
}

func operators(as ...fleet.GasAccount) func(*decide.NetworkInput) {
	return pool(func(p *fleet.ChainPool) { p.Operators = as })
}

// queued has withdrawals of so many PHA wait for one pool; the first that is not covered is due at a time.
func queued(due time.Time, amounts ...uint64) func(*decide.NetworkInput) {
	return pool(func(p *fleet.ChainPool) {
		p.DueAt, p.Due, p.Queue = due, due.Before(read), nil
		total := uint64(0)
		for _, a := range amounts {
			p.Queue = append(p.Queue, fleet.ChainQueued{Amount: fleet.PHA(a)})
			total += a
		}
		p.Queued = fleet.PHA(total)
	})
}

func TestStakePool(t *testing.T) {
	type change = func(*decide.NetworkInput)
	const clear = "healthy Clear stakepool.clear "
	gas := func(free string, spent uint64, over time.Duration) change {
		return pool(func(p *fleet.ChainPool) {
			p.OwnerGas, p.OwnerSpent, p.OwnerSpentFor = amount(free), fleet.PHA(spent), over
		})
	}
	blockTime := read.Add(-20 * time.Second)
	tests := []struct {
		name  string
		given []change
		want  string
		says  string // arguments of the reason
	}{
		{"all well", nil, clear, ""},
		{"of a view that is old", []change{gas("0", 0, 0), view(func(v *fleet.ChainView) { v.At, v.Time = ago(h), ago(h) })}, "wait Unknown stakepool.unknown ", ""},
		{"less gas than 2 PHA", []change{gas("1.9", 0, 0)}, "person LowGas stakepool.gas warning", "gas=1.9 least=2 pids=83"},
		{"just enough gas", []change{gas("2", 0, 0)}, clear, ""},
		{"less gas than the operator wants", []change{gas("9.999", 0, 0), func(in *decide.NetworkInput) { in.MinGas = map[uint64]fleet.Amount{83: fleet.PHA(10)} }},
			"person LowGas stakepool.gas warning", "gas=10 least=10"},
		{"as little gas as the operator wants", []change{gas("0.5", 0, 0), func(in *decide.NetworkInput) { in.MinGas = map[uint64]fleet.Amount{83: amount("0.2")} }}, clear, ""},
		{"dust", []change{gas("0.09", 0, 0)}, "person LowGas stakepool.gas.empty critical", "stakepool.gas_dust"},
		{"dust, and it spends nothing", []change{gas("0.09", 0, 12*h)}, "person LowGas stakepool.gas.empty critical", "stakepool.gas_dust"},
		{"not a day's fees, though more than wanted", []change{gas("2.5", 3, 12*h)}, "person LowGas stakepool.gas.empty critical", "day=3"},
		{"a day's fees as an hour has it", []change{gas("2.5", 3, h)}, clear, ""},
		{"its owner signs nothing", []change{gas("0", 0, 0), operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(5)})}, clear, ""},
		{"its operator runs dry", []change{operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(1)})}, "person LowGas stakepool.gas warning", "account=45op"},
		{"one of its operators runs dry", []change{operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(5)}, fleet.GasAccount{Address: "45two"})},
			"person LowGas stakepool.gas.empty critical", "account=45two"},
		{"two of its operators run dry", []change{operators(fleet.GasAccount{Address: "45op", Free: amount("1.5")}, fleet.GasAccount{Address: "45two", Free: amount("0.5")})},
			"person LowGas stakepool.gas warning", "account=45two"},
		{"a vault that is due, without gas", []change{gas("0", 0, 0), queued(blockTime.Add(h), 50), pool(func(p *fleet.ChainPool) { p.Kind, p.Workers = "Vault", nil })}, clear, ""},
		{"no gas and no workers", []change{gas("0", 0, 0), pool(func(p *fleet.ChainPool) { p.Workers = nil })}, clear, ""},
		{"no gas and workers to start", []change{gas("0", 0, 0), pool(func(p *fleet.ChainPool) { p.Workers = map[string]int{"Ready": 1} })}, "person LowGas stakepool.gas.empty critical", ""},
		{"its operator is no proxy", []change{operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(5), Proxy: new(false)})}, "wait NoProxy stakepool.no_proxy info", ""},
		{"its operator has been no proxy for a while", []change{operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(5), Proxy: new(false)}), before(pool83, "NoProxy", 10*m)},
			"person NoProxy stakepool.no_proxy critical", "operator=45op owner=45owner"},
		{"its operator is a proxy", []change{operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(5), Proxy: new(true)}), before(pool83, "NoProxy", 10*m)}, clear, ""},
		{"nobody says whether it is", []change{operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(5)}), before(pool83, "NoProxy", 10*m)}, clear, ""},
		{"no proxy for a pool that computes nothing", []change{operators(fleet.GasAccount{Address: "45op", Free: fleet.PHA(5), Proxy: new(false)}), pool(func(p *fleet.ChainPool) { p.Workers = nil })}, clear, ""},
		{"a queue that is covered", []change{queued(time.Time{}, 5)}, clear, ""},
		{"due in four days", []change{queued(blockTime.Add(96*h), 5, 50)}, clear, ""},
		{"due in three days", []change{queued(blockTime.Add(72*h), 5, 50)}, "person ForceStop stakepool.due warning", "left=72h0m0s missing=45 n=10 pid=83 queued=55"},
		{"due tomorrow", []change{queued(blockTime.Add(24*h), 5, 50, 100)}, "person ForceStop stakepool.due critical", "missing=45 n=10 pid=83 queued=155"},
		{"due tomorrow, and some stake is releasing", []change{queued(blockTime.Add(24*h), 5, 50), pool(func(p *fleet.ChainPool) { p.Releasing = fleet.PHA(40) })},
			"person ForceStop stakepool.due critical", "missing=5 n=10"},
		{"overdue", []change{queued(blockTime.Add(-h), 50)}, "person ForceStop stakepool.overdue critical", "missing=40"},
		{"due, beyond what is listed", []change{queued(blockTime.Add(24*h), 5), pool(func(p *fleet.ChainPool) { p.Queued = fleet.PHA(500) })}, "person ForceStop stakepool.due critical", "missing=490"},
		{"due, and nothing computes", []change{queued(blockTime.Add(24*h), 50), pool(func(p *fleet.ChainPool) { p.Workers = map[string]int{"CoolingDown": 4} })}, clear, ""},
		{"due tomorrow and low gas", []change{queued(blockTime.Add(24*h), 50), gas("1", 0, 0)}, "person ForceStop stakepool.due critical", ""},
		{"due in three days and no gas", []change{queued(blockTime.Add(72*h), 50), gas("0", 0, 0)}, "person LowGas stakepool.gas.empty critical", ""},
		{"full", []change{pool(func(p *fleet.ChainPool) { p.Cap = new(fleet.PHA(1)) })}, clear, ""},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := networkOf(1, 10)
			for _, f := range tt.given {
				f(&in)
			}
			_, ds := decide.Network(in)
			if len(ds) != 2 {
				t.Fatalf("%+v", ds)
			}
			d := ds[1]
			sound(t, d)
			said(t, texts, d)
			if got := string(d.Verdict) + " " + d.Condition + " " + d.Rule + " " + string(d.Severity); d.Target != pool83 || got != tt.want {
				t.Errorf("got %s, want %s\n%+v", got, tt.want, d)
			}
			if !strings.Contains(d.Reason.String(), tt.says) {
				t.Errorf("says %s, want %s", d.Reason, tt.says)
			}
			if ds[0].Verdict == fleet.Person {
				t.Errorf("the network: %+v", ds[0])
			}
		})
	}
}

func amount(pha string) fleet.Amount {
	a, err := fleet.ParsePHA(pha)
	if err != nil {
		panic(err)
	}
	return a
}

// What else is wrong with a pool stands beside what is worst.
func TestStakePoolHasOneVoice(t *testing.T) {
	in := networkOf(1, 10)
	queued(read.Add(h), 50)(&in)
	in.View.Pools[0].OwnerGas = fleet.PHA(1)
	_, ds := decide.Network(in)
	if d := ds[1]; d.Rule != "stakepool.due" || len(d.Witnesses) != 1 || d.Witnesses[0].Code != "stakepool.gas" {
		t.Errorf("%+v", d)
	}
}

// An account that pays for many pools is told of once, by the first of them.
func TestOneAccountForManyPools(t *testing.T) {
	in := networkOf(12, 5)
	for i := range in.View.Pools {
		in.View.Pools[i].OwnerGas = fleet.PHA(1)
	}
	_, ds := decide.Network(in)
	for i, d := range ds[1:] {
		sound(t, d)
		switch {
		case i == 0 && (d.Verdict != fleet.Person || d.Reason.Args["pids"] != "83, 84, 85, 86, 87 …"):
			t.Errorf("the first: %+v", d)
		case i > 0 && (d.Verdict != fleet.Wait || d.Suspect != pool83 || d.Severity != fleet.Info):
			t.Errorf("number %d: %+v", i, d)
		}
	}
}
