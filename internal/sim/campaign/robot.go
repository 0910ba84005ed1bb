package campaign

import (
	"context"
	"strings"
	"time"

	"phalops/internal/notify"
	"phalops/internal/sim/world"
)

// sender delivers to a robot of the world as the client of its service does, without the wire.
type sender struct {
	daemon *Daemon
	robot  *world.Robot
}

var _ notify.Sender = sender{}

// sendLimit is how long the pipeline waits for a send.
const sendLimit = 20 * time.Second

// Limit is what the service takes.
func (s sender) Limit() (int, time.Duration) { return 20, time.Minute }

// Send delivers one alert.
func (s sender) Send(ctx context.Context, a notify.Alert, _ time.Time) (bool, error) {
	if s.daemon.dead {
		return true, errGone
	}
	url := "robot " + s.robot.Name
	switch s.robot.Down {
	case world.RobotHangs:
		if err := s.daemon.sim.sleep(ctx, sendLimit); err != nil {
			return true, err
		}
		return true, timedOut(url)
	case world.Robot5xx:
		return true, &notify.Refused{Err: refused(url)}
	}
	var text strings.Builder
	for _, i := range a.Items {
		text.WriteString(i.Title + "\n" + strings.Join(i.Lines, "\n") + "\n")
	}
	reply := s.robot.Take(a.Title, text.String())
	switch {
	case reply.Code != 0:
		return true, &notify.Refused{Err: refused(url), After: time.Minute}
	case s.robot.Down == world.RobotAfter:
		return true, timedOut(url)
	}
	return false, nil
}

// senders are the channels of a daemon: one for every robot.
func (d *Daemon) senders() map[string]notify.Sender {
	all := map[string]notify.Sender{}
	for _, r := range d.sim.World.Robots() {
		all[r.Name] = sender{d, r}
	}
	return all
}
