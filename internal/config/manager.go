package config

import (
	"net/url"
	"strings"

	"phalops/internal/fleet"
)

// relayed stands between a v3 monitor's address and that of the prb-wm to which it relays (prb3-monitor,
// src/pages/api/p/[...slug].js).
const relayed = "/api/p/"

// Manager is where a v3 bridge's prb-wm is, and the monitor that relays to it, "" when it is asked directly. For other
// bridges it is the URL itself.
func (b Bridge) Manager() (wm, monitor string) {
	before, after, proxied := strings.Cut(b.URL, relayed)
	if !proxied {
		return b.URL, ""
	}
	wm, err := url.QueryUnescape(after)
	if err != nil { // managerURL has written it
		return b.URL, ""
	}
	return wm, before
}

// ManagerURL is the URL of a v3 bridge whose monitor relays to its prb-wm.
func ManagerURL(monitor, wm string) string { return monitor + relayed + url.QueryEscape(wm) }

// managerURL accepts prb-wm's own address, or the one under which a monitor relays to it: http://monitor:3000/api/p/ and the
// address of prb-wm, escaped or as it is.
func managerURL(s string) (string, fleet.Reason) {
	before, after, proxied := strings.Cut(s, relayed)
	if !proxied {
		return baseURL(s)
	}
	monitor, why := baseURL(before)
	if !why.IsZero() {
		return "", why
	}
	inner, err := url.PathUnescape(after)
	if err != nil || inner == "" {
		return "", fleet.Because("config.bad_proxy", "value", showText(s))
	}
	wm, why := baseURL(inner)
	if !why.IsZero() {
		return "", why
	}
	return ManagerURL(monitor, wm), fleet.Reason{}
}
