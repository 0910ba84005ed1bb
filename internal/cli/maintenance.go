package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/view"
)

// Bounds of a window that a person opens: as long as one of the configuration may be, and no shorter than anybody needs.
const (
	shortestWindow = time.Minute
	longestWindow  = 7 * 24 * time.Hour
	longestWhy     = 200 // characters
)

func (a *app) maintenanceCmd() *cobra.Command {
	var where sitesFlags
	var length time.Duration
	on := &cobra.Command{
		Use: "on [WHY]", Short: a.say("cli.maintenance_on"), Long: a.say("cli.maintenance_on_long"), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			why := strings.Join(args, " ")
			switch {
			case length == 0:
				return usage("cli.needs_flag", "one", "maintenance on", "other", "--for")
			case length < shortestWindow || length > longestWindow:
				return usage("cli.bad_window", "for", length, "least", shortestWindow, "most", longestWindow)
			case len([]rune(why)) > longestWhy || strings.ContainsFunc(why, unicode.IsControl):
				return usage("cli.bad_why", "most", longestWhy)
			}
			if err := where.check(); err != nil {
				return err
			}
			return a.withCore(cmd.Context(), func(ctx context.Context, s *session) error { return s.openWindow(ctx, where, length, why) })
		},
	}
	a.sitesFlags(on, &where)
	on.Flags().DurationVar(&length, "for", 0, a.say("cli.flag_window"))

	var out sitesFlags
	off := &cobra.Command{
		Use: "off [ID]", Short: a.say("cli.maintenance_off"), Long: a.say("cli.maintenance_off_long"), Args: a.args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				if err := out.check(); err != nil {
					return err
				}
			} else if out.given() {
				return usage("cli.not_together", "one", "ID", "other", "--site, --all")
			}
			return a.withCore(cmd.Context(), func(ctx context.Context, s *session) error { return s.closeWindows(ctx, out, args) })
		},
	}
	a.sitesFlags(off, &out)
	list := &cobra.Command{
		Use: "list", Short: a.say("cli.maintenance_list"), Long: a.say("cli.maintenance_list_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withReader(cmd.Context(), func(ctx context.Context, s *session) error { return s.listWindows(ctx, nil) })
		},
	}
	return a.noun("maintenance", "cli.maintenance", on, off, list)
}

// sitesFlags choose sites, or the whole fleet.
type sitesFlags struct {
	sites []string
	all   bool
}

func (a *app) sitesFlags(cmd *cobra.Command, f *sitesFlags) {
	cmd.Flags().StringSliceVar(&f.sites, "site", nil, a.say("cli.sel_site"))
	cmd.Flags().BoolVar(&f.all, "all", false, a.say("cli.flag_all_sites"))
}

func (f sitesFlags) given() bool { return f.all || len(f.sites) > 0 }

func (f sitesFlags) check() error {
	switch {
	case !f.given():
		return usage("cli.no_selector", "flags", "--site, --all")
	case f.all && len(f.sites) > 0:
		return usage("cli.not_together", "one", "--all", "other", "--site")
	}
	return nil
}

// known refuses sites that are not configured: a window for a name that nobody has would keep nobody in peace.
func (s *session) known(sites []string) error {
	for _, name := range sites {
		if all := s.siteNames(); !slices.Contains(all, name) {
			return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_site", "site", name, "known", strings.Join(all, ", ")))
		}
	}
	return nil
}

func (s *session) siteNames() (all []string) {
	for _, site := range s.core.Config().Sites {
		all = append(all, site.Name)
	}
	return all
}

// openWindow opens a window and shows what holds now.
func (s *session) openWindow(ctx context.Context, where sitesFlags, length time.Duration, why string) error {
	if err := s.known(where.sites); err != nil {
		return err
	}
	sites := slices.Clone(where.sites)
	slices.Sort(sites)
	now := s.core.Clock.Now()
	m := fleet.Maintenance{ID: windowID(), Sites: slices.Compact(sites), Why: why, Author: s.author(), Began: now, Ends: now.Add(length)}
	if s.flags.dryRun {
		fmt.Fprintln(s.Stderr, s.say("cli.dry_run_window"))
		m.ID = "–"
		return s.listWindows(ctx, []fleet.Maintenance{m})
	}
	reason := fleet.Because("maintenance.opened", "id", m.ID, "until", m.Ends)
	if why != "" {
		reason = fleet.Because("maintenance.opened_why", "id", m.ID, "until", m.Ends, "why", why)
	}
	if err := s.core.Store.SaveMaintenance(ctx, []fleet.Maintenance{m}, s.windowEvents(m.Sites, reason, now)...); err != nil {
		return err
	}
	if err := s.goesOn(ctx, m, now); err != nil {
		return err
	}
	return s.listWindows(ctx, nil)
}

// goesOn tells of plans that are under way where a window was opened: it stops none of them.
func (s *session) goesOn(ctx context.Context, m fleet.Maintenance, now time.Time) error {
	plans, err := s.core.Engine.Unended(ctx)
	if err != nil {
		return err
	}
	for _, p := range plans {
		if m.Covers(p.Site, now) {
			fmt.Fprintln(s.Stderr, s.say("cli.window_plan", "plan", p.ID, "kind", "plan_kind."+p.Kind, "author", p.Author))
		}
	}
	return nil
}

