package substrate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"phalops/internal/fleet"
)

// Getter sends one HTTP GET and returns the whole reply, whatever its status; wire.Client is one. The limits of time and
// size are its own.
type Getter interface {
	Get(ctx context.Context, url string) (status int, reply []byte, err error)
}

// CacheHeights are the heights of a headers-cache; nil is what it does not have or does not tell.
type CacheHeights struct {
	Header         *Number `json:"header"`
	ParaHeader     *Number `json:"para_header"`
	StorageChanges *Number `json:"storage_changes"`
}

// CacheState is what a headers-cache says of itself.
type CacheState struct {
	Genesis  []Number     // relay blocks from which it can feed
	Imported CacheHeights // by the last import
	Highest  CacheHeights // of all that it has
	Checked  CacheHeights // up to here nothing is missing
}

// ReadCache asks a headers-cache (Phala-Network/phala-blockchain standalone/headers-cache) at its base address for /state. An
// answer that is none is a fleet error with the reason substrate.bad_cache, silence the Getter's error.
func ReadCache(ctx context.Context, http Getter, base string) (CacheState, error) {
	url := strings.TrimRight(base, "/") + "/state"
	status, body, err := http.Get(ctx, url)
	if err != nil {
		return CacheState{}, fmt.Errorf("headers-cache: %w", err)
	}
	s, err := decodeCache(status, body)
	if err != nil {
		why := fleet.Because("substrate.bad_cache", "url", url, "status", status, "what", clip(err.Error()))
		return CacheState{}, fleet.FailWith(fleet.Unavailable, why, err)
	}
	return s, nil
}

// decodeCache reads the reply. The program spells its key "higest".
func decodeCache(status int, body []byte) (CacheState, error) {
	if status != http.StatusOK {
		return CacheState{}, fmt.Errorf("unexpected status %d", status)
	}
	var reply struct {
		Genesis  []Number      `json:"genesis"`
		Imported *CacheHeights `json:"recent_imported"`
		Higest   *CacheHeights `json:"higest"`
		Highest  *CacheHeights `json:"highest"` // in case that it is put right one day
		Checked  *CacheHeights `json:"checked"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return CacheState{}, fmt.Errorf("no state: %w", err)
	}
	if reply.Higest == nil {
		reply.Higest = reply.Highest
	}
	if reply.Higest == nil {
		return CacheState{}, fmt.Errorf("no heights")
	}
	s := CacheState{Genesis: reply.Genesis, Highest: *reply.Higest}
	if reply.Imported != nil {
		s.Imported = *reply.Imported
	}
	if reply.Checked != nil {
		s.Checked = *reply.Checked
	}
	return s, nil
}
