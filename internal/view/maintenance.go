package view

import (
	"time"

	"phalops/internal/fleet"
)

// Where a maintenance window comes from.
const (
	FromPerson        = "person"
	FromConfiguration = "configuration"
)

// Maintenance is a maintenance window: one that a person opened, or one of the configuration, open now or next.
type Maintenance struct {
	ID     string    `json:"id"` // of the configuration's: its name
	Source string    `json:"source"`
	Sites  []string  `json:"sites"` // none: the whole fleet
	Open   bool      `json:"open"`
	Began  time.Time `json:"began"` // of one that is not open: when it opens next
	Ends   time.Time `json:"ends"`
	Author string    `json:"author,omitempty"`
	Why    string    `json:"why,omitempty"`
}

// Opened shows a window that a person opened.
func Opened(m fleet.Maintenance, now time.Time) Maintenance {
	return Maintenance{ID: m.ID, Source: FromPerson, Sites: list(m.Sites), Open: now.Before(m.Ends), Began: m.Began.UTC(), Ends: m.Ends.UTC(), Author: m.Author, Why: m.Why}
}

// Configured shows a window of the configuration.
func Configured(name string, sites []string, open bool, began, ends time.Time) Maintenance {
	return Maintenance{ID: name, Source: FromConfiguration, Sites: list(sites), Open: open, Began: began.UTC(), Ends: ends.UTC()}
}

// list is never null in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
