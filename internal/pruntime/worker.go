package pruntime

import "phalops/internal/fleet"

// Worker puts what GetInfo returned into the words of a bridge's reading, for a solo worker: its feeder has no API, and the
// pRuntime tells all there is. With an error it is a worker that nobody hears. Its id, name and record are the caller's.
//
// There is no State: what a solo worker is at follows from its pRuntime's facts alone.
func Worker(s fleet.PruntimeStatus, err error) fleet.WorkerStatus {
	w := fleet.WorkerStatus{Endpoint: s.Endpoint, Enabled: true, Pruntime: &s}
	if err != nil {
		s = fleet.PruntimeStatus{Endpoint: s.Endpoint, Probe: fleet.Probe{Cause: fleet.ReasonOf(err)}}
		return w
	}
	w.Running, w.Initialized, w.Registered = true, s.Initialized, s.Registered
	w.PublicKey, w.Version, w.Revision = s.PublicKey, s.Version, s.Revision
	w.Relay, w.ParaHeader, w.Para = s.Relay, s.ParaHeader, s.Para
	w.Gatekeeper = s.Gatekeeper > 1
	return w
}
