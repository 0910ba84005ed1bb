package pruntime

import (
	"testing"

	"phalops/internal/fleet"
)

func TestWorkerOfASoloPruntime(t *testing.T) {
	yes := true
	told := fleet.PruntimeStatus{Endpoint: "http://127.0.2.1:8000", Initialized: &yes, Registered: &yes, PublicKey: "ab", Version: "2.2.0",
		Para: fleet.Height{Value: 41, Known: true}, Gatekeeper: 2}
	w := Worker(told, nil)
	if !w.Running || !w.Enabled || w.Para != told.Para || w.Registered == nil || w.Version != "2.2.0" || !w.Gatekeeper || w.Pruntime == nil || !w.Pruntime.Cause.IsZero() {
		t.Errorf("%+v", w)
	}
	silent := Worker(told, fleet.Fail(fleet.Unavailable, fleet.Because("wire.refused", "url", told.Endpoint)))
	if silent.Running || silent.Para.Known || silent.Pruntime.Cause.Code != "wire.refused" || silent.Pruntime.Para.Known || silent.Endpoint != told.Endpoint {
		t.Errorf("%+v, %+v", silent, silent.Pruntime)
	}
}
