package wire

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

// The protocol between a world and the real processes of its parts, over a unix socket: JSON, one message a line. The
// process says roleHello, and roleSignal when it gets SIGTERM; the world says roleReply: first whether the process may be
// the part, later that it has to end. The part lives exactly as long as the connection.
const (
	roleProtocol  = 1
	roleLineLimit = 256 << 10
	roleHurry     = 10 * time.Second // for the first message, and for the last one to be taken
)

type roleHello struct {
	Protocol int               `json:"protocol"`
	Role     string            `json:"role"`
	Part     string            `json:"part"`
	PID      int               `json:"pid"`
	Args     []string          `json:"args,omitempty"`
	Env      map[string]string `json:"env,omitempty"`
	Mounts   []string          `json:"mounts,omitempty"`
}

type roleSignal struct {
	Signal string `json:"signal"` // TERM
}

type roleReply struct {
	Joined  string          `json:"joined,omitempty"` // the part's full name
	Kind    fleet.ErrorKind `json:"kind,omitempty"`
	Refused *fleet.Reason   `json:"refused,omitempty"`
	Exit    *int            `json:"exit,omitempty"`
}

// RoleProcess is a real process that is a part of the served world.
type RoleProcess struct {
	Part   string // node-1/phala-node
	Role   string // node
	PID    int    // in its own container
	Args   []string
	Env    map[string]string // what the image reads, without secrets
	Mounts []string          // where its container has something mounted
	Since  time.Time         // in the fleet's time
}

// roleDesk is where real processes join.
type roleDesk struct {
	path     string
	listener *net.UnixListener
	file     os.FileInfo // the socket as it was made
	closing  sync.Once

	mu        sync.Mutex
	processes map[*world.Body]RoleProcess
}

// Roles are the real processes that are parts of the world now, in the order of the parts' names.
func (s *Server) Roles() []RoleProcess {
	if s.desk == nil {
		return nil
	}
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	var all []RoleProcess
	for _, p := range s.desk.processes {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b RoleProcess) int { return cmp.Compare(a.Part, b.Part) })
	return all
}

// openDesk listens on a unix socket that only this user's processes, and root's in containers, can write to. A socket on
// which nobody listens any more is replaced; anything else that is there is left alone.
func (s *Server) openDesk(path string) error {
	if err := clearSocket(s.ctx, path); err != nil {
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return fleet.FailWith(fleet.Invalid, fleet.Because("sim.role_listen", "path", path, "err", err), err)
	}
	l.SetUnlinkOnClose(false) // somebody else's may have its name by then
	d := &roleDesk{path: path, listener: l, processes: map[*world.Body]RoleProcess{}}
	err = os.Chmod(path, 0o600)
	if err == nil {
		d.file, err = os.Lstat(path)
	}
	if err != nil {
		_ = l.Close()
		return fleet.FailWith(fleet.Failed, fleet.Because("sim.role_listen", "path", path, "err", err), err)
	}
	s.desk = d
	s.running.Go(func() {
		for {
			conn, err := l.AcceptUnix()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				s.running.Go(func() { s.host(conn) })
			} else if s.face.clock.Sleep(s.ctx, syncEvery) != nil { // out of descriptors, for example
				return
			}
		}
	})
	return nil
}

// clearSocket makes room for a socket.
func clearSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fleet.FailWith(fleet.Invalid, fleet.Because("sim.role_listen", "path", path, "err", err), err)
	case info.Mode().Type() != fs.ModeSocket:
		return fleet.Fail(fleet.Invalid, fleet.Because("sim.role_no_socket", "path", path))
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fleet.Fail(fleet.Locked, fleet.Because("sim.role_socket_taken", "path", path))
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the socket of a server that is gone: %w", err)
	}
	return nil
}

// close ends the listening and takes the socket away, if it is still the one that was made.
func (d *roleDesk) close() {
	if d == nil {
		return
	}
	d.closing.Do(func() {
		if now, err := os.Lstat(d.path); err == nil && os.SameFile(now, d.file) {
			_ = os.Remove(d.path)
		}
		_ = d.listener.Close()
	})
}

// host is the life of one process in the world.
func (s *Server) host(conn *net.UnixConn) {
	defer conn.Close()
	defer context.AfterFunc(s.ctx, func() { _ = conn.Close() })()
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, roleLineLimit)
	_ = conn.SetReadDeadline(time.Now().Add(roleHurry))
	if !lines.Scan() {
		return
	}
	var hello roleHello
	if err := json.Unmarshal(lines.Bytes(), &hello); err != nil || hello.Protocol != roleProtocol {
		roleSay(conn, refusal(fleet.Fail(fleet.Invalid, fleet.Because("sim.role_protocol", "theirs", hello.Protocol, "ours", roleProtocol))))
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	end := make(chan int, 1)
	body, err := s.join(hello, func(code int) { end <- code })
	if err != nil {
		roleSay(conn, refusal(err))
		return
	}
	defer s.desk.forget(body)
	roleSay(conn, roleReply{Joined: body.Part()})

	broken := make(chan struct{})
	var listening sync.WaitGroup
	listening.Go(func() {
		defer close(broken)
		for lines.Scan() {
			var signal roleSignal
			if json.Unmarshal(lines.Bytes(), &signal) == nil && signal.Signal == "TERM" {
				s.face.Do(func(*world.World) { body.Terminate() })
			}
		}
	})
	defer listening.Wait()
	select {
	case code := <-end:
		_ = conn.SetReadDeadline(time.Now().Add(roleHurry)) // it closes the connection by ending
		roleSay(conn, roleReply{Exit: &code})
	case <-broken:
		if s.ctx.Err() == nil { // else it is the world that ends
			s.face.Do(func(*world.World) { body.Lost() })
		}
	}
}

// join makes the process a part of the world.
func (s *Server) join(hello roleHello, end func(int)) (body *world.Body, err error) {
	s.face.Do(func(w *world.World) {
		body, err = w.Join(world.Role{Name: hello.Role, Module: hello.Env["PHALA_MODULE"], Part: hello.Part, Args: hello.Args, Env: hello.Env, End: end})
		if err != nil {
			return
		}
		s.desk.mu.Lock()
		defer s.desk.mu.Unlock()
		s.desk.processes[body] = RoleProcess{Part: body.Part(), Role: hello.Role, PID: hello.PID, Args: hello.Args, Env: hello.Env,
			Mounts: hello.Mounts, Since: w.Now()}
	})
	return body, err
}

func (d *roleDesk) forget(b *world.Body) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.processes, b)
}

func refusal(err error) roleReply {
	why := fleet.ReasonOf(err)
	return roleReply{Refused: &why, Kind: fleet.KindOf(err)}
}

// roleSay sends one message. Whoever does not take it is gone, and its reader says so.
func roleSay(conn *net.UnixConn, message any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err) // the messages are made of strings and numbers
	}
	_ = conn.SetWriteDeadline(time.Now().Add(roleHurry))
	_, _ = conn.Write(append(line, '\n'))
}
