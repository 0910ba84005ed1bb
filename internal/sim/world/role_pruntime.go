package world

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// pruntimeStops is from SIGTERM until a pRuntime is gone. It saves nothing then: it goes on from its last checkpoint.
const pruntimeStops = 5 * time.Second

// joinPruntime gives an enclave a real process.
func (w *World) joinPruntime(r Role) (*Body, error) {
	endpoint := strings.TrimSuffix(r.Part, "/")
	if !strings.Contains(endpoint, "://") {
		endpoint = "http://" + endpoint
	}
	p := w.parts.pruntimes[endpoint]
	switch {
	case p == nil:
		return nil, fleet.Fail(fleet.NotFound, fleet.Because("sim.role_no_pruntime", "part", r.Part, "count", len(w.parts.pruntimes)))
	case p.body != nil:
		return nil, fleet.Fail(fleet.Locked, fleet.Because("sim.role_taken", "part", p.Endpoint))
	}
	b := &Body{part: p.Endpoint, end: r.End}
	stopping := false
	b.terminated = func() {
		if stopping {
			return
		}
		stopping = true
		w.did(string(EffectStop), p.Endpoint)
		w.After(pruntimeStops, func() {
			if !b.gone {
				p.leave(0)
			}
		})
	}
	b.lost = func() {
		b.gone = true
		w.did(string(EffectKill), p.Endpoint)
		p.leave(137)
	}
	p.body, p.real = b, true
	p.KickAPI = r.Env["ENABLE_KICK_API"] == "1" || slices.Contains(r.Args, "--enable-kick-api") ||
		slices.Contains(strings.Fields(r.Env["EXTRA_OPTS"]), "--enable-kick-api")
	if t := p.away; t != nil {
		w.After(rebootTakes, func() {
			if p.body == b && p.away == t {
				p.away = nil
				p.comeBack(t)
			}
		})
	}
	return b, nil
}

// leave is the end of a real process: the endpoint refuses connections until another one joins.
func (p *Pruntime) leave(code int) {
	b := p.body
	p.body = nil
	if p.away == nil {
		p.away = p.fall()
	}
	b.finish(code)
}

// argument is the value of a long option, however it is joined to its name.
func argument(args []string, name string) (string, bool) {
	for i, a := range args {
		if a == name && i+1 < len(args) {
			return args[i+1], true
		}
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// milliseconds reads a number of them; 0 for what is none.
func milliseconds(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}
