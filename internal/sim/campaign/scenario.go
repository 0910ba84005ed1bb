package campaign

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

//go:embed month.yaml
var month string

// DefaultScenario is an ordinary month, see DefaultScenarioYAML.
func DefaultScenario() Scenario {
	s, err := ParseScenario([]byte(month))
	if err != nil {
		panic(err) // a test parses it
	}
	return s
}

// DefaultScenarioYAML is the source of DefaultScenario, with the documentation of the format.
func DefaultScenarioYAML() string { return month }

// Scenario says what goes wrong in a campaign, and how often.
type Scenario struct {
	Name string
	Rows []Row
}

// Row is one thing that goes wrong again and again.
type Row struct {
	Fault world.Fault // At is not used; Target narrows the targets of its kind, default all
	// Every is the mean time between two of them at one target, which are exponentially apart; At are fixed times since the beginning.
	// Exactly one of them is given.
	Every  time.Duration
	At     []time.Duration
	Source string // where the rate or the duration comes from
}

// ParseScenario reads a scenario as DefaultScenarioYAML documents it. Keys are strict. Problems are *fleet.Error of kind Invalid, joined.
func ParseScenario(text []byte) (Scenario, error) {
	var raw struct {
		Name   string
		Faults []struct {
			Fault, Target, Chain, Text, Source string
			Every, For, Delay                  time.Duration
			At                                 []time.Duration
			CuredBy                            string `yaml:"cured_by"`
		}
	}
	if err := yaml.Load(text, &raw, yaml.WithKnownFields()); err != nil {
		return Scenario{}, fleet.FailWith(fleet.Invalid, fleet.Because("campaign.scenario_syntax", "err", err), err)
	}
	s := Scenario{Name: raw.Name}
	if len(raw.Faults) == 0 || raw.Name == "" {
		return Scenario{}, fleet.Fail(fleet.Invalid, fleet.Because("campaign.scenario_empty"))
	}
	var errs []error
	for i, f := range raw.Faults {
		if f.Target == "" {
			f.Target = "*"
		}
		row := Row{Every: f.Every, At: f.At, Source: strings.TrimSpace(f.Source), Fault: world.Fault{Kind: f.Fault, Target: f.Target,
			Chain: f.Chain, Text: f.Text, For: f.For, CuredBy: f.CuredBy, Delay: f.Delay}}
		if err := row.check(); err != nil {
			errs = append(errs, fmt.Errorf("%d: %w", i+1, err))
		}
		s.Rows = append(s.Rows, row)
	}
	return s, errors.Join(errs...)
}

// leastEvery keeps a slip of the pen from making millions of faults.
const leastEvery = time.Hour

func (r Row) check() error {
	switch {
	case (r.Every != 0) == (len(r.At) > 0), r.Every < 0, r.Every != 0 && r.Every < leastEvery, len(r.At) > 0 && slices.Min(r.At) < 0:
		return fleet.Fail(fleet.Invalid, fleet.Because("campaign.scenario_when", "fault", r.Fault.Kind, "least", leastEvery))
	case r.Source == "":
		return fleet.Fail(fleet.Invalid, fleet.Because("campaign.scenario_source", "fault", r.Fault.Kind))
	case strings.HasPrefix(r.Fault.Target, "random:"):
		return fleet.Fail(fleet.Invalid, fleet.Because("campaign.scenario_random", "fault", r.Fault.Kind))
	}
	return r.Fault.Check()
}

// Draw settles what goes wrong when, before anything happens: each target has its own luck, which follows from the world's seed, the
// row's kind and place and the target's name alone. Faults come in the order of time.
func (s Scenario) Draw(w *world.World, lasts time.Duration) world.Scenario {
	drawn := world.Scenario{Name: s.Name}
	for i, row := range s.Rows {
		for _, target := range w.Targets(row.Fault.Kind) {
			if !among(row.Fault.Target, target) {
				continue
			}
			f := row.Fault
			f.Target = target
			for _, at := range row.moments(w, fmt.Sprintf("campaign/%d/%s/%s", i, f.Kind, target), lasts) {
				f.At = at
				drawn.Faults = append(drawn.Faults, f)
			}
		}
	}
	slices.SortStableFunc(drawn.Faults, func(a, b world.Fault) int { return cmp.Compare(a.At, b.At) })
	return drawn
}

// moments are when it goes wrong at one target. While it is wrong there it does not go wrong again.
func (r Row) moments(w *world.World, name string, lasts time.Duration) (all []time.Duration) {
	if r.Every == 0 {
		return slices.DeleteFunc(slices.Clone(r.At), func(at time.Duration) bool { return at >= lasts })
	}
	luck := w.Rand(name)
	for at := time.Duration(0); ; at += r.Fault.For {
		at += time.Duration(luck.ExpFloat64() * float64(r.Every)).Round(time.Second)
		if at >= lasts {
			return all
		}
		all = append(all, at)
	}
}

// among takes a pattern for the whole name, or for what follows the bridge in it.
func among(pattern, name string) bool {
	if _, short, ok := strings.Cut(name, "/"); ok && !strings.Contains(pattern, "/") {
		name = short
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
