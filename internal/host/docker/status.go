package docker

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Labels that compose, v1 and v2, puts on its containers.
const (
	projectLabel = "com.docker.compose.project"
	serviceLabel = "com.docker.compose.service"
)

// filters is what the engine can do of f; chosen does it exactly.
func filters(f host.Filter) client.Filters {
	q := client.Filters{}
	if f.Project != "" {
		q.Add("label", projectLabel+"="+f.Project)
	}
	if f.Service != "" {
		q.Add("label", serviceLabel+"="+f.Service)
	}
	if f.Name != "" {
		q.Add("name", "^/?"+regexp.QuoteMeta(f.Name)+"$")
	}
	return q
}

func chosen(f host.Filter, c fleet.ContainerStatus) bool {
	return (f.Project == "" || f.Project == c.Project) &&
		(f.Service == "" || f.Service == c.Service) &&
		(f.Name == "" || f.Name == c.Name)
}

func byName(list []fleet.ContainerStatus) {
	slices.SortFunc(list, func(a, b fleet.ContainerStatus) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// status is what the engine says of a container, in the words of fleet. Whatever it leaves out stays zero.
func status(in container.InspectResponse, now time.Time) fleet.ContainerStatus {
	c := fleet.ContainerStatus{
		Probe:    fleet.Probe{}.Answered(now),
		ID:       in.ID,
		Name:     strings.TrimPrefix(in.Name, "/"),
		Image:    in.Image,
		Restarts: in.RestartCount,
	}
	if in.Config != nil {
		c.Image = cmp.Or(in.Config.Image, in.Image)
		c.Labels = in.Config.Labels
		c.Project, c.Service = c.Labels[projectLabel], c.Labels[serviceLabel]
	}
	if s := in.State; s != nil {
		c.State = string(s.Status)
		c.ExitCode = s.ExitCode
		c.Started, c.Finished = moment(s.StartedAt), moment(s.FinishedAt)
		if s.Health != nil && s.Health.Status != container.NoHealthcheck {
			c.Health = string(s.Health.Status)
		}
	}
	return c
}

// moment reads the engine's time; year 1 is its "never".
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}
