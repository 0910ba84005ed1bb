package observe

import (
	"math/bits"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Relay chain headers come to a cache in steps of up to a thousand blocks.
const headersStep = 4 * time.Hour

// chainExtras are the facts about a chain that are asked for rarely, or only while it is silent.
func chainExtras(t teller, c *fleet.ChainStatus, minute int64) {
	t.say("genesis", c.Genesis)
	falls := ""
	if c.Falls > 0 {
		falls = strconv.Itoa(c.Falls)
	}
	t.sayAt("falls", falls, c.FellAt)
	t.sayAt("from_host", c.FromHost.Says, c.FromHost.At)
	ahead := ""
	if c.PeersBest.Known && c.Best.Known {
		ahead = strconv.FormatBool(c.PeersBest.Value-c.Best.Value >= minute)
	}
	t.sayAt("peers_ahead", ahead, c.PeersAsked)
	peers := t
	peers.at = c.PeersAsked
	peers.moving("peers_moving", c.PeersBest)
}

// nodeSurroundings are the facts about a node's disk, log and headers caches. Free space is kept as a power of two.
func nodeSurroundings(out *[]fleet.Fact, n fleet.NodeStatus) {
	name := n.Ref.Name()
	if d := n.Disk; d != nil {
		t := teller{facts: out, target: n.Ref, prefix: "disk.", source: name + " disk", at: d.At}
		t.reachable(d.Probe)
		free := ""
		if d.Total > 0 {
			free = strconv.FormatUint(1<<bits.Len64(d.Free>>30)>>1, 10)
		}
		t.say("free_gib", free)
	}
	if n.Container != nil {
		t := teller{facts: out, target: n.Ref, prefix: "log.", source: name + " log", at: n.Container.At}
		var signs []string
		if n.Log != nil {
			t.at = n.Log.At
			for _, s := range n.Log.Signs {
				signs = append(signs, s.Sign)
			}
		}
		t.say("signs", strings.Join(signs, " "))
	}
	for i := range n.Caches {
		c := &n.Caches[i]
		t := teller{facts: out, target: n.Ref, prefix: "cache." + c.Name + ".", source: c.Name, at: c.At}
		t.say("present", "true")
		t.reachable(c.Probe)
		header := ""
		if c.Header.Known {
			header = strconv.FormatBool(c.Header.FrozenFor(c.At) < headersStep)
		}
		t.sayAt("header_moving", header, c.Header.MovedAt)
		t.moving("para_header_moving", c.ParaHeader)
		t.moving("storage_changes_moving", c.StorageChanges)
	}
}
