package batch

import (
	"strconv"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// record is a worker as a bridge has it stored, or shall have it.
type record struct {
	PID      uint64
	Name     string
	Endpoint string
	Stake    fleet.Amount
	Enabled  bool
	SyncOnly bool
}

func recordOf(w fleet.WorkerStatus) record {
	return record{PID: w.PID, Name: w.Name, Endpoint: strings.TrimSuffix(w.Endpoint, "/"), Stake: w.Stake, Enabled: w.Enabled, SyncOnly: w.SyncOnly}
}

func (r record) spec() prb.WorkerSpec {
	return prb.WorkerSpec{PID: r.PID, Name: r.Name, Endpoint: r.Endpoint, Stake: r.Stake, Enabled: r.Enabled, SyncOnly: r.SyncOnly}
}

// put writes the record into a step's arguments, each key with a prefix.
func (r record) put(args map[string]string, prefix string) {
	args[prefix+"name"], args[prefix+"endpoint"], args[prefix+"stake"] = r.Name, r.Endpoint, r.Stake.String()
	args[prefix+"pool"] = strconv.FormatUint(r.PID, 10)
	args[prefix+"enabled"], args[prefix+"sync_only"] = strconv.FormatBool(r.Enabled), strconv.FormatBool(r.SyncOnly)
}

// recordIn reads what put has written.
func recordIn(args map[string]string, prefix string) (record, error) {
	stake, err := fleet.ParseAmount(args[prefix+"stake"])
	if err != nil {
		return record{}, err
	}
	pid, err := strconv.ParseUint(args[prefix+"pool"], 10, 64)
	return record{
		PID: pid, Name: args[prefix+"name"], Endpoint: args[prefix+"endpoint"], Stake: stake,
		Enabled: args[prefix+"enabled"] == "true", SyncOnly: args[prefix+"sync_only"] == "true",
	}, err
}

// stored reports whether a bridge has the record as it shall be.
func (r record) stored(w fleet.WorkerStatus) bool { return w.StakeOK && recordOf(w) == r }
