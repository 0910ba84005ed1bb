package cli

import (
	"fmt"
	"net/netip"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// selectorFlags are the flags with which every verb on workers chooses them.
type selectorFlags struct {
	all             bool
	sites, bridges  []string
	pools           []uint
	labels          []string
	names           []string
	endpoints       []string
	states          []string
	conditions      []string
	message         string
	unresponsiveFor time.Duration
	file            string
}

func (a *app) selectorFlags(cmd *cobra.Command) *selectorFlags {
	var s selectorFlags
	f := cmd.Flags()
	f.BoolVar(&s.all, "all", false, a.say("cli.sel_all"))
	f.StringSliceVar(&s.sites, "site", nil, a.say("cli.sel_site"))
	f.StringSliceVar(&s.bridges, "bridge", nil, a.say("cli.sel_bridge"))
	f.UintSliceVar(&s.pools, "pool", nil, a.say("cli.sel_pool"))
	f.StringSliceVar(&s.labels, "label", nil, a.say("cli.sel_label"))
	f.StringSliceVar(&s.names, "name", nil, a.say("cli.sel_name"))
	f.StringSliceVar(&s.endpoints, "endpoint", nil, a.say("cli.sel_endpoint"))
	f.StringSliceVar(&s.states, "state", nil, a.say("cli.sel_state"))
	f.StringSliceVar(&s.conditions, "condition", nil, a.say("cli.sel_condition"))
	f.StringVar(&s.message, "message", "", a.say("cli.sel_message"))
	f.DurationVar(&s.unresponsiveFor, "unresponsive-for", 0, a.say("cli.sel_unresponsive"))
	f.StringVar(&s.file, "file", "", a.say("cli.sel_file"))
	return &s
}

// selector reads the flags; a value that makes no sense is a usage error.
func (a *app) selector(s *selectorFlags) (fleet.Selector, error) {
	out := fleet.Selector{All: s.all, Sites: s.sites, Bridges: s.bridges, Names: s.names, States: s.states, UnresponsiveFor: s.unresponsiveFor}
	for _, p := range s.pools {
		out.Pools = append(out.Pools, uint64(p))
	}
	if err := globs(s.names); err != nil {
		return out, err
	}
	for _, l := range s.labels {
		k, v, ok := strings.Cut(l, "=")
		if !ok || k == "" {
			return out, usage("cli.bad_label", "value", l)
		}
		if out.Labels == nil {
			out.Labels = map[string]string{}
		}
		out.Labels[k] = v
	}
	for _, e := range s.endpoints {
		if p, err := netip.ParsePrefix(e); err == nil {
			out.Endpoints = append(out.Endpoints, p)
		} else if addr, err := netip.ParseAddr(e); err == nil {
			out.Endpoints = append(out.Endpoints, netip.PrefixFrom(addr, addr.BitLen()))
		} else {
			out.Hosts = append(out.Hosts, e)
		}
	}
	for _, c := range s.conditions {
		known, err := condition(c)
		if err != nil {
			return out, err
		}
		out.Conditions = append(out.Conditions, known)
	}
	if s.message != "" {
		re, err := regexp.Compile(s.message)
		if err != nil {
			return out, usage("cli.bad_regexp", "value", s.message, "err", err)
		}
		out.Message = re
	}
	if s.file != "" {
		var err error
		if out.Listed, err = a.readList(s.file); err != nil {
			return out, err
		}
	}
	return out, nil
}

// globs refuses patterns that can match nothing because they are malformed.
func globs(patterns ...[]string) error {
	for _, g := range slices.Concat(patterns...) {
		if _, err := path.Match(g, ""); err != nil {
			return usage("cli.bad_glob", "value", g)
		}
	}
	return nil
}

func condition(s string) (fleet.Condition, error) {
	var names []string
	for _, c := range fleet.Conditions() {
		if strings.EqualFold(string(c), s) {
			return c, nil
		}
		names = append(names, string(c))
	}
	return "", usage("cli.bad_condition", "value", s, "known", strings.Join(names, ", "))
}

// readList reads a list that chooses workers from a file, or from standard input for "-".
func (a *app) readList(name string) ([]string, error) {
	in := a.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, usage("cli.no_file", "file", name, "err", err)
		}
		defer f.Close()
		in = f
	}
	listed, problems, err := roster.ParseListed(in)
	if err != nil {
		return nil, usage("cli.no_file", "file", name, "err", err)
	}
	return listed, problems.Err(name)
}

// choose lists the workers that a selector chooses, in order.
func choose(fleetNow snapshot, sel fleet.Selector) []chosen {
	var out []chosen
	for _, b := range fleetNow.Bridges {
		for _, w := range b.Workers {
			if sel.Match(b.Site, fleetNow.Labels(b.Ref.Name()), w, fleetNow.At) {
				out = append(out, chosen{site: b.Site, worker: w})
			}
		}
	}
	return out
}

type chosen struct {
	site   string
	worker fleet.WorkerStatus
}

func (c chosen) String() string {
	return fmt.Sprintf("%s (%s)", c.worker.Name, c.worker.Ref.Parent().Name())
}
