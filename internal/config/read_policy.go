package config

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

func (r *reader) watchdog(v value) {
	w := &r.config.Watchdog
	v.object(
		key("stalled_after", scalar(&w.StalledAfter, duration(time.Minute, 7*day))),
		key("down_after", scalar(&w.DownAfter, duration(30*time.Second, 7*day))),
		key("restart", budget(&w.Restart)),
	)
}

func budget(b *Budget) func(value) {
	return func(v value) {
		v.object(
			key("per", scalar(&b.Per, duration(time.Minute, 30*day))),
			key("at_most", scalar(&b.AtMost, integer(0, 100))),
			key("backoff", scalar(&b.Backoff, duration(time.Minute, 7*day))),
		)
	}
}

func (r *reader) healing(v value) {
	h := &r.config.Healing
	v.object(
		key("mode", scalar(&h.Mode, oneOf(modes()))),
		key("at_most", func(v value) {
			v.object(
				key("per_bridge", scalar(&h.AtMost.PerBridge, share)),
				key("at_once", scalar(&h.AtMost.AtOnce, integer(1, 1000))),
			)
		}),
		key("ladder", func(v value) { h.Ladder = r.ladder(v) }),
		key("worker", budget(&h.Worker)),
		key("rules", r.rules),
		key("watch", list(&h.Watch, ruleGlob)),
	)
}

// ladder reads the rungs, mildest first. It ends at a person: an action that does not help must not go on in silence.
func (r *reader) ladder(v value) []string {
	rungs := []string{"restart", "container", "alert"}
	var ladder []string
	list(&ladder, oneOf(rungs, "kick", "refresh"))(v)
	if v.n.Kind == yaml.SequenceNode && len(ladder) < len(v.n.Content) {
		return nil // reported already
	}
	last := -1
	for _, rung := range ladder {
		for i, known := range rungs {
			if known != rung {
				continue
			}
			if i <= last {
				v.problem(fleet.Because("config.ladder_order"))
				return nil
			}
			last = i
		}
	}
	if last != len(rungs)-1 {
		v.problem(fleet.Because("config.ladder_end"))
	}
	return ladder
}

func (r *reader) alerts(v value) {
	a := &r.config.Alerts
	seen := v.object(append([]field{
		key("channels", r.channels),
		key("routes", func(v value) {
			v.objects(func(_ int, item value) { a.Routes = append(a.Routes, r.route(item)) })
		}),
	}, planned("quiet_hours")...)...)
	if routes := seen["routes"]; !routes.present() || routes.isNull() {
		a.Routes = defaultRoutes(a.Channels)
	}
}

// laterChannels are services that phalops will know.
func laterChannels() []string {
	return []string{"email", "feishu", "lark", "slack", "telegram", "webhook", "wecom"}
}

func (r *reader) channels(v value) {
	v.entries(func(k *yaml.Node, item value) {
		name, ok := r.entryName(k, item, fleet.KindChannel)
		if !ok {
			return
		}
		r.builtIn(fleet.KindChannel, name)
		c := Channel{Name: name, URL: dingTalk}
		ofType := scalar(&c.Type, oneOf([]string{"dingtalk"}, laterChannels()...))
		if t := item.lookup("type"); t.present() && slices.Contains(laterChannels(), t.n.Value) {
			ofType(t) // the other keys of a channel depend on its type, so nothing is said about them
			return
		}
		item.object(
			must("type", ofType),
			key("url", scalar(&c.URL, channelURL)),
			must("token", secretRef(&c.Token)),
			key("secret", secretRef(&c.Secret)),
			key("at", list(&c.At, phone)),
		)
		r.config.Alerts.Channels[name] = c
	})
}

func (r *reader) route(v value) Route {
	var route Route
	seen := v.object(
		must("severity", list(&route.Severity, oneOf([]string{"info", "warning", "critical"}))),
		must("to", list(&route.To, nameText, func(name string, item value) {
			r.refer(fleet.KindChannel, name, item, nil)
		})),
		key("repeat", scalar(&route.Repeat, duration(0, 30*day))),
		key("digest", scalar(&route.Digest, duration(0, 7*day))),
	)
	for _, k := range []string{"severity", "to"} {
		if at := seen[k]; at.present() && (at.isNull() || at.n.Kind == yaml.SequenceNode && len(at.n.Content) == 0) {
			at.problem(fleet.Because("config.no_value"))
		}
	}
	return route
}
