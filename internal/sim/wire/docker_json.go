package wire

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"phalops/internal/sim/world"
)

// dockerSummary is a container in GET /containers/json, API 1.41.
type dockerSummary struct {
	ID         string `json:"Id"`
	Names      []string
	Image      string
	ImageID    string
	Command    string
	Created    int64
	Ports      []any
	Labels     map[string]string
	State      string
	Status     string
	HostConfig struct{ NetworkMode string }

	NetworkSettings struct{ Networks map[string]any }
	Mounts          []any
}

func summarize(c *world.Container, now time.Time) dockerSummary {
	s := dockerSummary{
		ID: c.ID(), Names: []string{"/" + c.Name}, Image: c.Image, ImageID: dockerImageID(c), Command: "/" + c.Name,
		Created: c.CreatedAt().Unix(), Ports: []any{}, Labels: c.Labels, State: c.State(), Status: dockerStatus(c, now), Mounts: []any{},
	}
	s.HostConfig.NetworkMode = "host"
	s.NetworkSettings.Networks = map[string]any{"host": map[string]any{}}
	return s
}

// dockerDetails is a container in GET /containers/{id}/json, API 1.41.
type dockerDetails struct {
	ID           string `json:"Id"`
	Created      string
	Path         string
	Args         []string
	State        dockerState
	Image        string
	Name         string
	RestartCount int
	Driver       string
	Platform     string
	HostConfig   struct {
		NetworkMode   string
		RestartPolicy struct {
			Name              string
			MaximumRetryCount int
		}
	}
	Mounts []any
	Config struct {
		Image  string
		Labels map[string]string
	}
}

type dockerState struct {
	Status     string
	Running    bool // also while the restart policy waits
	Paused     bool
	Restarting bool
	OOMKilled  bool
	Dead       bool
	Pid        int
	ExitCode   int
	Error      string
	StartedAt  string
	FinishedAt string
}

func describe(c *world.Container) dockerDetails {
	restarting := c.State() == world.StateRestarting
	d := dockerDetails{
		ID: c.ID(), Created: dockerTime(c.CreatedAt()), Path: "/" + c.Name, Args: []string{},
		State: dockerState{
			Status: c.State(), Running: c.Running() || restarting, Restarting: restarting, ExitCode: c.ExitCode(),
			StartedAt: dockerTime(c.StartedAt()), FinishedAt: dockerTime(c.FinishedAt()),
		},
		Image: dockerImageID(c), Name: "/" + c.Name, RestartCount: c.RestartCount(), Driver: "overlay2", Platform: "linux", Mounts: []any{},
	}
	if c.Running() {
		d.State.Pid = 1000 + c.Runs()
	}
	if err := c.Failure(); err != nil {
		d.State.Error = err.Error()
	}
	d.HostConfig.NetworkMode = "host"
	d.HostConfig.RestartPolicy.Name = "no"
	if c.RestartAlways {
		d.HostConfig.RestartPolicy.Name = "always"
	}
	d.Config.Image, d.Config.Labels = c.Image, c.Labels
	return d
}

func dockerTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// dockerImageID stands for the image's digest: the same for every container of an image.
func dockerImageID(c *world.Container) string {
	return "sha256:" + fmt.Sprintf("%064x", []byte(c.Image))[:64]
}

func dockerStatus(c *world.Container, now time.Time) string {
	switch c.State() {
	case world.StateRunning:
		return "Up " + dockerAge(now.Sub(c.StartedAt()))
	case world.StateRestarting:
		return fmt.Sprintf("Restarting (%d) %s ago", c.ExitCode(), dockerAge(now.Sub(c.FinishedAt())))
	case world.StateExited:
		return fmt.Sprintf("Exited (%d) %s ago", c.ExitCode(), dockerAge(now.Sub(c.FinishedAt())))
	default:
		return "Created"
	}
}

func dockerAge(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// dockerFilter is the parameter filters: term → wanted values.
type dockerFilter map[string][]string

// parseDockerFilter reads both forms that clients send: {"label":{"a=b":true}} and the old {"label":["a=b"]}.
func parseDockerFilter(text string) (dockerFilter, error) {
	if text == "" {
		return nil, nil
	}
	var terms map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &terms); err != nil {
		return nil, err
	}
	f := dockerFilter{}
	for term, raw := range terms {
		switch term {
		case "label", "name", "id", "status":
		default:
			return nil, unknownFilterError(term)
		}
		var set map[string]bool
		var list []string
		if json.Unmarshal(raw, &set) == nil {
			f[term] = slices.Collect(maps.Keys(set))
		} else if err := json.Unmarshal(raw, &list); err == nil {
			f[term] = list
		} else {
			return nil, err
		}
	}
	return f, nil
}

// unknownFilterError is a term that the engine does not know.
type unknownFilterError string

func (e unknownFilterError) Error() string { return "Invalid filter '" + string(e) + "'" }

// match reports whether c satisfies every term: all labels, and any of the names (regular expressions), ids, states.
func (f dockerFilter) match(c *world.Container) bool {
	for _, want := range f["label"] {
		k, v, valued := strings.Cut(want, "=")
		if have, ok := c.Labels[k]; !ok || valued && have != v {
			return false
		}
	}
	return anyOf(f["name"], func(p string) bool { return dockerNameMatches(p, c.Name) }) &&
		anyOf(f["id"], func(p string) bool { return strings.HasPrefix(c.ID(), p) }) &&
		anyOf(f["status"], func(s string) bool { return s == c.State() })
}

// anyOf reports whether one of the values will do; no value at all is no condition.
func anyOf(values []string, ok func(string) bool) bool {
	return len(values) == 0 || slices.ContainsFunc(values, ok)
}

func dockerNameMatches(pattern, name string) bool {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return pattern == name
	}
	return re.MatchString(name) || re.MatchString("/"+name)
}
