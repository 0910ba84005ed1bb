package fleet

import (
	"slices"
	"time"
)

// Maintenance is a window that a person opened: until it ends phalops decides and records, and treats nothing by itself.
// Windows of the configuration are config.Window.
type Maintenance struct {
	ID     string    `json:"id"`
	Sites  []string  `json:"sites,omitempty"` // none: the whole fleet
	Why    string    `json:"why,omitempty"`   // in the person's own words
	Author string    `json:"author"`          // "user:<name>"
	Began  time.Time `json:"began"`
	Ends   time.Time `json:"ends"` // the end is outside of it; one that was closed early ends then
}

// Covers reports whether the window holds a site at now. When it began is not asked: a window is opened by a person who wants
// peace from then on, and a clock that was set back since must not open the hunt again.
func (m Maintenance) Covers(site string, now time.Time) bool {
	return now.Before(m.Ends) && (len(m.Sites) == 0 || slices.Contains(m.Sites, site))
}
