package metrics

import (
	"encoding/json"
	"net/http"
	"time"

	"phalops/internal/clock"
)

// Healthz answers whether the process lives and beats: 200, or 503 when the newest beat (before the first: the start) is
// longer ago than maxAge on the fleet's clock. Whoever restarts processes may trust it; it says nothing about the fleet.
func (m *Metrics) Healthz(c clock.Clock, maxAge time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m.mu.Lock()
		last := m.lastBeat
		m.mu.Unlock()
		since := last
		if since.IsZero() {
			since = m.started
		}
		age := max(0, c.Now().Sub(since))
		answer := struct {
			Status   string    `json:"status"`
			LastBeat time.Time `json:"last_beat,omitzero"`
			Age      float64   `json:"age_seconds"`
		}{"ok", last, age.Seconds()}
		status := http.StatusOK
		if age > maxAge {
			answer.Status, status = "stalled", http.StatusServiceUnavailable
		}
		writeJSON(w, status, answer)
	})
}

// Readyz answers whether the process may be relied on: 200 when everything in Ready holds, else 503. The body says what is
// missing.
func (m *Metrics) Readyz() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer := struct {
			Status string `json:"status"`
			Checks Ready  `json:"checks"`
		}{"ready", m.source.Snapshot().Ready}
		status := http.StatusOK
		if !answer.Checks.all() {
			answer.Status, status = "starting", http.StatusServiceUnavailable
		}
		writeJSON(w, status, answer)
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller that is gone reads no answer
}
