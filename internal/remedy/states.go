package remedy

import (
	"strings"

	"phalops/internal/fleet"
)

// The words of the three generations for what a worker is at (prb-v0-v2-api, 3.1; prb3, 1.5).
const (
	stateError    = "S_ERROR"
	stateKicked   = "S_KICKED"
	stateStarting = "S_STARTING"
	stateSynching = "S_SYNCHING"
	stateSynched  = "S_SYNCHED"

	stateHasError   = "HasError" // v3, like all below
	stateBegins     = "Starting"
	stateSyncs      = "Synchronizing"
	statePrepares   = "Preparing"
	stateRestarting = "Restarting"
	stateDisabled   = "Disabled"
)

// failing reads the bridge's own words.
func failing(state string) bool {
	return state == stateError || state == stateKicked || state == stateHasError
}

// beginning is a context that has not come as far as its sync.
func beginning(state string) bool {
	switch state {
	case "", "S_IDLE", stateStarting, stateBegins, stateRestarting, stateDisabled:
		return true
	}
	return false
}

func works(state string) bool {
	switch state {
	case "S_ACTIVE", "S_MINING", "Working", "GatekeeperWorking":
		return true
	}
	return false
}

func syncs(state string) bool { return state == stateSynching || state == stateSyncs }

// waitsForChain is a worker between its sync and its work: it has sent, or is about to send, a transaction. One that only
// syncs, or cools down, stays there for good.
func waitsForChain(w fleet.WorkerStatus) bool {
	switch w.State {
	case "S_PRE_ACTIVE", "S_PRE_MINING":
		return true
	case stateSynched, statePrepares:
		return !w.SyncOnly && !cooling(w) && !strings.Contains(w.Message, "is cooling down")
	}
	return false
}

// healsItself is a v3 error that the bridge takes back without anybody's doing (prb3, 1.9).
func healsItself(message string) bool {
	return strings.HasPrefix(message, "Continously received ") || strings.HasPrefix(message, "Fail to generate_sync_request ") //nolint:misspell // theirs
}
