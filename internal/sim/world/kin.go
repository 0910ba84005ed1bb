package world

// kin is a bridge of another version than v2, in the eyes of the rest of the world.
type kin interface {
	settle()                      // as if it had been running for long
	unlinked(n *Node)             // sockets to n have died
	fedBy(n *Node) bool           // its contexts get their blocks from n
	keepNotices(n *Node)          // write down what was noticed, before heights that depend on n (nil: on any) move again
	rebase()                      // fix the heights of every pRuntime that it feeds
	holders(p *Pruntime) []feeder // its contexts of a pRuntime
	victims(what string) []victim // whom faults of this sort may strike: lifecycle, monitor, bridge, peer, dp, worker, pruntime
}

// kin are all bridges of other versions in the order of their names.
func (w *World) kin() []kin { return inOrder(w.parts.kin) }
