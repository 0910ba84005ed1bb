package world

import (
	"fmt"
	"slices"
	"strings"
)

// Worker is a row of a v2 lifecycle's database.
type Worker struct {
	UUID, Name, Endpoint, Stake string
	PID                         uint64
	Enabled, SyncOnly           bool
}

// Pool is a row of a v2 lifecycle's database. The mnemonic itself is never kept: Seed stands for the operator's account.
type Pool struct {
	UUID, Name, RealPhalaSs58 string
	PID                       uint64
	Seed                      string
	Enabled, SyncOnly         bool
}

// PoolInput is a pool as a request gives it, defaults filled in.
type PoolInput struct {
	PID                        uint64
	Name, RealPhalaSs58        string
	HasOwner                   bool
	Mnemonic                   string
	Enabled, Deleted, SyncOnly bool
}

// WorkerInput is a worker as a request gives it, defaults filled in.
type WorkerInput struct {
	PID                        uint64
	Name, Endpoint, Stake      string
	Enabled, Deleted, SyncOnly bool
}

// ID names a row: by uuid, else by name, else (pools) by pid.
type ID struct {
	UUID, Name string
	PID        *uint64
	JSON       string // as given, for an error text
}

// PoolChange and WorkerChange are one item of an update; a nil part was not given.
type (
	PoolChange struct {
		ID   *ID
		Pool *PoolInput
	}
	// WorkerChange is one item of UpdateWorker.
	WorkerChange struct {
		ID     *ID
		Worker *WorkerInput
	}
)

// PeerError is an error that the lifecycle answers with.
type PeerError struct {
	NotFound bool // type 2 NOT_FOUND; otherwise type 1 SERVER
	Message  string
}

func (e *PeerError) Error() string { return e.Message }

func serverError(text string) error { return &PeerError{Message: text} }

func notFound(format string, args ...any) error {
	return &PeerError{NotFound: true, Message: fmt.Sprintf(format, args...)}
}

var errDuplicate = serverError("SequelizeUniqueConstraintError: Validation error")

// missing is how a row was not found: by a key that no row has (null), or by no usable key (undefined).
type missing string

func (m missing) error(deleting bool, first string) error {
	if deleting {
		return serverError(fmt.Sprintf("TypeError: Cannot read properties of %s (reading 'destroy')", m))
	}
	return serverError(fmt.Sprintf("TypeError: Cannot set properties of %s (setting '%s')", m, first))
}

// checkMnemonic does what the keyring does, without its word list: a phrase with the word count of a mnemonic must look
// like one (its words differ), any other text up to 32 characters is a raw seed.
func checkMnemonic(s string) error {
	words := strings.Fields(s)
	switch len(words) {
	case 0:
		return serverError("Error: Unable to match provided value to a secret URI")
	case 12, 15, 18, 21, 24:
		if len(slices.Compact(slices.Sorted(slices.Values(words)))) == 1 {
			return serverError("Error: Invalid bip39 mnemonic specified")
		}
	default:
		if len(s) > 32 {
			return serverError("Error: specified phrase is not a valid mnemonic and is invalid as a raw seed at > 32 bytes")
		}
	}
	return nil
}
