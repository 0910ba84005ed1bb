package batch

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/roster"
)

const opAdd = "record.add"

// Entry is a worker that a bridge shall have.
type Entry struct {
	Line     int               `json:"line,omitempty"` // of the list that it comes from
	Name     string            `json:"name"`
	Endpoint string            `json:"endpoint"`
	PID      uint64            `json:"pool"`
	Stake    fleet.Amount      `json:"stake"`
	Enabled  bool              `json:"enabled"`
	SyncOnly bool              `json:"sync_only,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"` // for the reader only: no bridge can keep them
}

func (e Entry) record() record {
	return record{PID: e.PID, Name: e.Name, Endpoint: e.Endpoint, Stake: e.Stake, Enabled: e.Enabled, SyncOnly: e.SyncOnly}
}

// buildAdd has one line of steps for each entry: it is stored, and once the bridge has noticed all of them it is followed
// until it works. One that is stored already as it shall be is only followed: the same list twice adds nothing twice.
func (b *Batches) buildAdd(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	p, bridge, err := b.begin(req, fleet.KindInventory)
	if err != nil {
		return p, err
	}
	var entries []Entry
	if err := items(req, &entries); err != nil {
		return p, err
	}
	stock, err := b.stock(ctx, bridge.Name, now, writeAge)
	if err != nil {
		return p, err
	}
	around := b.neighbours(ctx, bridge.Name, now)
	leaving, err := b.leaving(ctx, now)
	if err != nil {
		return p, err
	}
	a := adding{bridge: bridge, stock: stock, around: around, leaving: leaving, keys: b.keys(ctx, entries), free: room(bridge, stock)}
	var names []string
	for _, e := range entries {
		known, why := a.judge(e)
		args := map[string]string{"bridge": bridge.Name, "version": bridge.Version}
		e.record().put(args, "")
		if e.Line > 0 {
			args["line"] = strconv.Itoa(e.Line)
		}
		for k, v := range e.Labels {
			args["label."+k] = v
		}
		target := fleet.EntryRef(bridge.Name, e.Name)
		add := fleet.Step{
			Name: "add " + bridge.Name + "/" + e.Name, Op: opAdd, Target: target, Args: args, Phase: phaseWrite,
			Label: fleet.Because("batch.step_add", "worker", e.Name, "bridge", bridge.Name, "pool", e.PID),
		}
		if known {
			add.Label = fleet.Because("batch.step_known", "worker", e.Name, "bridge", bridge.Name)
		}
		if !why.IsZero() {
			p.Steps = append(p.Steps, leftOut(add, why))
			continue
		}
		p.Steps = append(p.Steps, add)
		if e.Enabled && req.Args[ArgRestart] != RestartNever {
			names = append(names, e.Name)
			p.Steps = append(p.Steps, followStep(bridge, target, e.Name, e.SyncOnly || stock.syncs(e.PID)))
		}
	}
	if len(names) > 0 {
		p.Steps = append(p.Steps, noticeStep(bridge, needContexts, names, req.Args[ArgRestart]))
	}
	if len(around.unchecked) > 0 {
		p.Args[ArgUnchecked] = joined(around.unchecked)
	}
	return p, anything(p)
}

// adding is what an entry is judged by; what was judged before counts.
type adding struct {
	bridge  config.Bridge
	stock   stock
	around  neighbours
	leaving map[string]string // see Batches.leaving
	keys    map[string]string // public keys by endpoint, as the pRuntimes say
	free    int               // how many more the bridge takes
}

// judge says why an entry must not be added, and whether it is there already.
func (a *adding) judge(e Entry) (known bool, why fleet.Reason) {
	r := e.record()
	if err := prb.CheckWorkers([]prb.WorkerSpec{r.spec()}); err != nil {
		return false, fleet.ReasonOf(err)
	}
	if e.SyncOnly && a.bridge.Version == genV0 {
		return false, fleet.Because("prb.no_sync_only", "name", e.Name)
	}
	if plan := a.leaving[roster.Key(e.Endpoint)]; plan != "" {
		return false, fleet.Because("batch.is_leaving", "worker", e.Name, "plan", plan)
	}
	if slices.ContainsFunc(a.stock.workers, r.stored) {
		return true, fleet.Reason{}
	}
	if at := a.around.endpoints[roster.Key(e.Endpoint)]; len(at) > 0 {
		h := at[0]
		return false, fleet.Because("batch.endpoint_taken", "endpoint", e.Endpoint, "other", h.worker.Name, "bridge", h.bridge)
	}
	if h, taken := a.around.names[e.Name]; taken {
		return false, fleet.Because("batch.name_taken", "worker", e.Name, "bridge", h.bridge, "endpoint", h.worker.Endpoint)
	}
	key := a.keys[e.Endpoint]
	if h, taken := a.around.keys[key]; taken && key != "" {
		return false, fleet.Because("batch.key_taken", "worker", e.Name, "endpoint", e.Endpoint, "other", h.worker.Name, "bridge", h.bridge)
	}
	switch {
	case a.stock.pool(e.PID) == nil:
		return false, fleet.Because("batch.no_pool", "pool", e.PID, "bridge", a.bridge.Name)
	case a.free <= 0:
		return false, fleet.Because("batch.full", "bridge", a.bridge.Name, "max", a.bridge.MaxWorkers)
	}
	a.free--
	h := holder{a.bridge.Name, fleet.WorkerStatus{Name: e.Name, Endpoint: e.Endpoint}}
	a.around.endpoints[roster.Key(e.Endpoint)], a.around.names[e.Name] = []holder{h}, h
	if key != "" {
		a.around.keys[key] = h
	}
	return false, fleet.Reason{}
}

