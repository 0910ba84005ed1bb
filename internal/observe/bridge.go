package observe

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// forgetProvider is how long a data provider that the monitor lists no more is kept as a silent one.
const forgetProvider = 24 * time.Hour

// Bridge merges a reading into the status of last time; for the first, prev carries Ref, Site and Version only. Parts that
// did not answer keep their last words, and their Probes tell how old those are. Workers are in the order of their names.
// Conditions stay: they are decide's. prev is not changed; r is used up.
func Bridge(prev fleet.BridgeStatus, r prb.Reading, now time.Time) fleet.BridgeStatus {
	b := prev
	if r.MonitorErr != nil {
		r.InventoryErr, r.StatesErr = r.MonitorErr, r.MonitorErr
	}
	b.Monitor = probe(prev.Monitor, now, r.MonitorErr)
	b.Lifecycle = probe(prev.Lifecycle, now, r.InventoryErr, r.StatesErr)
	if r.LifecyclePeer != "" {
		b.LifecyclePeer = r.LifecyclePeer
	}
	b.DataProviders = dataProviders(prev, r, now)
	if r.InventoryErr == nil {
		b.Pools = pools(prev.Ref, r.Pools)
	}
	b.Workers = workers(prev, r, now)
	return b
}

// probe is the history after a round in which these parts answered (all nil) or one of them did not.
func probe(p fleet.Probe, now time.Time, parts ...error) fleet.Probe {
	for _, err := range parts {
		if err != nil {
			return p.Silent(now, fleet.ReasonOf(err))
		}
	}
	return p.Answered(now)
}

func pools(bridge fleet.Ref, bare []fleet.Pool) []fleet.Pool {
	pools := slices.Clone(bare)
	for i := range pools {
		pools[i].BridgeRef = bridge
	}
	slices.SortStableFunc(pools, func(a, b fleet.Pool) int { return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.ID, b.ID)) })
	return pools
}

func dataProviders(prev fleet.BridgeStatus, r prb.Reading, now time.Time) []fleet.DataProviderStatus {
	old := make(map[string]fleet.DataProviderStatus, len(prev.DataProviders))
	for _, dp := range prev.DataProviders {
		old[dp.PeerID] = dp
	}
	var all []fleet.DataProviderStatus
	for _, told := range r.DataProviders {
		all = append(all, dataProvider(old[told.Status.PeerID], told, now))
		delete(old, told.Status.PeerID)
	}
	for _, dp := range old {
		cause := fleet.Because("observe.provider_unlisted", "peer", dp.PeerID)
		if r.MonitorErr != nil {
			cause = fleet.ReasonOf(r.MonitorErr)
		}
		dp.Probe = dp.Silent(now, cause)
		if r.MonitorErr != nil || now.Sub(dp.Failed) < forgetProvider {
			all = append(all, dp)
		}
	}
	slices.SortFunc(all, func(a, b fleet.DataProviderStatus) int {
		return cmp.Or(cmp.Compare(a.Hostname, b.Hostname), cmp.Compare(a.PeerID, b.PeerID))
	})
	return all
}

func dataProvider(old fleet.DataProviderStatus, told prb.DataProvider, now time.Time) fleet.DataProviderStatus {
	dp := told.Status
	if told.Err != nil {
		old.PeerID, old.Hostname, old.Addr = dp.PeerID, dp.Hostname, dp.Addr
		old.Probe = old.Silent(now, fleet.ReasonOf(told.Err))
		return old
	}
	dp.Probe = old.Answered(now)
	for _, h := range []struct{ to, from *fleet.Height }{
		{&dp.ParentTarget, &old.ParentTarget}, {&dp.ParentFetched, &old.ParentFetched}, {&dp.Parent, &old.Parent},
		{&dp.ParaTarget, &old.ParaTarget}, {&dp.ParaFetched, &old.ParaFetched}, {&dp.Para, &old.Para},
	} {
		*h.to = grow(*h.from, *h.to, now)
	}
	return dp
}

// workers joins what is new with what was known. The inventory says which workers there are; while it is silent, those of
// last time are kept, with new states where the states answered. The reading's own list becomes the new one.
func workers(prev fleet.BridgeStatus, r prb.Reading, now time.Time) []fleet.WorkerStatus {
	told, old := &roll{list: r.Workers}, &roll{list: prev.Workers}
	all := r.Workers
	if r.InventoryErr != nil {
		all = slices.Clone(prev.Workers)
	}
	bridge := prev.Ref.Name()
	for i := range all {
		w := &all[i]
		was, is := old.find(i, w.ID), *w
		if r.InventoryErr != nil {
			is = *told.find(i, w.ID)
		}
		*w = *was
		if r.InventoryErr == nil {
			record(w, &is)
		}
		if w.Ref == "" {
			w.Ref = fleet.WorkerRef(bridge, w.ID)
		}
		if r.StatesErr == nil {
			state(w, was, &is, now)
		}
		w.Pruntime = pruntime(w.Pruntime, is.Pruntime, now)
		if is.Pruntime != nil && was.Para.Known { // the beat before ended before it was asked
			w.Pruntime.Shown = was.Para.Value
		}
		identity(was, w, &is, now)
		w.Probe = probe(w.Probe, now, r.StatesErr)
	}
	byName := func(a, b fleet.WorkerStatus) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }
	if !slices.IsSortedFunc(all, byName) {
		slices.SortFunc(all, byName)
	}
	return all
}

