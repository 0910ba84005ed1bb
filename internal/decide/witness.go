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

// peersOld is the age at which the heights that peers claimed say nothing any more. They are asked every few minutes.
const peersOld = 12 * time.Minute

func chainOf(n *fleet.NodeStatus, chain string) *fleet.ChainStatus {
	if chain == chainRelay {
		return n.Relay
	}
	return n.Para
}

// testimony is what the independent witnesses of one chain say together: our other nodes of the same network, the outside
// heads for the parachain, and the heights that the node's peers claim. The node's own highestBlock is no witness here:
// builds since 2022-08 report their own best block there when they know nothing better.
type testimony struct {
	moving    int // ahead of us and growing: the chain lives
	still     int // stand still as well
	unsure    int // neither, yet
	neighbour int // our other nodes that answer
	starved   int // … and have no peers either
	head      int64
	said      []fleet.Reason

	kin          int    // witnesses that are of the same chain for certain
	strangers    int    // our two-chain nodes that are of another
	strangeHeads int    // outside heads that are of another
	stranger     string // one of them
}

// silent reports whether the chain itself is proved to stand still.
func (t testimony) silent() bool { return t.still > 0 && t.moving == 0 && t.unsure == 0 }

// alone reports whether nobody can say anything of use.
func (t testimony) alone() bool { return t.still+t.moving+t.unsure == 0 }

// voice is one usable witness.
type voice struct {
	who    string
	ours   bool // one of our own nodes
	height int64
	frozen time.Duration
}

// hear asks every witness about one chain of the node.
func (in *NodeInput) hear(chain string, own *fleet.ChainStatus) testimony {
	t := testimony{head: -1}
	var voices []voice
	for i := range in.Others {
		o := &in.Others[i]
		c := chainOf(o, chain)
		if c == nil || o.Ref == in.Status.Ref {
			continue
		}
		if in.stranger(&t, o.Ref.Name(), c, own) {
			if o.Relay != nil && in.Status.Relay != nil { // a node with one chain may be of any network
				t.strangers++
			}
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
		voices = in.listen(&t, voices, chain, voice{who: o.Ref.Name(), ours: true}, c)
	}
	if chain == chainPara {
		for i := range in.Reference {
			c := &in.Reference[i]
			if in.stranger(&t, c.URL, c, own) {
				t.strangeHeads++
				continue
			}
			voices = in.listen(&t, voices, chain, voice{who: c.URL}, c)
		}
	}
	for i := range voices {
		in.weigh(&t, chain, voices, i, own)
	}
	in.peers(&t, chain, own, voices)
	in.cacheAhead(&t, chain, own)
	return t
}

// stranger reports whether a witness is of another chain, and notes those that are of the same one.
func (in *NodeInput) stranger(t *testimony, who string, c, own *fleet.ChainStatus) bool {
	switch {
	case c.Genesis == "" || own.Genesis == "":
		return false
	case c.Genesis == own.Genesis:
		t.kin++
		return false
	}
	t.stranger = who
	t.said = append(t.said, fleet.Because("witness.other_chain", "who", who, "name", chainName(c)))
	return true
}

// listen adds a witness to the voices when what it says can be used.
func (in *NodeInput) listen(t *testimony, voices []voice, chain string, v voice, c *fleet.ChainStatus) []voice {
	switch {
	case !in.Policy.current(c.Probe, in.Now) || !c.Best.Known:
		t.said = append(t.said, fleet.Because("witness.silent", "who", v.who))
		return voices
	case in.absurd(chain, c.Best) || swings(c):
		t.said = append(t.said, fleet.Because("witness.absurd", "who", v.who, "height", c.Best.Value))
		return voices
	}
	v.height, v.frozen = c.Best.Value, c.Best.FrozenFor(c.At)
	return append(voices, v)
}

// weigh adds one witness. Around a halt two nodes differ by a block or two and by a beat, so a witness proves a living
// chain only when it is a minute of blocks ahead and moved recently; one that is behind us proves nothing at all, nor does
// one that nobody else can follow.
func (in *NodeInput) weigh(t *testimony, chain string, voices []voice, i int, own *fleet.ChainStatus) {
	v, minute := voices[i], in.minute(chain)
	ahead := int64(math.MaxInt32)
	if own.Best.Known {
		ahead = v.height - own.Best.Value
	}
	switch {
	case ahead < -minute:
		t.said = append(t.said, fleet.Because("witness.behind", "who", v.who, "height", v.height))
		return
	case in.outvoted(chain, voices, i, own):
		t.said = append(t.said, fleet.Because("witness.outvoted", "who", v.who, "height", v.height))
		return
	case v.frozen >= in.Policy.StalledAfter/2:
		t.still++
		t.said = append(t.said, fleet.Because("witness.still", "who", v.who, "height", v.height, "for", v.frozen))
	case ahead >= minute:
		t.moving++
		t.said = append(t.said, fleet.Because("witness.moving", "who", v.who, "height", v.height))
	default:
		t.unsure++
		t.said = append(t.said, fleet.Because("witness.unsure", "who", v.who, "height", v.height))
	}
	t.head = max(t.head, v.height)
}

// minute is the number of blocks that a chain makes in a minute, at least 2.
func (in *NodeInput) minute(chain string) int64 {
	return max(2, int64(time.Minute/in.blockTime(chain)))
}

func (in *NodeInput) blockTime(chain string) time.Duration {
	block := in.BlockTimes.Para
	if chain == chainRelay {
		block = in.BlockTimes.Relay
	}
	switch {
	case block <= 0 && chain == chainRelay:
		return 6 * time.Second
	case block <= 0:
		return 12 * time.Second
	}
	return block
}
