package world

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Forms of the nonsense that a node answers (rpc.garbage).
const (
	GarbageHTML     = "html"     // the page of something else that listens there
	GarbageTorn     = "torn"     // JSON that ends in the middle
	GarbageStranger = "stranger" // the answer to another question
	GarbageEmpty    = "empty"    // nothing at all
)

// DefaultLie is by how many blocks rpc.lie is wrong.
const DefaultLie = 1_000_000

// RPCTrouble is what is wrong with the RPC of one chain. The zero value is a healthy one.
type RPCTrouble struct {
	Garbage  string // one of the forms, or ""
	Huge     bool   // answers of 200 MB
	Slow     time.Duration
	Code     int    // of the refusal of every call; 0: none
	Message  string // of that refusal
	Lie      int64  // blocks that are added to the best one
	HalfOpen bool   // WebSocket connections are silent
}

// RPC says what is wrong with the chain's RPC.
func (c *NodeChain) RPC() RPCTrouble {
	var r RPCTrouble
	for _, t := range c.node.trouble {
		if t.chain != "" && t.chain != "both" && t.chain != c.side {
			continue
		}
		switch t.kind {
		case RPCGarbage:
			r.Garbage = or(t.text, GarbageHTML)
		case RPCHuge:
			r.Huge = true
		case RPCSlow:
			r.Slow += t.delay
		case RPCError:
			r.Code, r.Message, _ = rpcRefusal(t.text)
		case RPCLie:
			by, _ := rpcLie(t.text)
			r.Lie += by
		case WSHalfOpen:
			r.HalfOpen = true
		}
	}
	return r
}

// Link counts how often the RPC began or ceased to serve: a socket that was opened at another Link is dead.
func (n *Node) Link() int { return n.links }

func (f Fault) strikesRPC() bool {
	return strings.HasPrefix(f.Kind, "rpc.") || strings.HasPrefix(f.Kind, "ws.")
}

// readableRPC holds the texts of the RPC's faults to what RPC can read.
func (f Fault) readableRPC() bool {
	ok := true
	switch f.Kind {
	case RPCGarbage:
		ok = slices.Contains([]string{"", GarbageHTML, GarbageTorn, GarbageStranger, GarbageEmpty}, f.Text)
	case RPCError:
		_, _, ok = rpcRefusal(f.Text)
	case RPCLie:
		_, ok = rpcLie(f.Text)
	}
	return ok
}

func rpcRefusal(text string) (code int, message string, ok bool) {
	digits, message, _ := strings.Cut(or(text, "-32603 Internal error"), " ")
	code, err := strconv.Atoi(digits)
	return code, message, err == nil && code != 0 && message != ""
}

func rpcLie(text string) (int64, bool) {
	by, err := strconv.ParseInt(or(text, strconv.Itoa(DefaultLie)), 10, 32)
	return by, err == nil
}
