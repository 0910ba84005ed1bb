package daemon

import "phalops/internal/remedy"

// hands are the Clients as the plans that mend reach the fleet.
type hands struct{ *Clients }

// Pruntime is the client of the pRuntime at an endpoint.
func (h hands) Pruntime(url string) (remedy.Pruntime, error) { return h.Clients.Pruntime(url) }
