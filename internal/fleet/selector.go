package fleet

import (
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Selector chooses workers. All given fields must match; several values in one field are alternatives. The zero Selector
// chooses nothing: whoever wants all workers says All.
type Selector struct {
	All             bool
	Sites           []string
	Bridges         []string
	Pools           []uint64
	Labels          map[string]string // of the bridge
	Names           []string          // globs, as path.Match
	Endpoints       []netip.Prefix    // the endpoint's address is inside one of them
	Hosts           []string          // or the endpoint's host name is one of these
	States          []string          // the bridge's own word
	Conditions      []Condition
	Message         *regexp.Regexp
	UnresponsiveFor time.Duration // Failed or Unresponsive for at least this long
	Listed          []string      // names, endpoints or ids from a list
}

// Empty reports whether nothing was chosen.
func (s Selector) Empty() bool {
	return !s.All && len(s.Sites) == 0 && len(s.Bridges) == 0 && len(s.Pools) == 0 && len(s.Labels) == 0 && len(s.Names) == 0 &&
		len(s.Endpoints) == 0 && len(s.Hosts) == 0 && len(s.States) == 0 && len(s.Conditions) == 0 && s.Message == nil &&
		s.UnresponsiveFor == 0 && len(s.Listed) == 0
}

// Match reports whether a worker of a site, on a bridge with these labels, is chosen.
func (s Selector) Match(site string, labels map[string]string, w WorkerStatus, now time.Time) bool {
	if s.Empty() {
		return false
	}
	for k, v := range s.Labels {
		if labels[k] != v {
			return false
		}
	}
	return oneOf(s.Sites, site) && oneOf(s.Bridges, w.Ref.Parent().Name()) && oneOf(s.Pools, w.PID) && oneOf(s.States, w.State) &&
		oneOf(s.Conditions, w.Condition) && s.matchName(w.Name) && s.matchEndpoint(w.Endpoint) &&
		(s.Message == nil || s.Message.MatchString(w.Message)) && s.matchOutage(w, now) &&
		(len(s.Listed) == 0 || slices.Contains(s.Listed, w.Name) || slices.Contains(s.Listed, w.ID) || slices.Contains(s.Listed, w.Endpoint))
}

func oneOf[T comparable](wanted []T, v T) bool { return len(wanted) == 0 || slices.Contains(wanted, v) }

func (s Selector) matchName(name string) bool {
	return len(s.Names) == 0 || slices.ContainsFunc(s.Names, func(glob string) bool {
		ok, err := path.Match(glob, name)
		return err == nil && ok
	})
}

func (s Selector) matchEndpoint(endpoint string) bool {
	if len(s.Endpoints) == 0 && len(s.Hosts) == 0 {
		return true
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	if slices.ContainsFunc(s.Hosts, func(h string) bool { return strings.EqualFold(h, u.Hostname()) }) {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && slices.ContainsFunc(s.Endpoints, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func (s Selector) matchOutage(w WorkerStatus, now time.Time) bool {
	if s.UnresponsiveFor == 0 {
		return true
	}
	down := w.Condition == Unresponsive || w.Condition == Failing
	return down && !w.Since.IsZero() && now.Sub(w.Since) >= s.UnresponsiveFor
}
