package v2

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

func TestRestartSaysWhatMayHaveHappenedAndIsNeverRepeated(t *testing.T) {
	cases := map[string]struct {
		answer    func() (int, string)
		code      string
		ambiguous bool
		is        error
	}{
		"taken":         {ok(`{"workerStates":[{"worker":{"uuid":"w1"}}]}`), "", false, nil},
		"lost":          {reply(200, lostReply), "prb.lost_reply", true, nil},
		"no list read":  {ok(`{}`), "prb.nothing_done", false, nil},
		"unknown":       {refused(2, "Worker w1 not found!"), "prb.no_worker", false, prb.ErrNoWorker},
		"not running":   {refused(1, "TypeError: Cannot read properties of undefined (reading 'runner')"), "prb.not_running", false, prb.ErrNotRunning},
		"config mode":   {refused(1, "TypeError: Cannot read properties of undefined (reading 'workers')"), "prb.config_mode", false, prb.ErrConfigMode},
		"wrong role":    {refused(2, "Handler not implemented."), "prb.wrong_role", false, nil},
		"exception":     {refused(1, "Error: channel closed"), "prb.peer_error", true, nil},
		"dead peer":     {reply(200, `{"hasError":true,"error":{"name":"AggregateError"},"meta":null}`), "prb.peer_down", false, nil},
		"frozen peer":   {reply(200, `{"hasError":true,"error":{"name":"AggregateError","code":"ERR_TIMEOUT"},"meta":null}`), "prb.peer_frozen", true, nil},
		"refused":       {reply(200, `{"hasError":true,"error":{"code":"ERR_INVALID_ARG_TYPE"},"meta":null}`), "prb.request_refused", false, nil},
		"unknown peer":  {reply(500, `{}`), "prb.unknown_peer", false, nil},
		"other server":  {reply(404, `<html>`), "prb.http_status", false, nil},
		"gateway":       {reply(504, `<html>`), "prb.http_status", true, nil},
		"garbage":       {reply(200, `<html>`), "prb.garbage", true, nil},
		"strange data":  {ok(`{"workerStates":{}}`), "prb.bad_data", true, nil},
		"closed":        {func() (int, string) { panic(http.ErrAbortHandler) }, "wire.closed", true, nil},
		"stream broken": {reply(200, `{"hasError":true,"error":{"code":"ERR_STREAM_RESET"},"meta":null}`), "prb.peer_error", true, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := newMonitor(t)
			m.set("QmLM/RestartWorker", func() (int, string) {
				defer func() {
					if v := recover(); v != nil {
						m.mu.Unlock() // the handler dies holding it
						panic(v)
					}
				}()
				return tc.answer()
			})
			err := newClient(t, Options{URL: m.URL, Clock: hasty{}}).RestartWorker(t.Context(), "w1")
			if fleet.ReasonOf(err).Code != tc.code || prb.IsAmbiguous(err) != tc.ambiguous {
				t.Errorf("got %v (ambiguous %v), want %s, ambiguous %v", err, prb.IsAmbiguous(err), tc.code, tc.ambiguous)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("errors.Is(%v, %v) is false", err, tc.is)
			}
			if n := m.count("QmLM/RestartWorker"); n != 1 || m.bodies["QmLM/RestartWorker"] != `{"ids":["w1"]}` {
				t.Errorf("sent %d times: %s", n, m.bodies["QmLM/RestartWorker"])
			}
		})
	}
}

func TestRestartTimeoutIsAmbiguousAndAnEmptyIDIsNothing(t *testing.T) {
	m := newMonitor(t)
	c := newClient(t, Options{URL: m.URL})
	if err := c.RestartWorker(t.Context(), ""); !errors.Is(err, prb.ErrNoWorker) || m.count("QmLM/RestartWorker") != 0 {
		t.Errorf("empty id: %v", err)
	}
	m.hold = func(_ string, ctx context.Context) { <-ctx.Done() }
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := c.RestartWorker(ctx, "w1"); !prb.IsAmbiguous(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("timeout: %v", err)
	}
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(mute.Close)
	early, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := newClient(t, Options{URL: mute.URL}).RestartWorker(early, "w1") // it never got further than discover
	if prb.IsAmbiguous(err) || !errors.Is(err, context.DeadlineExceeded) || fleet.ReasonOf(err).Code != "wire.timeout" {
		t.Errorf("timeout of discover: %v (ambiguous %v)", err, prb.IsAmbiguous(err))
	}
	m.Close()
	if err := newClient(t, Options{URL: m.URL}).RestartWorker(t.Context(), "w1"); err == nil || prb.IsAmbiguous(err) {
		t.Errorf("monitor gone: %v (ambiguous %v)", err, prb.IsAmbiguous(err))
	}
}
