package config

import (
	"slices"
	"time"

	"github.com/netresearch/go-cron"

	"phalops/internal/fleet"
)

func (r *reader) maintenance(v value) {
	v.objects(func(_ int, item value) {
		var w Window
		seen := item.object(
			must("name", scalar(&w.Name, titleText)),
			must("at", scalar(&w.At, cronText)),
			must("for", scalar(&w.For, duration(time.Minute, 7*day))),
			key("sites", list(&w.Sites, nameText, func(name string, item value) { r.refer(fleet.KindSite, name, item, nil) })),
		)
		if w.Name != "" {
			r.define(kindWindow, w.Name, seen["name"], definition{})
		}
		r.config.Windows = append(r.config.Windows, w)
	})
}

// titleText accepts what people call a thing that nothing refers to.
func titleText(s string) (string, fleet.Reason) {
	if s == "" {
		return "", fleet.Because("config.no_value")
	}
	return labelText(s)
}

// cronText accepts five fields as in crontab(5), and its extensions for the last or the n-th weekday of a month.
func cronText(s string) (string, fleet.Reason) {
	schedule, err := parseCron(s)
	if err != nil {
		return "", fleet.Because("config.bad_cron", "value", showText(s))
	}
	if schedule.Next(time.Unix(0, 0).UTC()).IsZero() {
		return "", fleet.Because("config.cron_never", "value", showText(s))
	}
	return s, fleet.Reason{}
}

// parseCron reads an expression as crontab(5) means it: where both days are restricted, one of them is enough.
func parseCron(s string) (cron.ScheduleWithPrev, error) {
	parser, err := cron.TryNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DomL | cron.DowNth | cron.DowLast | cron.DowOrDom)
	if err != nil {
		return nil, err
	}
	schedule, err := parser.Parse(s)
	if err != nil {
		return nil, err
	}
	return schedule.(cron.ScheduleWithPrev), nil // every schedule of fields is one
}

// OpenWindow is a maintenance window that covers a moment.
type OpenWindow struct {
	Window
	Began, Ends time.Time
}

// OpenWindows are the maintenance windows that cover a site at now, which must be in the time zone that the operators mean
// (their expressions are local time). The end of a window is outside of it.
func (c Config) OpenWindows(site string, now time.Time) []OpenWindow {
	var open []OpenWindow
	for _, w := range c.Windows {
		if len(w.Sites) > 0 && !slices.Contains(w.Sites, site) {
			continue
		}
		if began, yes := w.OpenSince(now); yes {
			open = append(open, OpenWindow{w, began, began.Add(w.For)})
		}
	}
	return open
}

// OpenSince is when a window opened that is open at now, which must be in the zone that the operators mean.
func (w Window) OpenSince(now time.Time) (began time.Time, open bool) {
	schedule, err := parseCron(w.At)
	if err != nil {
		return time.Time{}, false // not from a file: those are checked
	}
	began = schedule.Prev(now.Truncate(time.Second).Add(time.Second)) // the latest that is not after now
	return began, !began.IsZero() && now.Before(began.Add(w.For))
}

// Next is when a window opens next after now, which must be in the zone that the operators mean; false for never.
func (w Window) Next(now time.Time) (time.Time, bool) {
	schedule, err := parseCron(w.At)
	if err != nil {
		return time.Time{}, false
	}
	next := schedule.Next(now)
	return next, !next.IsZero()
}
