package substrate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"phalops/internal/substrate/scale"
)

// TestOneThatIsNotThere: what a reader gets where nothing is stored, and for questions that do not fit.
func TestOneThatIsNotThere(t *testing.T) {
	md := benchMetadata(t)
	entry := func(item string) *scale.Entry {
		e, err := md.Entry("PhalaMining", item)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	s := newFakeNode(nil).client().Snapshot(block, quick)
	if n, ok, err := One[uint32](t.Context(), s, entry("OnlineMiners")); n != 0 || !ok || err != nil {
		t.Error("the default:", n, ok, err)
	}
	if n, ok, err := One[uint32](t.Context(), s, entry("ExpectedHeartbeatCount")); ok || err != nil {
		t.Error("an optional one:", n, ok, err)
	}
	if _, ok, err := One[scale.U128](t.Context(), s, entry("Stakes"), [32]byte{1}); ok || err != nil {
		t.Error("an optional one of a map:", ok, err)
	}
	if _, _, err := One[scale.U128](t.Context(), s, entry("Stakes")); !errors.Is(err, scale.ErrInvalid) {
		t.Error("a map:", err)
	}
	if _, _, err := One[scale.U128](t.Context(), s, entry("Stakes"), "hello"); !errors.Is(err, scale.ErrAddress) {
		t.Error("no key:", err)
	}
	if _, _, err := One[string](t.Context(), s, entry("OnlineMiners")); !errors.Is(err, scale.ErrBind) {
		t.Error("another type:", err)
	}
	if err := Each(t.Context(), s, entry("Stakes"), func(*uint64, *scale.U128) error { return nil }); !errors.Is(err, scale.ErrBind) {
		t.Error("another key:", err)
	}
}

// TestWhatIsStoredIsNotWhatTheMetadataSays names the place.
func TestWhatIsStoredIsNotWhatTheMetadataSays(t *testing.T) {
	e, err := benchMetadata(t).Entry("PhalaMining", "Stakes")
	if err != nil {
		t.Fatal(err)
	}
	key, err := e.StorageKey([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"0x", "0x00", "0x" + fmt.Sprintf("%034d", 0)} {
		s := newFakeNode(map[string]string{"0x" + hex.EncodeToString(key): value}).client().Snapshot(block, quick)
		err := Each(t.Context(), s, e, func(*[32]byte, *scale.U128) error { return nil })
		if want := fmt.Sprintf("PhalaMining.Stakes 0x%x: ", key); err == nil || err.Error()[:len(want)] != want {
			t.Error(err)
		}
	}
}
