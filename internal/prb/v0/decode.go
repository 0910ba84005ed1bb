package v0

import (
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

// listing is what the lifecycle manager has stored.
type listing struct {
	pools   []fleet.Pool
	workers []fleet.WorkerStatus
	keys    map[string]secret.Value // the pools' keystores by uuid, to be sent back in updates; never for showing
}

func (l listing) ids() []string {
	ids := make([]string, len(l.workers))
	for i, w := range l.workers {
		ids[i] = w.ID
	}
	return ids
}

func unreadable(what string) error {
	return fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.bad_data", "what", what), nil)
}

// decodeListing reads the whole list, which answers writes, too. Empty lists are absent.
func decodeListing(content prb.Value, command string) (listing, error) {
	update := content.Get("lifecycleManagerStateUpdate")
	pools, okPools := update.Get("pools").List()
	workers, okWorkers := update.Get("workers").List()
	if !update.IsObject() || !okPools || !okWorkers {
		return listing{}, unreadable(command)
	}
	l := listing{pools: prb.DecodePools(pools), keys: map[string]secret.Value{}}
	l.workers = prb.DecodeWorkers(workers, l.pools)
	for _, p := range pools {
		if id, keystore := p.Get("uuid").Text(), p.Get("owner").Get("polkadotJson").Text(); id != "" && keystore != "" {
			l.keys[id] = secret.NewValue(keystore)
		}
	}
	return l, nil
}

// decodeStates reads the answer for these ids: one item for each, in their order. An item without a worker is that of a
// worker without a context; one with another worker than was asked for makes all of them doubtful.
func decodeStates(parsers *prb.Parsers, content prb.Value, uuids []string) ([]fleet.WorkerStatus, error) {
	update := content.Get("workerStateUpdate")
	items, ok := update.Get("workerStates").List()
	if !ok || !update.IsObject() {
		return nil, unreadable("workerStates")
	}
	if n := len(items); n != len(uuids) {
		return nil, fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.states_mixed", "asked", len(uuids), "got", n), nil)
	}
	var states []fleet.WorkerStatus
	for i, item := range items {
		if !item.IsObject() {
			return nil, unreadable("workerStates")
		}
		if item.Get("worker").Absent() && item.Get("status").Absent() {
			continue
		}
		s, ok := prb.DecodeState(parsers, item)
		if !ok {
			return nil, unreadable("workerStates")
		}
		if s.ID != uuids[i] {
			return nil, fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.states_mixed", "asked", len(uuids), "got", len(uuids)), nil)
		}
		states = append(states, s)
	}
	return states, nil
}

// decodeFetcher reads the fetcher's heights, -1 where there is none yet. "Known" is the highest block that it has fetched;
// what the chains have is not told.
func decodeFetcher(content prb.Value, s *fleet.DataProviderStatus) error {
	u := content.Get("fetcherStateUpdate")
	if !u.IsObject() {
		return unreadable("fetcherStateUpdate")
	}
	if name := u.Get("hostname").Text(); name != "" {
		s.Hostname = prb.Redact(name)
	}
	// Once true it stays true until the fetcher's next start, so it says that the first sync is over, and no more.
	switch synched := u.Get("synched").Bool(); {
	case synched == nil:
		s.Status = "S_UNKNOWN"
	case *synched:
		s.Status = "S_IDLE"
	default:
		s.Status = "S_SYHCHING"
	}
	s.ParentFetched, s.Parent = u.Get("parentKnownHeight").Height(), u.Get("parentBlobHeight").Height()
	s.ParaFetched, s.Para = u.Get("paraKnownHeight").Height(), u.Get("paraBlobHeight").Height()
	return nil
}
