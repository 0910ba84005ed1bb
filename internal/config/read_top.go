package config

import (
	"time"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

// top reads the whole file. It and the functions below it are the schema: a key that none of them names does not exist.
func (r *reader) top(root value) {
	c := &r.config
	for name := range c.Networks {
		r.builtIn(kindNetwork, name)
	}
	r.builtIn(fleet.KindHost, LocalHost)
	root.object(append([]field{
		key("lang", scalar(&c.Lang, oneOf([]string{"zh", "en"}))),
		key("data", scalar(&c.Data, folder)),
		key("networks", r.networks),
		key("hosts", r.hosts),
		must("sites", r.sites),
		key("watchdog", r.watchdog),
		key("healing", r.healing),
		key("alerts", r.alerts),
		key("poll", r.poll),
		key("chain", r.chain),
		key("metrics", func(v value) { v.object(key("listen", scalar(&c.Metrics.Listen, listenAddress))) }),
		key("maintenance", r.maintenance),
		key("clock", r.clock),
	}, planned("store", "web", "jobs")...)...)
}

func (r *reader) poll(v value) {
	p := &r.config.Poll
	v.object(
		key("node", scalar(&p.Node, duration(time.Second, 10*time.Minute))),
		key("bridge", scalar(&p.Bridge, duration(time.Second, 10*time.Minute))),
		key("chain", scalar(&p.Chain, orOff(duration(time.Minute, day)))),
	)
}

func (r *reader) chain(v value) {
	c := &r.config.Chain
	seen := v.object(key("whole", flag(&c.Whole)), key("all_workers", flag(&c.AllWorkers)))
	if c.AllWorkers && !c.Whole {
		seen["all_workers"].problem(fleet.Because("config.not_whole"))
	}
}

func (r *reader) clock(v value) {
	var c Clock
	v.object(must("origin", scalar(&c.Origin, moment)), must("speed", scalar(&c.Speed, speed)))
	r.config.Clock = &c
}

func (r *reader) networks(v value) {
	v.entries(func(k *yaml.Node, item value) {
		name, ok := r.entryName(k, item, kindNetwork)
		if !ok {
			return
		}
		n := defaultNetwork(name)
		block := func(into *time.Duration) func(value) {
			return func(v value) {
				v.object(key("block_time", scalar(into, duration(time.Second, 10*time.Minute))))
			}
		}
		item.object(
			key("ss58_prefix", scalar(&n.SS58Prefix, integer(0, 16383))),
			key("para", block(&n.ParaBlockTime)),
			key("relay", block(&n.RelayBlockTime)),
			key("reference", list(&n.Reference, rpcURL, r.foreignHead)),
		)
		r.builtIn(kindNetwork, name)
		r.config.Networks[name] = n
	})
}

// foreignHead checks that a reference head is none of the fleet's own nodes: it could not tell a stuck node from a silent
// chain.
func (r *reader) foreignHead(url string, v value) {
	r.later(func() {
		if _, own := r.names.urls[url]; own {
			v.problem(fleet.Because("config.own_reference", "value", showText(url)))
		}
	})
}

// entryName is the name that a key of a mapping gives to its value.
func (r *reader) entryName(k *yaml.Node, item value, kind fleet.Kind) (string, bool) {
	name, why := nameText(k.Value)
	if !why.IsZero() {
		r.names.partial[kind] = true
		r.report(k, item.path, why)
		return "", false
	}
	r.shown[k] = true
	return name, true
}
