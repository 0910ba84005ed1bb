package config

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

// hosts reads machines. A range in the name and in the addresses stands for many, in step.
func (r *reader) hosts(v value) {
	into := r.config.Hosts
	v.entries(func(k *yaml.Node, item value) {
		names, ok := r.hostNames(k, item)
		if !ok {
			return
		}
		addresses, engines := make([]string, len(names)), make([]string, len(names))
		local := names[0] == LocalHost
		if local {
			engines[0] = localDocker
		}
		login := SSH{Port: 22}
		seen := item.object(
			key("address", inStep(addresses, hostAddress)),
			key("docker", enginesInStep(engines)),
			key("user", scalar(&login.User, loginName)),
			key("port", scalar(&login.Port, integer(1, 65535))),
			key("key", secretRef(&login.Key)),
			key("become", scalar(&login.Become, oneOf([]string{"sudo"}))),
			key("bastion", scalar(&login.Bastion, nameText)),
			key("trust", scalar(&login.Trust, oneOf([]string{"first"}))),
		)
		switch {
		case local && seen["address"].present():
			seen["address"].problem(fleet.Because("config.local_address"))
		case !local && !seen["address"].present() && item.n.Kind != yaml.ScalarNode:
			item.problem(fleet.Because("config.missing", "key", "address"))
		}
		ssh := r.reached(item, seen, login, local)
		if at := seen["docker"]; ssh == nil && at.present() && strings.HasPrefix(engines[0], overSSH) {
			at.problem(fleet.Because("config.docker_no_ssh"))
		}
		for i, name := range names {
			if name != LocalHost {
				r.define(fleet.KindHost, name, value{r: r, at: k, n: k, path: item.path}, definition{})
			}
			h := Host{Name: name, Address: addresses[i], Docker: engines[i]}
			if ssh != nil {
				own := *ssh
				h.SSH = &own
			}
			into[name] = h
		}
		if at := seen["bastion"]; ssh != nil && ssh.Bastion != "" {
			r.refer(fleet.KindHost, ssh.Bastion, at, func(definition) { r.way(names, ssh.Bastion, at) })
		}
	})
}

// hostNames are the names that the key of an entry stands for.
func (r *reader) hostNames(k *yaml.Node, item value) ([]string, bool) {
	bad := func(why fleet.Reason) ([]string, bool) {
		r.names.partial[fleet.KindHost] = true
		r.report(k, item.path, why)
		return nil, false
	}
	names, ok := expand(k.Value)
	if !ok {
		return bad(fleet.Because("config.bad_range", "value", showText(k.Value), "limit", maxHosts))
	}
	if _, why := nameText(names[0]); !why.IsZero() {
		return bad(why)
	}
	r.shown[k] = true
	if len(names)+len(r.config.Hosts) > maxHosts {
		return bad(fleet.Because("config.too_many_hosts", "limit", maxHosts))
	}
	return names, true
}

// reached is how an entry's machines are reached over SSH, nil when they are not: one of its keys says that they are.
func (r *reader) reached(item value, seen map[string]value, login SSH, local bool) *SSH {
	var first value
	for _, k := range []string{"user", "port", "key", "become", "bastion", "trust"} {
		switch at := seen[k]; {
		case !at.present():
		case local:
			at.problem(fleet.Because("config.local_ssh", "key", k))
		case !first.present():
			first = at
		}
	}
	if !first.present() {
		return nil
	}
	if !seen["user"].present() {
		item.problem(fleet.Because("config.ssh_no_user"))
	}
	return &login
}

// enginesInStep reads the engines of all hosts of a range. One socket over SSH is on each of them.
func enginesInStep(into []string) func(value) {
	step := inStep(into, dockerAddress)
	return func(v value) {
		if !strings.HasPrefix(v.n.Value, overSSH) || rangePattern.MatchString(v.n.Value) {
			step(v)
			return
		}
		if engine, ok := read(v, dockerAddress); ok {
			for i := range into {
				into[i] = engine
			}
		}
	}
}

// maxHops is how many bastions may stand in a row.
const maxHops = 4

// way follows the bastions of a host to the end: each must be reached over SSH, and none lead back.
func (r *reader) way(names []string, bastion string, at value) {
	chain := []string{names[0]}
	for next := bastion; next != ""; {
		h, known := r.config.Hosts[next]
		switch {
		case slices.Contains(names, next):
			chain[0] = next
			at.problem(fleet.Because("config.bastion_cycle", "chain", strings.Join(append(chain, next), " → ")))
			return
		case slices.Contains(chain, next), !known: // told where they stand
			return
		case len(chain) > maxHops:
			at.problem(fleet.Because("config.bastion_deep", "limit", maxHops))
			return
		case h.SSH == nil:
			if len(chain) == 1 {
				at.problem(fleet.Because("config.bastion_no_ssh", "host", next))
			}
			return
		}
		chain = append(chain, next)
		next = h.SSH.Bastion
	}
}

// loginName accepts the name of an account.
func loginName(s string) (string, fleet.Reason) {
	if !loginPattern.MatchString(s) {
		return "", fleet.Because("config.bad_user", "value", showText(s))
	}
	return s, fleet.Reason{}
}

var loginPattern = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.@+-]{0,63}$`)
