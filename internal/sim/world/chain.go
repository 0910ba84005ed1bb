package world

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Chain is one blockchain as the whole network sees it. Its heights are computed from the time: a block costs nothing.
type Chain struct {
	Name  string        // what system_chain says, for example "Khala"
	ID    string        // short, for hashes
	Block time.Duration // time between two blocks

	base   int64     // height at since
	since  time.Time // a moment at which block base was just made
	halted bool

	accounts map[AccountID]Account
}

// Head is the newest block of the network at now.
func (c *Chain) Head(now time.Time) int64 {
	if c.halted || now.Before(c.since) {
		return c.base
	}
	return c.base + int64(now.Sub(c.since)/c.Block)
}

// when is the moment at which block h was, or will be, made; it is no earlier than the chain's last resumption.
func (c *Chain) when(h int64) time.Time {
	if h <= c.base {
		return c.since
	}
	return c.since.Add(time.Duration(h-c.base) * c.Block)
}

func (c *Chain) halt(now time.Time)   { c.base, c.since, c.halted = c.Head(now), now, true }
func (c *Chain) resume(now time.Time) { c.base, c.since, c.halted = c.Head(now), now, false }

// Hash is block h's hash, 0x and 64 hex digits. It carries its number in disguise, so that Number needs no memory.
func (c *Chain) Hash(h int64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(h))
	sum := sha256.Sum256(append([]byte(c.ID+"/hash/"), b[:]...))
	mask := sha256.Sum256(append([]byte(c.ID+"/mask/"), sum[8:]...))
	for i := range b {
		sum[i] = b[i] ^ mask[i]
	}
	return "0x" + hex.EncodeToString(sum[:])
}

// Number is the height of the block with this hash; false when there is no such block.
func (c *Chain) Number(hash string) (int64, bool) {
	raw, err := hex.DecodeString(trim0x(hash))
	if err != nil || len(raw) != sha256.Size {
		return 0, false
	}
	mask := sha256.Sum256(append([]byte(c.ID+"/mask/"), raw[8:]...))
	var b [8]byte
	for i := range b {
		b[i] = raw[i] ^ mask[i]
	}
	h := int64(binary.BigEndian.Uint64(b[:]))
	return h, h >= 0 && c.Hash(h) == "0x"+hex.EncodeToString(raw)
}

func trim0x(s string) string {
	if len(s) >= 2 && s[:2] == "0x" {
		return s[2:]
	}
	return s
}

// Network is a parachain and its relay chain.
type Network struct {
	Name        string
	Para, Relay *Chain
	ParaID      int
	StartHeader int64 // relay block with which the parachain began
	Era         Era   // which pallets its runtime has; default EraV2
	// Crowd is how many workers of strangers the network has. They are no parts of the world: what the chain stores of them
	// follows from their numbers.
	Crowd int

	born time.Time
}

// AddNetwork makes Khala on Kusama: blocks of 12 s and 6 s, at realistic heights.
func (w *World) AddNetwork(name string) *Network {
	n := &Network{
		Name:        name,
		Para:        &Chain{Name: "Khala", ID: name, Block: 12 * time.Second, base: 3_000_000, since: w.now},
		Relay:       &Chain{Name: "Kusama", ID: name + "-relay", Block: 6 * time.Second, base: 16_400_000, since: w.now},
		ParaID:      2004,
		StartHeader: 8_325_311,
		Era:         EraV2,
		born:        w.now,
	}
	n.Para.endow()
	n.Relay.endow()
	w.parts.networks[name] = n
	return n
}

// follower is a height that climbs after another one: a node's best block, what a data provider has processed, what a
// pRuntime has executed. Like a Chain it is computed from the time.
type follower struct {
	base  int64
	since time.Time
	rate  float64 // blocks per second while it is behind; faster than any chain
	still bool
}

func (f *follower) at(now time.Time, head int64) int64 {
	if f.still || head <= f.base {
		return f.base
	}
	return min(f.base+int64(now.Sub(f.since).Seconds()*f.rate), head)
}

// rebase makes the present height the starting point; call it before the height that is followed can fall.
func (f *follower) rebase(now time.Time, head int64) { f.base, f.since = f.at(now, head), now }

// move lets it climb from where it is, or stands it still there.
func (f *follower) move(now time.Time, head int64, moving bool) {
	if moving == f.still {
		f.rebase(now, head)
		f.still = !moving
	}
}