// windowID is short enough to be typed.
func windowID() string {
	id := uuid.New()
	return id.String()[:8]
}

func (s *session) windowEvents(sites []string, why fleet.Reason, now time.Time) (out []fleet.Event) {
	targets := []fleet.Ref{fleet.Fleet}
	if len(sites) > 0 {
		targets = nil
		for _, site := range sites {
			targets = append(targets, fleet.SiteRef(site))
		}
	}
	for _, t := range targets {
		out = append(out, fleet.Event{At: now, Kind: fleet.EventMaintenance, Author: s.author(), Target: t, Reason: why})
	}
	return out
}

// closeWindows ends windows that persons opened: one by its ID, else those of some sites or all of them. A window over more
// sites than these stays for the others.
func (s *session) closeWindows(ctx context.Context, where sitesFlags, ids []string) error {
	if err := s.known(where.sites); err != nil {
		return err
	}
	now := s.core.Clock.Now()
	open, err := s.core.Store.Maintenance(ctx, now)
	if err != nil {
		return err
	}
	var changed []fleet.Maintenance
	var events []fleet.Event
	for _, m := range open {
		left, gone := s.without(m, where, ids)
		switch {
		case !gone:
			continue
		case len(left) == 0:
			events = append(events, s.windowEvents(m.Sites, fleet.Because("maintenance.closed", "id", m.ID), now)...)
			m.Ends = now
		default:
			events = append(events, s.windowEvents(where.sites, fleet.Because("maintenance.left", "id", m.ID, "sites", strings.Join(left, ", ")), now)...)
			m.Sites = left
		}
		changed = append(changed, m)
	}
	switch {
	case len(changed) == 0 && len(ids) > 0:
		return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_window", "id", ids[0]))
	case len(changed) == 0:
		fmt.Fprintln(s.Stderr, s.say("cli.no_window_open"))
	case s.flags.dryRun:
		fmt.Fprintln(s.Stderr, s.say("cli.dry_run_window"))
		return s.listWindows(ctx, changed)
	default:
		if err := s.core.Store.SaveMaintenance(ctx, changed, events...); err != nil {
			return err
		}
	}
	return s.listWindows(ctx, nil)
}

// without is the sites that are left of a window, and whether it loses any.
func (s *session) without(m fleet.Maintenance, where sitesFlags, ids []string) (left []string, gone bool) {
	if len(ids) > 0 || where.all {
		return nil, where.all || m.ID == ids[0]
	}
	covered := m.Sites
	if len(covered) == 0 {
		covered = s.siteNames()
	}
	left = slices.DeleteFunc(slices.Clone(covered), func(site string) bool { return slices.Contains(where.sites, site) })
	return left, len(left) < len(covered)
}

// listWindows shows the windows that persons opened (instead: those given), and those of the configuration with their next time.
func (s *session) listWindows(ctx context.Context, instead []fleet.Maintenance) error {
	now := s.core.Clock.Now()
	opened := instead
	if opened == nil {
		var err error
		if opened, err = s.core.Store.Maintenance(ctx, now); err != nil {
			return err
		}
	}
	out := []view.Maintenance{}
	for _, m := range opened {
		out = append(out, view.Opened(m, now))
	}
	if instead == nil {
		out = append(out, s.configured(now)...)
	}
	return s.print(out, s.windowGrid(out))
}

// openNow are the windows, of persons and of the configuration, that are open.
func (s *session) openNow(ctx context.Context, now time.Time) ([]view.Maintenance, error) {
	opened, err := s.core.Store.Maintenance(ctx, now)
	if err != nil {
		return nil, err
	}
	out := s.configured(now)
	for _, m := range opened {
		out = append(out, view.Opened(m, now))
	}
	return slices.DeleteFunc(out, func(w view.Maintenance) bool { return !w.Open }), nil
}

func (s *session) windowGrid(windows []view.Maintenance) grid {
	g := grid{head: []string{"col.id", "col.sites", "col.window", "col.from", "col.until", "col.author", "col.why"}, spare: []string{"col.from", "col.author"}}
	for _, w := range windows {
		sites := strings.Join(w.Sites, ", ")
		if sites == "" {
			sites = s.say("kind.fleet")
		}
		author := w.Author
		if w.Source == view.FromConfiguration && !s.csv() {
			author = s.say("window.configuration")
		}
		g.add(w.ID, sites, s.windowState(w.Open), s.when(w.Began), s.when(w.Ends), author, w.Why)
	}
	return g
}

func (a *app) windowState(open bool) string {
	switch {
	case a.csv() && open:
		return "open"
	case a.csv():
		return "later"
	case open:
		return a.paint(yellow, a.say("window.open"))
	}
	return a.paint(faint, a.say("window.later"))
}

// configured are the windows of the configuration: open ones, and of the others when they open next. Their expressions are
// this machine's time, as the daemon reads them.
func (s *session) configured(now time.Time) (out []view.Maintenance) {
	local := now.Local()
	for _, w := range s.core.Config().Windows {
		began, open := w.OpenSince(local)
		if !open {
			next, ever := w.Next(local)
			if !ever {
				continue
			}
			began = next
		}
		out = append(out, view.Configured(w.Name, w.Sites, open, began, began.Add(w.For)))
	}
	return out
}
