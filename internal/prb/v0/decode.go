package v0

import (
	"encoding/json"

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
func decodeListing(content json.RawMessage, command string) (listing, error) {
	var c struct {
		Update *struct {
			Pools   []json.RawMessage `json:"pools"`
			Workers []json.RawMessage `json:"workers"`
		} `json:"lifecycleManagerStateUpdate"`
	}
	if json.Unmarshal(content, &c) != nil || c.Update == nil {
		return listing{}, unreadable(command)
	}
	l := listing{pools: prb.DecodePools(c.Update.Pools), keys: map[string]secret.Value{}}
	l.workers = prb.DecodeWorkers(c.Update.Workers, l.pools)
	for _, raw := range c.Update.Pools {
		var p struct {
			UUID  prb.Text `json:"uuid"`
			Owner struct {
				Keystore prb.Text `json:"polkadotJson"`
			} `json:"owner"`
		}
		if json.Unmarshal(raw, &p) == nil && p.UUID != "" && p.Owner.Keystore != "" {
			l.keys[string(p.UUID)] = secret.NewValue(string(p.Owner.Keystore))
		}
	}
	return l, nil
}

// decodeStates reads the answer for these ids: one item for each, in their order. An item without a worker is that of a
// worker without a context; one with another worker than was asked for makes all of them doubtful.
func decodeStates(content json.RawMessage, uuids []string) ([]fleet.WorkerStatus, error) {
	var c struct {
		Update *struct {
			States []json.RawMessage `json:"workerStates"`
		} `json:"workerStateUpdate"`
	}
	if json.Unmarshal(content, &c) != nil || c.Update == nil {
		return nil, unreadable("workerStates")
	}
	if n := len(c.Update.States); n != len(uuids) {
		return nil, fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.states_mixed", "asked", len(uuids), "got", n), nil)
	}
	var states []fleet.WorkerStatus
	for i, raw := range c.Update.States {
		var item *struct {
			Worker json.RawMessage `json:"worker"`
			Status json.RawMessage `json:"status"`
		}
		if json.Unmarshal(raw, &item) != nil || item == nil {
			return nil, unreadable("workerStates")
		}
		if absent(item.Worker) && absent(item.Status) {
			continue
		}
		s, ok := prb.DecodeState(raw)
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
func decodeFetcher(content json.RawMessage, s *fleet.DataProviderStatus) error {
	var c struct {
		Update *struct {
			Hostname    prb.Text    `json:"hostname"`
			ParentKnown prb.Int     `json:"parentKnownHeight"`
			ParentBlob  prb.Int     `json:"parentBlobHeight"`
			ParaKnown   prb.Int     `json:"paraKnownHeight"`
			ParaBlob    prb.Int     `json:"paraBlobHeight"`
			Synched     prb.OptBool `json:"synched"`
		} `json:"fetcherStateUpdate"`
	}
	if json.Unmarshal(content, &c) != nil || c.Update == nil {
		return unreadable("fetcherStateUpdate")
	}
	u := c.Update
	if u.Hostname != "" {
		s.Hostname = prb.Redact(string(u.Hostname))
	}
	// Once true it stays true until the fetcher's next start, so it says that the first sync is over, and no more.
	switch {
	case u.Synched.Value == nil:
		s.Status = "S_UNKNOWN"
	case *u.Synched.Value:
		s.Status = "S_IDLE"
	default:
		s.Status = "S_SYHCHING"
	}
	s.ParentFetched, s.Parent = u.ParentKnown.Height(), u.ParentBlob.Height()
	s.ParaFetched, s.Para = u.ParaKnown.Height(), u.ParaBlob.Height()
	return nil
}
