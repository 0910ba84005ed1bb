package wire

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"phalops/internal/fleet"
)

// rolePatience is how long a process waits for the world to take it.
const rolePatience = 10 * time.Second

// RoleOptions are what a process says of itself.
type RoleOptions struct {
	Socket string
	Image  Image
	Part   string // see world.Role
	Mounts []string
	// Joined is told the part's full name once the world has taken the process, Stopping that SIGTERM has been passed on.
	Joined   func(part string)
	Stopping func()
}

// PlayRole is a real process of a part of a served world. It returns the exit code with which the process has to end: what
// the world says, be it because the part crashed or because it is done after the end of stop, which stands for SIGTERM.
// However long that takes is the part's affair: whoever cannot wait sends SIGKILL. It is an error when the world refuses the
// process, or ends itself.
func PlayRole(stop context.Context, o RoleOptions) (int, error) {
	gone := func(err error) error {
		return fleet.FailWith(fleet.Unavailable, fleet.Because("sim.role_world_gone", "socket", o.Socket), err)
	}
	dialer := net.Dialer{Timeout: rolePatience}
	c, err := dialer.DialContext(stop, "unix", o.Socket)
	if err != nil {
		return 0, fleet.FailWith(fleet.Unavailable, fleet.Because("sim.role_no_world", "socket", o.Socket, "err", err), err)
	}
	defer c.Close()
	conn := c.(*net.UnixConn)
	roleSay(conn, roleHello{Protocol: roleProtocol, Role: o.Image.Role, Part: o.Part, PID: os.Getpid(), Args: o.Image.args(), Env: o.Image.env(), Mounts: o.Mounts})
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, roleLineLimit)
	_ = conn.SetReadDeadline(time.Now().Add(rolePatience))
	first, err := hear(lines)
	switch {
	case err != nil:
		return 0, gone(err)
	case first.Refused != nil:
		return 0, fleet.Fail(first.Kind, *first.Refused)
	}
	_ = conn.SetReadDeadline(time.Time{})
	o.Joined(first.Joined)
	type heard struct {
		roleReply
		err error
	}
	news, done := make(chan heard), make(chan struct{})
	var listening sync.WaitGroup
	listening.Go(func() {
		for {
			reply, err := hear(lines)
			select {
			case news <- heard{reply, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	})
	defer listening.Wait()
	defer conn.Close()
	defer close(done)
	for term := stop.Done(); ; {
		select {
		case <-term:
			term = nil
			o.Stopping()
			roleSay(conn, roleSignal{Signal: "TERM"})
		case n := <-news:
			if n.err != nil {
				return 0, gone(n.err)
			}
			if n.Exit != nil {
				return *n.Exit, nil
			}
		}
	}
}

func hear(lines *bufio.Scanner) (roleReply, error) {
	if !lines.Scan() {
		return roleReply{}, errors.Join(lines.Err(), net.ErrClosed)
	}
	var r roleReply
	err := json.Unmarshal(lines.Bytes(), &r)
	return r, err
}

// Mounts reads /proc/self/mountinfo: where something is mounted into a container, without what every container has.
func Mounts(mountinfo string) []string {
	var points []string
	for line := range strings.Lines(mountinfo) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		p := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(f[4])
		top, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
		if p == "/" || slices.Contains([]string{"proc", "sys", "dev"}, top) || strings.HasPrefix(p, "/etc/") {
			continue
		}
		points = append(points, p)
	}
	slices.Sort(points)
	return slices.Compact(points)
}
