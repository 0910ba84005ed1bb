package config

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"phalops/internal/secret"
)

// Show is the effective configuration as YAML: every default is written out, ranges are expanded, secrets are their
// references. Reading it gives c again.
func Show(c Config) ([]byte, error) {
	var out bytes.Buffer
	d, err := yaml.NewDumper(&out, yaml.WithIndent(2), yaml.WithLineWidth(-1), yaml.WithUnicode(true))
	if err != nil {
		return nil, err
	}
	if err := d.Dump(showConfig(c)); err != nil {
		return nil, err
	}
	if err := d.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// pair is one key with its value; a nil value leaves the key out.
type pair struct {
	key   string
	value *yaml.Node
}

func mapping(pairs ...pair) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, p := range pairs {
		if p.value != nil {
			n.Content = append(n.Content, text(p.key), p.value)
		}
	}
	return n
}

func sequence[T any](items []T, show func(T) *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, item := range items {
		n.Content = append(n.Content, show(item))
	}
	return n
}

func dict[T any](items map[string]T, show func(T) *yaml.Node) *yaml.Node {
	n := mapping()
	for _, name := range slices.Sorted(maps.Keys(items)) {
		n.Content = append(n.Content, text(name), show(items[name]))
	}
	return n
}

// inline writes a list or a mapping in one line.
func inline(n *yaml.Node) *yaml.Node {
	n.Style = yaml.FlowStyle
	return n
}

func texts(items []string) *yaml.Node { return inline(sequence(items, text)) }

func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

func number(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)}
}

// plain writes s without a tag: the reader takes it as it stands.
func plain(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

func boolean(b bool) *yaml.Node { return plain(strconv.FormatBool(b)) }

func span(d time.Duration) *yaml.Node { return plain(formatDuration(d)) }

func fraction(x float64) *yaml.Node { return plain(strconv.FormatFloat(x, 'f', -1, 64)) }

// unlessEmpty leaves out optional texts that have no default.
func unlessEmpty[T ~string](s T) *yaml.Node {
	if s == "" {
		return nil
	}
	return text(string(s))
}

func unlessNone(items []string) *yaml.Node {
	if len(items) == 0 {
		return nil
	}
	return texts(items)
}

func unlessNoPairs(items map[string]string) *yaml.Node {
	if len(items) == 0 {
		return nil
	}
	return inline(dict(items, text))
}

func showConfig(c Config) *yaml.Node {
	return mapping(
		pair{"lang", text(c.Lang)},
		pair{"data", text(c.Data)},
		pair{"networks", dict(c.Networks, showNetwork)},
		pair{"hosts", dict(c.Hosts, showHost)},
		pair{"sites", sequence(c.Sites, showSite)},
		pair{"watchdog", mapping(
			pair{"stalled_after", span(c.Watchdog.StalledAfter)},
			pair{"down_after", span(c.Watchdog.DownAfter)},
			pair{"restart", showBudget(c.Watchdog.Restart)},
		)},
		pair{"healing", mapping(
			pair{"mode", text(c.Healing.Mode)},
			pair{"at_most", inline(mapping(
				pair{"per_bridge", fraction(c.Healing.AtMost.PerBridge)},
				pair{"at_once", number(c.Healing.AtMost.AtOnce)},
			))},
			pair{"ladder", texts(c.Healing.Ladder)},
			pair{"worker", showBudget(c.Healing.Worker)},
			pair{"rules", sequence(c.Healing.Rules, showRule)},
			pair{"watch", texts(c.Healing.Watch)},
		)},
		pair{"alerts", mapping(
			pair{"channels", dict(c.Alerts.Channels, showChannel)},
			pair{"routes", sequence(c.Alerts.Routes, showRoute)},
		)},
		pair{"poll", inline(mapping(pair{"node", span(c.Poll.Node)}, pair{"bridge", span(c.Poll.Bridge)}, pair{"chain", span(c.Poll.Chain)}))},
		pair{"chain", inline(mapping(pair{"whole", boolean(c.Chain.Whole)}, pair{"all_workers", boolean(c.Chain.AllWorkers)}))},
		pair{"metrics", inline(mapping(pair{"listen", text(c.Metrics.Listen)}))},
		pair{"maintenance", sequence(c.Windows, showWindow)},
		pair{"clock", showClock(c.Clock)},
	)
}

func showNetwork(n Network) *yaml.Node {
	return mapping(
		pair{"ss58_prefix", number(n.SS58Prefix)},
		pair{"para", inline(mapping(pair{"block_time", span(n.ParaBlockTime)}))},
		pair{"relay", inline(mapping(pair{"block_time", span(n.RelayBlockTime)}))},
		pair{"reference", texts(n.Reference)},
	)
}

func showRule(r Rule) *yaml.Node {
	return mapping(
		pair{"name", text(r.Name)},
		pair{"when", text(r.When)},
		pair{"for", span(r.For)},
		pair{"do", texts(r.Do)},
		pair{"cooldown", span(r.Cooldown)},
		pair{"mode", unlessEmpty(r.Mode)},
	)
}

func showBudget(b Budget) *yaml.Node {
	return inline(mapping(
		pair{"per", span(b.Per)},
		pair{"at_most", number(b.AtMost)},
		pair{"backoff", span(b.Backoff)},
	))
}

func showChannel(c Channel) *yaml.Node {
	return mapping(
		pair{"type", text(c.Type)},
		pair{"url", unlessEmpty(c.URL)},
		pair{"token", showSecret(c.Token)},
		pair{"secret", showSecret(c.Secret)},
		pair{"at", unlessNone(c.At)},
	)
}

// showSecret writes what may be written: String masks everything that is not a proper reference.
func showSecret(ref secret.Ref) *yaml.Node { return unlessEmpty(secretText(ref)) }

func secretText(ref secret.Ref) string {
	if ref.IsZero() {
		return ""
	}
	return ref.String()
}

func showRoute(r Route) *yaml.Node {
	return inline(mapping(
		pair{"severity", texts(r.Severity)},
		pair{"to", texts(r.To)},
		pair{"repeat", span(r.Repeat)},
		pair{"digest", span(r.Digest)},
	))
}

func showClock(c *Clock) *yaml.Node {
	if c == nil {
		return nil
	}
	return mapping(pair{"origin", text(c.Origin.UTC().Format(time.RFC3339Nano))}, pair{"speed", fraction(c.Speed)})
}