// room is how many more workers a bridge takes. What a v0 bridge has disabled may be the rest of a deleted worker.
func room(bridge config.Bridge, s stock) int {
	n := bridge.MaxWorkers
	for _, w := range s.workers {
		if bridge.Version != genV0 || w.Enabled {
			n--
		}
	}
	return n
}

const (
	keysAtOnce = 32
	keyTimeout = 3 * time.Second
)

// keys asks the pRuntimes who they are; one that does not answer, or knows no key yet, is missing.
func (b *Batches) keys(ctx context.Context, entries []Entry) map[string]string {
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := map[string]string{}
	slots := make(chan struct{}, keysAtOnce)
	for _, e := range entries {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			client, err := b.Reach.Pruntime(e.Endpoint)
			if err != nil {
				return
			}
			ctx, cancel := context.WithTimeout(ctx, keyTimeout)
			defer cancel()
			if info, err := client.GetInfo(ctx); err == nil && info.PublicKey != "" {
				mu.Lock()
				defer mu.Unlock()
				found[e.Endpoint] = info.PublicKey
			}
		})
	}
	wg.Wait()
	return found
}

// add is visible in the inventory: a record that is there as asked for was written, by this try or an earlier one whose
// answer got lost.
func (b *Batches) add() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 3 * time.Minute, Attempts: 4,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			want, err := recordIn(s.Step.Args, "")
			if err != nil {
				return false, act.Final(err)
			}
			have, err := b.stock(ctx, s.Step.Args["bridge"], s.Now, writeAge)
			return err == nil && slices.ContainsFunc(have.workers, want.stored), err
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			bridge := s.Step.Args["bridge"]
			want, err := recordIn(s.Step.Args, "")
			if err != nil {
				return act.Final(err)
			}
			inventory, err := b.inventory(bridge)
			if err != nil {
				return act.NotSent(err)
			}
			made, err := inventory.CreateWorkers(ctx, []prb.WorkerSpec{want.spec()})
			if err == nil && len(made) == 1 {
				b.wrote(bridge, made[0].ID, want)
				return nil
			}
			b.forget(bridge)
			if errors.Is(err, prb.ErrDuplicate) {
				return act.Final(fleet.FailWith(fleet.Invalid, fleet.Because("batch.taken_meanwhile", "worker", want.Name, "bridge", bridge, "endpoint", want.Endpoint), err))
			}
			return lasting(err)
		},
	}
}

// lasting marks what no further try can mend.
func lasting(err error) error {
	if prb.IsAmbiguous(err) {
		return err
	}
	switch fleet.KindOf(err) {
	case fleet.Invalid, fleet.NotFound, fleet.Refused:
		return act.Final(err)
	}
	return err
}

// items reads what a request is about.
func items(req act.Request, into any) error {
	if err := json.Unmarshal([]byte(req.Args[ArgItems]), into); err != nil {
		return fleet.FailWith(fleet.Invalid, fleet.Because("batch.bad_items", "kind", req.Kind), err)
	}
	return nil
}

// leaving are the workers that a plan has reserved for their removal, by their references and by their endpoints, with the plan.
func (b *Batches) leaving(ctx context.Context, now time.Time) (map[string]string, error) {
	locks, err := b.Journal.Locks(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, l := range locks {
		if l.Ref.Kind() != fleet.KindLeaving {
			continue
		}
		bridge := bridgeOf(l.Ref)
		out[string(fleet.WorkerRef(bridge, l.Ref.Name()))] = l.Plan
		if stock, err := b.stock(ctx, bridge, now, listAge); err == nil { // a silent bridge's endpoints are unchecked anyway
			if w := stock.worker(l.Ref.Name()); w != nil {
				out[roster.Key(w.Endpoint)] = l.Plan
			}
		}
	}
	return out, nil
}

// addAgain asks for the entries that an ended plan did not see through.
func addAgain(old fleet.Plan, req act.Request) act.Request {
	var entries []Entry
	for _, s := range left(old, req, opAdd) {
		r, err := recordIn(s.Args, "")
		if err != nil {
			continue // it was written by put
		}
		e := Entry{Name: r.Name, Endpoint: r.Endpoint, PID: r.PID, Stake: r.Stake, Enabled: r.Enabled, SyncOnly: r.SyncOnly}
		e.Line, _ = strconv.Atoi(s.Args["line"])
		for k, v := range s.Args {
			if label, ok := strings.CutPrefix(k, "label."); ok {
				if e.Labels == nil {
					e.Labels = map[string]string{}
				}
				e.Labels[label] = v
			}
		}
		entries = append(entries, e)
	}
	req.Targets, req.Args[ArgItems] = old.Targets, string(marshal(entries))
	return req
}
