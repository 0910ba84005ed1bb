package observe

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// disk asks how full the file system of a node's chain data is.
func disk(ctx context.Context, c clock.Clock, src NodeSource, prev *fleet.DiskStatus) *fleet.DiskStatus {
	ctx, cancel := context.WithTimeout(ctx, hostTimeout)
	defer cancel()
	s := fleet.DiskStatus{Path: src.Volume}
	if prev != nil && prev.Path == s.Path {
		s = *prev
	}
	r, err := src.Machine.Run(ctx, host.Command{Argv: []string{"df", "-P", "-k", "--", src.Volume}, Env: []string{"LC_ALL=C"}, MaxOutput: 16 << 10})
	at := c.Now()
	if err == nil {
		if d, ok := parseDF(string(r.Stdout)); ok {
			s.Probe, s.Mount, s.Free, s.Total = s.Answered(at), d.Mount, d.Free, d.Total
			return &s
		}
		err = fleet.Fail(fleet.Failed, fleet.Because("observe.bad_df", "path", src.Volume, "line", host.LastLine(r.Stdout)))
	}
	s.Probe = s.Silent(at, fleet.ReasonOf(err))
	return &s
}

// dfLine is the last line of df -P -k: device, total, used, available, share, mount point. A device and a mount point may
// hold spaces.
var dfLine = regexp.MustCompile(`\s(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(/.*)$`)

func parseDF(out string) (fleet.DiskStatus, bool) {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	m := dfLine.FindStringSubmatch(lines[len(lines)-1])
	if m == nil {
		return fleet.DiskStatus{}, false
	}
	total, err := strconv.ParseUint(m[1], 10, 50)
	if err != nil || total == 0 {
		return fleet.DiskStatus{}, false
	}
	free, err := strconv.ParseUint(m[3], 10, 50)
	if strings.HasPrefix(m[3], "-") { // less than what is kept for root
		free, err = 0, nil
	}
	if err != nil || free > total {
		return fleet.DiskStatus{}, false
	}
	return fleet.DiskStatus{Mount: host.LastLine([]byte(m[4])), Free: free << 10, Total: total << 10}, true
}

// askPort asks an RPC with nothing but bash: $0 is the address, $1 the port. Its exit codes: 0 with the first line of an
// answer, 7 nobody listens, 28 nothing came.
const askPort = `exec 2>/dev/null
trap '' PIPE
exec 3<>"/dev/tcp/$0/$1" || exit 7
body='{"jsonrpc":"2.0","id":1,"method":"system_health","params":[]}'
printf 'POST / HTTP/1.1\r\nHost: localhost:%s\r\nContent-Type: application/json\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' "$1" "${#body}" "$body" >&3 || exit 7
IFS= read -r -t 8 line <&3
code=$?
[ "$code" -gt 128 ] && exit 28
[ -n "$line" ] || exit 7
printf '%s\n' "$line"`

const (
	exitRefused   = 7
	exitHangs     = 28
	exitTimeout   = 124 // of timeout(1): not even the connection came about
	serverTrouble = "5"
)

// fromHost asks an RPC port from the node's own host. That a program in front of the node took the connection and closed it
// (Docker's proxy does) counts as refused.
func fromHost(ctx context.Context, c clock.Clock, m Machine, address string) fleet.HostView {
	name, port, ok := portOf(address)
	if !ok {
		return fleet.HostView{At: c.Now()}
	}
	ctx, cancel := context.WithTimeout(ctx, hostTimeout)
	defer cancel()
	r, err := m.Run(ctx, host.Command{Argv: []string{"timeout", "12", "bash", "-c", askPort, name, port}, MaxOutput: 4 << 10})
	view := fleet.HostView{At: c.Now()}
	code := 0
	if exit, ended := errors.AsType[*host.ExitError](err); ended {
		code = exit.Code
	} else if err != nil {
		return view
	}
	view.Says = saysOf(code, string(r.Stdout))
	return view
}

func saysOf(code int, line string) string {
	switch code {
	case 0:
		status, isHTTP := strings.CutPrefix(line, "HTTP/1.")
		_, status, _ = strings.Cut(status, " ")
		switch {
		case !isHTTP:
			return ""
		case strings.HasPrefix(status, serverTrouble):
			return fleet.HostRefused // a proxy in front of a dead node
		}
		return fleet.HostAnswers
	case exitRefused:
		return fleet.HostRefused
	case exitHangs, exitTimeout:
		return fleet.HostHangs
	}
	return ""
}
