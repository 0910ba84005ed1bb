package observe

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

func hasSuffix(s, suffix string) bool { return strings.HasSuffix(s, suffix) }

func cmpText(a, b string) int { return cmp.Compare(a, b) }

// told writes facts as "target field=value +seconds since start".
func told(facts []fleet.Fact) []string {
	var out []string
	for _, f := range facts {
		out = append(out, fmt.Sprintf("%s %s=%s +%d", f.Target, f.Field, f.Value, int(f.At.Sub(start).Seconds())))
	}
	return out
}

func TestNodeChanges(t *testing.T) {
	hands := clock.NewVirtual(start)
	var status fleet.NodeStatus
	step := func(after time.Duration, r ChainReading, err error, box box) []string {
		hands.Advance(after)
		src := NodeSource{Ref: "node/n", Para: said{url: "u", ChainReading: r, err: err}, Container: "c", Containers: box}
		before := status
		status = Node(t.Context(), hands, src, before)
		return told(Changes(before, status))
	}
	peers := func(best int64, n int) ChainReading { return ChainReading{Best: at(best), Peers: &n} }
	up := box{status: fleet.ContainerStatus{ID: "c1", State: "running"}}
	steps := []struct {
		name  string
		after time.Duration
		r     ChainReading
		err   error
		box   box
		want  []string
	}{
		{"first", 0, ChainReading{Best: at(10), Target: at(20), Peers: new(40), Syncing: new(true), Chain: "Khala"}, nil, up, []string{
			"node/n para.reachable=true +0", "node/n para.moving=true +0", "node/n para.behind=true +0", "node/n para.peers=40 +0",
			"node/n para.syncing=true +0", "node/n para.chain=Khala +0", "node/n container.reachable=true +0",
			"node/n container.state=running +0", "node/n container.id=c1 +0", "node/n container.restarts=0 +0", "node/n container.exit_code=0 +0"}},
		{"near the target, silent about the rest", 15 * time.Second, peers(16, 35), nil, up, []string{"node/n para.behind= +15", "node/n para.syncing= +15"}},
		{"grows, fewer peers", 15 * time.Second, peers(17, 20), nil, up, []string{"node/n para.peers=20 +30"}},
		{"one peer more", 15 * time.Second, peers(18, 21), nil, up, nil},
		{"none", 15 * time.Second, peers(19, 0), nil, up, []string{"node/n para.peers=0 +60"}},
		{"stands still", 119 * time.Second, peers(19, 0), nil, up, nil},
		{"for two minutes", time.Second, peers(19, 0), nil, up, []string{"node/n para.moving=false +60"}},
		{"silent", 15 * time.Second, ChainReading{}, errors.New("refused"), box{status: fleet.ContainerStatus{ID: "c1", State: "exited", ExitCode: 137}},
			[]string{"node/n para.reachable=false +195", "node/n container.state=exited +195", "node/n container.exit_code=137 +195"}},
		{"still", 15 * time.Second, ChainReading{}, errors.New("refused"), box{status: fleet.ContainerStatus{ID: "c1", State: "exited", ExitCode: 137}}, nil},
		{"back", 15 * time.Second, peers(20, 0), nil, up, []string{
			"node/n para.reachable=true +225", "node/n para.moving=true +225", "node/n container.state=running +225", "node/n container.exit_code=0 +225"}},
	}
	for _, s := range steps {
		if diff := gocmp.Diff(s.want, step(s.after, s.r, s.err, s.box)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

func TestBridgeChanges(t *testing.T) {
	first := Bridge(blank(), reading(working("1", 5)), start)
	if facts := told(Changes(blank(), first)); len(facts) < 15 || !strings.Contains(strings.Join(facts, "\n"), "worker/prb-b/1 stake=10000000000000 +0") {
		t.Errorf("a new bridge says: %v", facts)
	}
	change := func(f func(*fleet.WorkerStatus)) prb.Reading {
		w := working("1", 5)
		f(&w)
		return reading(w)
	}
	gone := reading()
	noProvider := reading(working("1", 5))
	noProvider.DataProviders[0] = prb.DataProvider{Status: noProvider.DataProviders[0].Status, Err: errors.New("down")}
	cases := []struct {
		name  string
		r     prb.Reading
		after int
		want  []string
	}{
		{"nothing", reading(working("1", 5)), 15, nil},
		{"only the height", reading(working("1", 6)), 15, nil},
		{"state and message", change(func(w *fleet.WorkerStatus) { w.State, w.Message = "S_ERROR", "null" }), 15,
			[]string{"worker/prb-b/1 state=S_ERROR +15", "worker/prb-b/1 message=null +15"}},
		{"a message again", change(func(w *fleet.WorkerStatus) { w.MessageAt = start.Add(6 * time.Second) }), 15, nil},
		{"much later", change(func(w *fleet.WorkerStatus) { w.MessageAt = start.Add(6 * time.Minute) }), 15,
			[]string{"worker/prb-b/1 message_at=2022-09-07T08:05:00Z +15"}},
		{"edited", change(func(w *fleet.WorkerStatus) {
			w.Name, w.Endpoint, w.StakeOK, w.Enabled = "new", "http://10.0.0.2:8000", false, false
		}), 15,
			[]string{"worker/prb-b/1 name=new +15", "worker/prb-b/1 endpoint=http://10.0.0.2:8000 +15", "worker/prb-b/1 stake=invalid +15", "worker/prb-b/1 enabled=false +15"}},
		{"at -1", change(func(w *fleet.WorkerStatus) { w.Para = at(-1) }), 15, []string{"worker/prb-b/1 para.begun=false +15"}},
		{"session", change(func(w *fleet.WorkerStatus) { w.Session, w.PublicKey = "WorkerUnresponsive", "cd" }), 15,
			[]string{"worker/prb-b/1 public_key=cd +15", "worker/prb-b/1 session=WorkerUnresponsive +15"}},
		{"stands still", reading(working("1", 5)), 120, []string{
			"bridge/prb-b dp.QmDP.para_moving=false +0", "worker/prb-b/1 para.moving=false +0"}},
		{"no context", change(func(w *fleet.WorkerStatus) {
			*w = fleet.WorkerStatus{ID: w.ID, Name: w.Name, PID: w.PID, Endpoint: w.Endpoint, Stake: w.Stake, StakeOK: true, Enabled: true}
		}), 15, []string{"worker/prb-b/1 running=false +15", "worker/prb-b/1 state= +15", "worker/prb-b/1 message= +15",
			"worker/prb-b/1 message_at= +15", "worker/prb-b/1 para.moving= +15", "worker/prb-b/1 para.begun= +15"}},
		{"gone", gone, 15, []string{"worker/prb-b/1 present=false +15"}},
		{"data provider silent", noProvider, 15, []string{"bridge/prb-b dp.QmDP.reachable=false +15"}},
		{"monitor silent", prb.Reading{MonitorErr: errors.New("down")}, 15, []string{
			"bridge/prb-b monitor.reachable=false +15", "bridge/prb-b lifecycle.reachable=false +15",
			"bridge/prb-b dp.QmDP.reachable=false +15", "worker/prb-b/1 reachable=false +15"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			next := Bridge(first, tc.r, start.Add(time.Duration(tc.after)*time.Second))
			if diff := gocmp.Diff(tc.want, told(Changes(first, next))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
