package prb

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// Bounds of words.
const (
	maxWords = 4096
	maxWord  = 128 // bytes of one that is kept
)

// words keeps one copy of the texts that come again with each worker of each reply: states, versions, the usual messages.
// The zero words is ready. It is safe for concurrent use.
type words struct {
	mu    sync.Mutex
	known map[string]string
}

// of is b as a text, with U+FFFD in place of what is no UTF-8.
func (w *words) of(b []byte) string {
	switch {
	case len(b) == 0:
		return ""
	case len(b) > maxWord:
		return text(b)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.known[string(b)]; ok {
		return s
	}
	if w.known == nil || len(w.known) >= maxWords {
		w.known = map[string]string{}
	}
	s := text(b)
	w.known[string(b)] = s
	return s
}

// text is a copy of b as UTF-8.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
