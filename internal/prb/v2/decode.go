package v2

import (
	"encoding/json"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// decodeList finds a list in data. An empty one is absent.
func decodeList(data json.RawMessage, key string) ([]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	var list []json.RawMessage
	err := json.Unmarshal(data, &fields)
	if err == nil && fields[key] != nil {
		err = json.Unmarshal(fields[key], &list)
	}
	if err != nil || fields == nil {
		return nil, fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.bad_data", "what", key), err)
	}
	return list, nil
}

func decodePools(data json.RawMessage) ([]fleet.Pool, error) {
	list, err := decodeList(data, "pools")
	if err != nil {
		return nil, err
	}
	return prb.DecodePools(list), nil
}

func decodeWorkers(data json.RawMessage, pools []fleet.Pool) ([]fleet.WorkerStatus, error) {
	list, err := decodeList(data, "workers")
	if err != nil {
		return nil, err
	}
	return prb.DecodeWorkers(list, pools), nil
}

// decodeStates reads running contexts. They come in any order: the uuid inside says whose they are, and one without it is
// nobody's.
func decodeStates(data json.RawMessage) ([]fleet.WorkerStatus, error) {
	list, err := decodeList(data, "workerStates")
	if err != nil {
		return nil, err
	}
	var states []fleet.WorkerStatus
	for _, raw := range list {
		if s, ok := prb.DecodeState(raw); ok {
			states = append(states, s)
		}
	}
	return states, nil
}

func decodeProvider(data json.RawMessage, s *fleet.DataProviderStatus) error {
	var info *struct {
		Status        prb.Text `json:"status"`
		ParentTarget  prb.Int  `json:"parentTarget"`
		ParentFetched prb.Int  `json:"parentFetchedHeight"`
		Parent        prb.Int  `json:"parentProcessedHeight"`
		ParaTarget    prb.Int  `json:"paraTarget"`
		ParaFetched   prb.Int  `json:"paraFetchedHeight"`
		Para          prb.Int  `json:"paraProcessedHeight"`
	}
	if err := json.Unmarshal(data, &info); err != nil || info == nil {
		return fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.bad_data", "what", "GetDataProviderInfo"), err)
	}
	s.Status = prb.Redact(string(info.Status))
	s.ParentTarget, s.ParentFetched, s.Parent = info.ParentTarget.Height(), info.ParentFetched.Height(), info.Parent.Height()
	s.ParaTarget, s.ParaFetched, s.Para = info.ParaTarget.Height(), info.ParaFetched.Height(), info.Para.Height()
	return nil
}
