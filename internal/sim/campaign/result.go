package campaign

import (
	"maps"
	"slices"
	"time"

	"phalops/internal/loss"
	"phalops/internal/sim/world"
)

// Result is what a campaign came to. Its JSON keys are stable.
type Result struct {
	Policy   Policy `json:"policy"`
	Days     int    `json:"days"`
	Workers  int    `json:"workers"`
	Seed     uint64 `json:"seed"`
	Scenario string `json:"scenario"`
	Faults   int    `json:"faults"` // that struck

	Lost  Lost    `json:"lost_worker_hours"`
	Floor float64 `json:"floor_worker_hours"` // what somebody who knows everything would have lost

	Actions  int `json:"actions"`          // restarts, kicks and refreshes of workers; stops, restarts and kills of processes
	Needless int `json:"needless_actions"` // restarts of workers that worked
	Harmful  int `json:"harmful_actions"`  // whatever else made things worse

	Alerts       int     `json:"alerts"` // messages that were delivered
	AlertsPerDay float64 `json:"alerts_per_day"`

	TTR     TTR                   `json:"ttr_seconds"`
	ByFault map[string]FaultShare `json:"by_fault"` // by the kind of fault
}

// Lost are worker-hours without earnings, see loss.Split.
type Lost struct {
	Total         float64 `json:"total"`
	Undetected    float64 `json:"undetected"`
	Uncured       float64 `json:"uncured"`
	Recovery      float64 `json:"recovery"`
	SelfInflicted float64 `json:"self_inflicted"`
}

// TTR is how long workers did not earn when they did not, in seconds: time to recover. Those that never did again count until the end.
type TTR struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// FaultShare is what one kind of fault did.
type FaultShare struct {
	Faults  int     `json:"faults"`
	Outages int     `json:"outages"`
	Lost    Lost    `json:"lost_worker_hours"`
	Floor   float64 `json:"floor_worker_hours"`
	TTR     TTR     `json:"ttr_seconds"`
}

func result(o MonthOptions, run, floor lived) Result {
	all := loss.Sum(run.outages)
	r := Result{
		Policy: o.Policy, Days: o.Days, Workers: o.Workers, Seed: o.Seed, Scenario: o.Scenario.Name, Faults: len(run.faults),
		Lost: lost(all.Split), Floor: hours(loss.Sum(floor.outages).Total()), TTR: ttr(all),
		Alerts: run.messages, AlertsPerDay: float64(run.messages) / float64(o.Days), ByFault: map[string]FaultShare{},
	}
	for _, e := range run.effects {
		if isAction(e.Kind) {
			r.Actions++
		}
	}
	for _, h := range run.harms {
		if h.Kind == world.HarmRestartHealthy {
			r.Needless++
		} else {
			r.Harmful++
		}
	}
	share := func(kind string, change func(*FaultShare)) {
		s := r.ByFault[kind]
		change(&s)
		r.ByFault[kind] = s
	}
	for _, f := range run.faults {
		share(f.Kind, func(s *FaultShare) { s.Faults++ })
	}
	for _, c := range loss.ByCause(run.outages) {
		share(c.Cause, func(s *FaultShare) { s.Outages, s.Lost, s.TTR = c.Outages, lost(c.Split), ttr(c.Summary) })
	}
	for _, c := range loss.ByCause(floor.outages) {
		share(c.Cause, func(s *FaultShare) { s.Floor = hours(c.Total()) })
	}
	return r
}

// Kinds are the keys of ByFault in their order.
func (r Result) Kinds() []string { return slices.Sorted(maps.Keys(r.ByFault)) }

// isAction leaves out the second half of a stop and start, and what is written to inventories.
func isAction(kind string) bool {
	return slices.Contains([]string{"restart", "kick", "refresh", "stop", "kill"}, kind)
}

func lost(s loss.Split) Lost {
	return Lost{hours(s.Total()), hours(s.Undetected), hours(s.Uncured), hours(s.Recovery), hours(s.SelfInflicted)}
}

// hours rounds to what means something.
func hours(d time.Duration) float64 {
	return float64(d.Round(time.Hour/1000)) / float64(time.Hour)
}

func ttr(s loss.Summary) TTR { return TTR{s.P50.Seconds(), s.P95.Seconds(), s.P99.Seconds()} }
