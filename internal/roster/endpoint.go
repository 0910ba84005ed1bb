package roster

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"phalops/internal/fleet"
)

// Endpoint reads where a pRuntime answers: an address or a name, with or without a port (DefaultPort), or a URL with its
// port. The result has one form for all ways to write the same: http://192.168.2.1:8000, host in lower case, IPv6 in its
// shortest form, no slash at the end. A URL without a port is refused: it would mean port 80 or 443, which nobody means.
func Endpoint(s string) (string, fleet.Reason) {
	if strings.Contains(s, "://") {
		return fromURL(s)
	}
	host, port := s, DefaultPort
	if at := strings.LastIndexByte(s, ':'); at >= 0 && !isIPv6(s) && at > strings.LastIndexByte(s, ']') {
		host, port = s[:at], s[at+1:]
	}
	if !isPort(port) {
		return "", fleet.Because("roster.bad_port", "value", show(port))
	}
	host, why := canonicalHost(host)
	if !why.IsZero() {
		return "", why
	}
	return "http://" + net.JoinHostPort(host, port), fleet.Reason{}
}

func fromURL(s string) (string, fleet.Reason) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "", fleet.Because("roster.bad_url", "value", show(s))
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fleet.Because("roster.url_scheme", "value", show(u.Scheme))
	case u.User != nil:
		return "", fleet.Because("roster.url_user")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return "", fleet.Because("roster.url_query", "value", show(s))
	}
	host, why := canonicalHost(u.Hostname())
	switch {
	case !why.IsZero():
		return "", why
	case u.Port() == "":
		return "", fleet.Because("roster.no_port", "want", u.Scheme+"://"+net.JoinHostPort(host, DefaultPort))
	case !isPort(u.Port()):
		return "", fleet.Because("roster.bad_port", "value", show(u.Port()))
	}
	return u.Scheme + "://" + net.JoinHostPort(host, u.Port()) + strings.TrimRight(u.EscapedPath(), "/"), fleet.Reason{}
}

// Key is the same for two endpoints that mean the same, in whatever way bridges keep them: v3 adds a slash and leaves out
// port 80 and 443. What is no URL is its own key.
func Key(endpoint string) string {
	endpoint = strings.TrimSpace(endpoint)
	if e, why := Endpoint(endpoint); why.IsZero() && strings.Contains(endpoint, "://") {
		return e
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Port() != "" {
		return endpoint
	}
	u.Host += map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	if e, why := fromURL(u.String()); why.IsZero() {
		return e
	}
	return endpoint
}

// defaultName is what a worker is called when nobody said: its address, and the port where that tells two apart.
func defaultName(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	if u.Port() == DefaultPort {
		return u.Hostname()
	}
	return u.Hostname() + "-" + u.Port()
}

// canonicalHost accepts an IP address, IPv6 with or without brackets, or a name.
func canonicalHost(s string) (string, fleet.Reason) {
	bare := s
	if inside, ok := strings.CutPrefix(s, "["); ok {
		bare = strings.TrimSuffix(inside, "]")
	}
	addr, err := netip.ParseAddr(bare)
	switch {
	case err == nil && addr.Zone() != "":
		return "", fleet.Because("roster.zone", "value", show(s))
	case err == nil && (addr.Unmap().IsUnspecified() || addr.Unmap().IsMulticast() || addr == broadcast):
		return "", fleet.Because("roster.no_host", "value", show(s))
	case err == nil:
		return addr.Unmap().String(), fleet.Reason{}
	case s == "":
		return "", fleet.Because("roster.no_address")
	case network.MatchString(s):
		return "", fleet.Because("roster.network", "value", show(s))
	case dashed.MatchString(s):
		return "", fleet.Because("roster.dashed", "value", show(s), "want", dashed.ReplaceAllString(s, "$1[$2-$3]"))
	case strings.ContainsAny(s, "[]"):
		return "", fleet.Because("roster.bad_range", "value", show(s))
	case len(s) > 253 || !hostName.MatchString(s) || likeIPv4.MatchString(s):
		return "", fleet.Because("roster.bad_address", "value", show(s))
	}
	return strings.ToLower(strings.TrimSuffix(s, ".")), fleet.Reason{}
}

var (
	broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	hostName  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}(\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*\.?$`)
	likeIPv4  = regexp.MustCompile(`^[0-9.]+$`)
	network   = regexp.MustCompile(`^[0-9a-fA-F.:]+/[0-9]{1,3}$`)
	dashed    = regexp.MustCompile(`^([0-9]+\.[0-9]+\.[0-9]+\.)([0-9]+)-([0-9]+)$`)
)

// isIPv6 reports whether s is an IPv6 address without brackets.
func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6()
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
