package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"phalops/internal/fleet"
)

// rpcURL accepts the address of a chain's RPC; it may have a path.
func rpcURL(s string) (string, fleet.Reason) {
	u, why := parseURL(s)
	if !why.IsZero() {
		return "", why
	}
	if u.Path == "/" {
		u.Path = ""
	}
	if strings.HasSuffix(u.Path, "/") {
		return "", fleet.Because("config.url_slash", "value", showText(s))
	}
	return u.String(), fleet.Reason{}
}

// baseURL accepts an address to which API paths are added.
func baseURL(s string) (string, fleet.Reason) {
	u, why := parseURL(s)
	if !why.IsZero() {
		return "", why
	}
	if u.Path != "" && u.Path != "/" {
		return "", fleet.Because("config.url_path", "value", showText(s), "want", u.Scheme+"://"+u.Host)
	}
	u.Path = ""
	return u.String(), fleet.Reason{}
}

// channelURL accepts an alert service's address: a token travels there, so it is encrypted unless it stays on this machine.
func channelURL(s string) (string, fleet.Reason) {
	u, why := parseURL(s)
	if !why.IsZero() {
		return "", why
	}
	if u.Scheme != "https" && !isLoopback(u.Hostname()) {
		return "", fleet.Because("config.url_plain", "value", showText(s))
	}
	return u.String(), fleet.Reason{}
}

func parseURL(s string) (*url.URL, fleet.Reason) {
	if s == "" {
		return nil, fleet.Because("config.no_value")
	}
	if !strings.Contains(s, "://") {
		return nil, fleet.Because("config.url_scheme", "value", showText(s))
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, fleet.Because("config.bad_url", "value", showText(s))
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fleet.Because("config.url_scheme", "value", showText(s))
	case u.User != nil:
		return nil, fleet.Because("config.url_user")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return nil, fleet.Because("config.url_query")
	case !isHost(u.Hostname()):
		return nil, fleet.Because("config.url_host", "value", showText(s))
	case !isPort(u.Port()) && u.Host != u.Hostname() && u.Host != "["+u.Hostname()+"]":
		return nil, fleet.Because("config.url_port", "value", showText(s))
	}
	return u, fleet.Reason{}
}

// isHost accepts an IP address or a name; what looks like an IPv4 address must be one.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return len(s) <= 253 && hostName.MatchString(s) && !likeIPv4.MatchString(s)
}

var (
	hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,62}\.?)*$`)
	likeIPv4 = regexp.MustCompile(`^[0-9.]+$`)
)

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && n < 1<<16
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// hostAddress accepts an IP address or a name, without scheme and port.
func hostAddress(s string) (string, fleet.Reason) {
	if !isHost(s) {
		return "", fleet.Because("config.bad_address", "value", showText(s))
	}
	return s, fleet.Reason{}
}

// overSSH begins the address of an engine's socket on the machine itself, which is reached over SSH.
const overSSH = "ssh://"

// dockerAddress accepts a container engine on a local socket, on a loopback port where a tunnel ends, or on a socket of the
// machine itself. A TCP engine anywhere else is root on that machine for whoever can reach it.
func dockerAddress(s string) (string, fleet.Reason) {
	scheme, rest, _ := strings.Cut(s, "://")
	switch scheme {
	case "unix", "ssh":
		if strings.HasPrefix(rest, "/") && !strings.ContainsAny(rest, "?# \t\n") {
			return s, fleet.Reason{}
		}
		if scheme == "ssh" {
			return "", fleet.Because("config.docker_ssh")
		}
	case "tcp":
		host, port, err := net.SplitHostPort(rest)
		switch {
		case err != nil || !isPort(port) || !isHost(host):
		case !isLoopback(host):
			return "", fleet.Because("config.docker_open", "value", showText(s))
		default:
			return s, fleet.Reason{}
		}
	}
	return "", fleet.Because("config.bad_docker", "value", showText(s))
}

// listenAddress accepts host:port; "" and "off" mean that nothing is served.
func listenAddress(s string) (string, fleet.Reason) {
	if s == "" || s == "off" {
		return "", fleet.Reason{}
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || !isPort(port) && port != "0" || host != "" && !isHost(host) {
		return "", fleet.Because("config.bad_listen", "value", showText(s))
	}
	return s, fleet.Reason{}
}

// peerID accepts what libp2p calls a peer: base58 of an RSA key's hash (46 characters, Qm…) or of an Ed25519 key
// (52 characters, 12D3KooW…). PRB v2 makes RSA keys.
func peerID(s string) (string, fleet.Reason) {
	switch {
	case rsaPeer.MatchString(s), ed25519Peer.MatchString(s):
		return s, fleet.Reason{}
	case strings.HasPrefix(s, "/"), strings.Contains(s, "://"), isHost(s) && strings.ContainsAny(s, ".:"):
		return "", fleet.Because("config.lifecycle_address", "value", showText(s))
	}
	return "", fleet.Because("config.bad_peer", "value", showText(s))
}

var (
	rsaPeer     = regexp.MustCompile(`^Qm[1-9A-HJ-NP-Za-km-z]{44}$`)
	ed25519Peer = regexp.MustCompile(`^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$`)
)

// phone accepts a number as DingTalk wants it for a mention.
func phone(s string) (string, fleet.Reason) {
	if !phonePattern.MatchString(s) {
		return "", fleet.Because("config.bad_phone", "value", showText(s))
	}
	return s, fleet.Reason{}
}

var phonePattern = regexp.MustCompile(`^\+?[0-9][0-9-]{4,19}$`)
