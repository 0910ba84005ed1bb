package observe

import (
	"time"

	"phalops/internal/fleet"
)

// identity keeps which public key belongs to a worker, and since when another one, or none, shows in its place. A person
// who enables a disabled worker says with that: whatever key it shows from now on is right. told is this round's bare reading:
// what an earlier round told proves nothing.
func identity(old, w, told fleet.WorkerStatus, now time.Time) fleet.WorkerStatus {
	if w.Enabled && !old.Enabled {
		w.KnownKey = ""
	}
	shown := shownKey(w, told, now)
	key := shown
	switch {
	case key == "": // nobody says: what was known stays
	case key == fleet.NoKey && w.KnownKey == "", key == w.KnownKey:
		key = ""
	case w.KnownKey == "":
		w.KnownKey, key = key, ""
	}
	switch {
	case key == "" && (shown != "" || w.KnownKey == ""):
		w.OtherKey, w.OtherSince = "", time.Time{}
	case key != "" && key != w.OtherKey:
		w.OtherKey, w.OtherSince = key, now
	}
	return w
}

// shownKey is the key that is shown now: by the pRuntime itself where it answered in this round, else through the bridge.
// NoKey is a pRuntime that is not initialized; "" where nobody says.
func shownKey(w, told fleet.WorkerStatus, now time.Time) string {
	if p := w.Pruntime; p != nil && p.Missed == 0 && p.At.Equal(now) {
		if p.Initialized != nil && !*p.Initialized {
			return fleet.NoKey
		}
		if p.PublicKey != "" {
			return p.PublicKey
		}
	}
	switch {
	case !told.Running:
		return ""
	case told.Initialized != nil && !*told.Initialized:
		return fleet.NoKey
	}
	return told.PublicKey
}
