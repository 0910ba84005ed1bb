package v2

import (
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// decodeList finds a list in data. An empty one is absent.
func decodeList(data prb.Value, key string) ([]prb.Value, error) {
	list, ok := data.Get(key).List()
	if !ok || !data.IsObject() {
		return nil, fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.bad_data", "what", key), nil)
	}
	return list, nil
}

func decodePools(data prb.Value) ([]fleet.Pool, error) {
	list, err := decodeList(data, "pools")
	if err != nil {
		return nil, err
	}
	return prb.DecodePools(list), nil
}

func decodeWorkers(data prb.Value, pools []fleet.Pool) ([]fleet.WorkerStatus, error) {
	list, err := decodeList(data, "workers")
	if err != nil {
		return nil, err
	}
	return prb.DecodeWorkers(list, pools), nil
}

// decodeStates reads running contexts. They come in any order: the uuid inside says whose they are, and one without it is
// nobody's.
func decodeStates(parsers *prb.Parsers, data prb.Value) ([]fleet.WorkerStatus, error) {
	list, err := decodeList(data, "workerStates")
	if err != nil {
		return nil, err
	}
	states := make([]fleet.WorkerStatus, 0, len(list))
	for _, raw := range list {
		if s, ok := prb.DecodeState(parsers, raw); ok {
			states = append(states, s)
		}
	}
	return states, nil
}

func decodeProvider(data prb.Value, s *fleet.DataProviderStatus) error {
	if !data.IsObject() {
		return fail(faultGarbage, fleet.Unavailable, fleet.Because("prb.bad_data", "what", "GetDataProviderInfo"), nil)
	}
	s.Status = prb.Redact(data.Get("status").Text())
	s.ParentTarget, s.ParentFetched = data.Get("parentTarget").Height(), data.Get("parentFetchedHeight").Height()
	s.Parent = data.Get("parentProcessedHeight").Height()
	s.ParaTarget, s.ParaFetched = data.Get("paraTarget").Height(), data.Get("paraFetchedHeight").Height()
	s.Para = data.Get("paraProcessedHeight").Height()
	return nil
}
