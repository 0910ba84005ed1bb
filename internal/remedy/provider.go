package remedy

import (
	"context"
	"slices"
	"strings"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// dataProvider is a v2 data provider with the containers of it that ran.
func dataProvider(cfg config.Config, dp config.DataProvider, parts []part) follower {
	return follower{what: whatProvider, name: dp.Name, ref: fleet.DataProviderRef(dp.Name), bridges: bridgesOf(cfg, dp.Name), parts: parts}
}

// bridgesOf are the bridges that read from a data provider.
func bridgesOf(cfg config.Config, dp string) []string {
	var out []string
	for _, s := range cfg.Sites {
		for _, b := range s.Bridges {
			if slices.Contains(b.DataProviders, dp) {
				out = append(out, b.Name)
			}
		}
	}
	return out
}

// shortID is what a container has for a host name unless it is given one.
func shortID(c fleet.ContainerStatus) string { return c.ID[:min(12, len(c.ID))] }

// providerFollows reports whether the data provider has processed a parachain block since an earlier look. The first of
// its bridges whose monitor answers tells; it is an error when none does, because silence is not "it stands still".
func (r *Remedies) providerFollows(ctx context.Context, s act.StepContext) (bool, error) {
	cfg := r.config()
	wanted, ids := s.Step.Args["provider"], strings.Fields(s.Step.Args["ids"])
	var silence error
	for name := range strings.FieldsSeq(s.Step.Args["bridges"]) {
		client, err := r.reach.Bridge(name)
		if err == nil {
			reading := client.Read(ctx)
			if err = reading.MonitorErr; err == nil {
				follows := false
				for _, dp := range candidates(cfg, wanted, ids, reading.DataProviders) {
					if p := dp.Status; dp.Err == nil && p.Para.Known && p.Para.Value >= 0 {
						follows = r.growth.grew(followKey(s)+p.PeerID, p.Para.Value, s.Now) || follows
					}
				}
				return follows, nil
			}
		}
		if silence == nil {
			silence = bridgeSilent(name, err)
		}
	}
	return false, silence
}

// candidates are those of a monitor's data providers that may be the configured one. A monitor knows peer ids, which the
// configuration does not, and never forgets one that went away. What it says besides is sometimes enough: the host name
// (a container's short id, or what operators call it) and the address that was dialled, which may as well be loopback or a
// bridge network's. Where none of that points at the wanted provider, every one counts that does not clearly belong to
// another: with two providers behind indistinguishable addresses, one that grows may speak for both.
func candidates(cfg config.Config, name string, ids []string, all []prb.DataProvider) []prb.DataProvider {
	var wanted config.DataProvider
	var others []config.DataProvider
	for _, s := range cfg.Sites {
		for _, dp := range s.DataProviders {
			if dp.Name == name {
				wanted = dp
			} else {
				others = append(others, dp)
			}
		}
	}
	points := func(p fleet.DataProviderStatus, at config.DataProvider) bool {
		address := cfg.Hosts[at.Host].Address
		return p.Hostname == at.Name || p.Hostname != "" && p.Hostname == at.Host || address != "" && addressOf(p.Addr) == address
	}
	var certain, possible []prb.DataProvider
	for _, p := range all {
		switch {
		case slices.Contains(ids, p.Status.Hostname), points(p.Status, wanted):
			certain = append(certain, p)
		case !slices.ContainsFunc(others, func(o config.DataProvider) bool { return points(p.Status, o) }):
			possible = append(possible, p)
		}
	}
	if len(certain) > 0 {
		return certain
	}
	return possible
}

// addressOf is the IP address or name in a multiaddr such as /ip4/192.168.3.10/tcp/28888/p2p/Qm….
func addressOf(multiaddr string) string {
	part := strings.Split(multiaddr, "/")
	if len(part) < 3 || part[0] != "" {
		return ""
	}
	return part[2]
}