// roll finds workers by their ids. In most beats each stands where it is looked for first.
type roll struct {
	list []fleet.WorkerStatus
	at   map[string]int
}

// find is the worker with this id, maybe at this place; an empty one where there is none.
func (r *roll) find(hint int, id string) *fleet.WorkerStatus {
	if hint < len(r.list) && r.list[hint].ID == id {
		return &r.list[hint]
	}
	if r.at == nil {
		r.at = make(map[string]int, len(r.list))
		for i := range r.list {
			r.at[r.list[i].ID] = i
		}
	}
	if at, ok := r.at[id]; ok {
		return &r.list[at]
	}
	return &fleet.WorkerStatus{}
}

// record takes over the inventory's part.
func record(w, told *fleet.WorkerStatus) {
	if w.Endpoint != told.Endpoint {
		w.Pruntime = nil // that was another one
	}
	w.Gatekeeper = told.Gatekeeper
	w.ID, w.Name, w.PID, w.Endpoint = told.ID, told.Name, told.PID, told.Endpoint
	w.Stake, w.StakeOK, w.Enabled, w.SyncOnly = told.Stake, told.StakeOK, told.Enabled, told.SyncOnly
}

// state takes over the running context's part; of a worker without one, told is all zero. Histories begin when we first saw
// something: the bridge tells none.
func state(w, old, told *fleet.WorkerStatus, now time.Time) {
	w.Running, w.State, w.Message, w.MessageAt, w.Initialized = told.Running, told.State, told.Message, told.MessageAt, told.Initialized
	w.Session, w.V, w.Ve, w.PInit, w.PInstant, w.TotalReward = told.Session, told.V, told.Ve, told.PInit, told.PInstant, told.TotalReward
	if told.PublicKey != "" {
		w.PublicKey = told.PublicKey // a new context does not know it yet; only another key is news
	}
	if told.Registered != nil {
		w.Registered = told.Registered
	}
	if told.Version != "" { // nor its pRuntime's version
		w.Version, w.Revision = told.Version, told.Revision
	}
	if old.SessionSince.IsZero() || old.Session != w.Session {
		w.SessionSince = now
	}
	if old.StateSince.IsZero() || old.State != w.State || old.Running != w.Running {
		w.StateSince = now
	}
	switch {
	case w.Message == "" && w.MessageAt.IsZero():
		w.MessageSeen = time.Time{}
	case old.MessageSeen.IsZero() || uncounted(old.Message) != uncounted(w.Message) || !old.MessageAt.Equal(w.MessageAt):
		w.MessageSeen = now
	}
	switch {
	case !isNotice(w.Message), old.State != w.State:
		w.Hidden = ""
	case !isNotice(old.Message):
		w.Hidden = old.Message
	}
	w.Relay = grow(old.Relay, told.Relay, now)
	w.ParaHeader = grow(old.ParaHeader, told.ParaHeader, now)
	w.Para = grow(old.Para, told.Para, now)
}

// pruntime merges an answer of the pRuntime itself, or its silence, into what it said before. Without a question nothing
// changes.
func pruntime(old, told *fleet.PruntimeStatus, now time.Time) *fleet.PruntimeStatus {
	if told == nil {
		return old
	}
	var before fleet.PruntimeStatus
	if old != nil {
		before = *old
	}
	next := *told
	if !told.Cause.IsZero() {
		next, next.Probe = before, before.Silent(now, told.Cause)
		next.Endpoint = told.Endpoint
		return &next
	}
	next.Probe, next.Ours, next.Before = before.Answered(now), before.Ours, before.At
	next.Relay, next.ParaHeader, next.Para = grow(before.Relay, told.Relay, now), grow(before.ParaHeader, told.ParaHeader, now), grow(before.Para, told.Para, now)
	next.Pending, next.Consensus = grow(before.Pending, told.Pending, now), grow(before.Consensus, told.Consensus, now)
	return &next
}

// isNotice reports whether a message of v0 or v2 only tells what the chain thinks of the worker. It comes in any state and
// takes the place of what the bridge had to say, an error too.
func isNotice(message string) bool { return strings.HasPrefix(message, "Notice: worker unresponsive") }

// uncounted is a message without the number in it that grows with every beat: the same error goes on, it is no new one.
func uncounted(message string) string {
	for _, counted := range [...]string{"Continously received ", "Fail to generate_sync_request for "} {
		if rest, ok := strings.CutPrefix(message, counted); ok {
			return counted + strings.TrimLeft(rest, "0123456789")
		}
	}
	return message
}
