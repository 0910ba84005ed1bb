package decide

import (
	"math"
	"time"

	"phalops/internal/fleet"
)

// Names of a node's two chains. They are the codes of what people call them.
const (
	chainPara  = "node.chain.para"
	chainRelay = "node.chain.relay"
)

func chainOf(n *fleet.NodeStatus, chain string) *fleet.ChainStatus {
	if chain == chainRelay {
		return n.Relay
	}
	return n.Para
}

// testimony is what the independent witnesses of one chain say together: our other nodes of the same network, and the
// outside heads for the parachain. The node's own highestBlock is no witness here: builds since 2022-08 report their own
// best block there when they know nothing better.
type testimony struct {
	moving    int // ahead of us and growing: the chain lives
	still     int // stand still as well
	unsure    int // neither, yet
	neighbour int // our other nodes that answer
	starved   int // … and have no peers either
	head      int64
	said      []fleet.Reason
}

// silent reports whether the chain itself is proved to stand still.
func (t testimony) silent() bool { return t.still > 0 && t.moving == 0 && t.unsure == 0 }

// alone reports whether nobody can say anything of use.
func (t testimony) alone() bool { return t.still+t.moving+t.unsure == 0 }

// hear asks every witness about one chain of the node.
func (in *NodeInput) hear(chain string, own *fleet.ChainStatus) testimony {
	t := testimony{head: -1}
	for i := range in.Others {
		o := &in.Others[i]
		c := chainOf(o, chain)
		if c == nil || o.Ref == in.Status.Ref {
			continue
		}
		if in.Policy.current(c.Probe, in.Now) {
			t.neighbour++
			if c.Peers == 0 && c.Best.FrozenFor(c.At) >= in.Policy.StalledAfter {
				t.starved++
				t.said = append(t.said, fleet.Because("witness.starved", "who", o.Ref.Name()))
				continue
			}
		}
		in.weigh(&t, o.Ref.Name(), c, own, in.minute(chain))
	}
	if chain == chainPara {
		for i := range in.Reference {
			in.weigh(&t, in.Reference[i].URL, &in.Reference[i], own, in.minute(chain))
		}
	}
	return t
}

// weigh adds one witness. Around a halt two nodes differ by a block or two and by a beat, so a witness proves a living
// chain only when it is a minute of blocks ahead and moved recently; one that is behind us proves nothing at all.
func (in *NodeInput) weigh(t *testimony, who string, c, own *fleet.ChainStatus, minute int64) {
	if !in.Policy.current(c.Probe, in.Now) || !c.Best.Known {
		t.said = append(t.said, fleet.Because("witness.silent", "who", who))
		return
	}
	t.head = max(t.head, c.Best.Value)
	ahead := int64(math.MaxInt32)
	if own.Best.Known {
		ahead = c.Best.Value - own.Best.Value
	}
	frozen := c.Best.FrozenFor(c.At)
	switch {
	case ahead < -minute:
		t.said = append(t.said, fleet.Because("witness.behind", "who", who, "height", c.Best.Value))
	case frozen >= in.Policy.StalledAfter/2:
		t.still++
		t.said = append(t.said, fleet.Because("witness.still", "who", who, "height", c.Best.Value, "for", frozen))
	case ahead >= minute:
		t.moving++
		t.said = append(t.said, fleet.Because("witness.moving", "who", who, "height", c.Best.Value))
	default:
		t.unsure++
		t.said = append(t.said, fleet.Because("witness.unsure", "who", who, "height", c.Best.Value))
	}
}

// minute is the number of blocks that a chain makes in a minute, at least 2.
func (in *NodeInput) minute(chain string) int64 {
	block := in.BlockTimes.Para
	if chain == chainRelay {
		block = in.BlockTimes.Relay
	}
	switch {
	case block <= 0 && chain == chainRelay:
		block = 6 * time.Second
	case block <= 0:
		block = 12 * time.Second
	}
	return max(2, int64(time.Minute/block))
}
