package observe

import (
	"time"

	"phalops/internal/fleet"
)

// identity keeps which public key belongs to a worker, and since when another one, or none, shows in its place. A person
// who enables a disabled worker says with that: whatever key it shows from now on is right. told is this round's bare reading:
// what an earlier round told proves nothing.
func identity(old, w, told *fleet.WorkerStatus, now time.Time) {
	if w.Enabled && !old.Enabled {
		w.KnownKey = ""
	}
	w.Pruntime = recognise(w, now)
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
}

// recognise notes that the pRuntime that we reach is the worker's own. An endpoint may mean another machine to the bridge than
// to us (a loopback address, an address of its container network), and what stands there is nobody's lost identity.
func recognise(w *fleet.WorkerStatus, now time.Time) *fleet.PruntimeStatus {
	p := w.Pruntime
	if p == nil || p.Ours || !p.At.Equal(now) || p.PublicKey == "" || (w.KnownKey != "" && p.PublicKey != w.KnownKey) ||
		(w.KnownKey == "" && w.PublicKey != "" && p.PublicKey != w.PublicKey) {
		return p
	}
	known := *p
	known.Ours = true
	return &known
}

// shownKey is the key that is shown now: by the worker's own pRuntime where it answered in this round, else through the
// bridge. NoKey is a pRuntime that is not initialized; "" where nobody says.
func shownKey(w, told *fleet.WorkerStatus, now time.Time) string {
	if p := w.Pruntime; p != nil && p.Ours && p.Missed == 0 && p.At.Equal(now) {
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
