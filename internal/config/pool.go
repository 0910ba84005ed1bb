package config

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
	"phalops/internal/secret"
	"phalops/internal/substrate/scale"
)

// Pool is a stake pool of ours.
type Pool struct {
	PID      uint64
	Operator secret.Ref   // the mnemonic of who signs for it
	Account  string       // SS58 of who signs for it; "" = as the bridges say
	Proxied  string       // SS58 of the owner, where the operator is its proxy; "" = not said
	MinGas   fleet.Amount // what every account that pays fees for it should have left; default 2 PHA
}

// Pool is what the configuration says of a pool of a network; for one that it does not name, the defaults.
func (c Config) Pool(network string, pid uint64) Pool {
	for _, s := range c.Sites {
		for _, p := range s.Pools {
			if s.Network == network && p.PID == pid {
				return p
			}
		}
	}
	return Pool{PID: pid, MinGas: minGas()}
}

// pool reads one, and where its number stands.
func (r *reader) pool(v value) (Pool, value) {
	p := Pool{MinGas: minGas()}
	seen := v.object(
		must("pid", scalar(&p.PID, poolNumber)),
		key("operator", secretRef(&p.Operator)),
		key("account", scalar(&p.Account, accountText)),
		key("proxied", scalar(&p.Proxied, accountText)),
		key("min_gas", scalar(&p.MinGas, amountPHA)),
	)
	return p, seen["pid"]
}

// onlyOnePool reports pools of a network that are listed twice; at is where their numbers stand.
func (r *reader) onlyOnePool(s Site, at []value) {
	for i, p := range s.Pools {
		if !at[i].present() {
			continue
		}
		id := fmt.Sprintf("%s/%d", s.Network, p.PID)
		if before, taken := r.names.pools[id]; taken {
			at[i].problem(fleet.Because("config.pool_twice", "pid", p.PID, "line", before.at.Line))
			continue
		}
		r.names.pools[id] = at[i]
	}
}

func poolNumber(s string) (uint64, fleet.Reason) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, fleet.Because("config.bad_pid", "value", showText(s))
	}
	return n, fleet.Reason{}
}

// accountText accepts an address of any network.
func accountText(s string) (string, fleet.Reason) {
	if _, _, err := scale.ParseAddress(s); err != nil {
		return "", fleet.Because("config.bad_account", "value", showText(s))
	}
	return s, fleet.Reason{}
}

func amountPHA(s string) (fleet.Amount, fleet.Reason) {
	a, err := fleet.ParsePHA(s)
	if err != nil {
		return fleet.Amount{}, fleet.Because("config.bad_amount", "value", showText(s))
	}
	return a, fleet.Reason{}
}

func showPool(p Pool) *yaml.Node {
	return inline(mapping(
		pair{"pid", plain(strconv.FormatUint(p.PID, 10))},
		pair{"operator", showSecret(p.Operator)},
		pair{"account", unlessEmpty(p.Account)},
		pair{"proxied", unlessEmpty(p.Proxied)},
		pair{"min_gas", plain(p.MinGas.PHA())},
	))
}
