package world

// Manner is how a pRuntime, or the chain behind its worker, differs from a healthy one in the eyes of a v0 lifecycle, which
// shows it in states and texts of its own. Other bridges take no notice.
type Manner string

// Manners.
const (
	MannerHealthy        Manner = ""
	MannerFails          Manner = "fails"           // every call ends with status 500
	MannerHangs          Manner = "hangs"           // every call hangs
	MannerResets         Manner = "resets"          // every call ends with a dropped connection
	MannerUninitialised  Manner = "uninitialised"   // not initialised, and InitRuntime hangs
	MannerUnregistered   Manner = "unregistered"    // not registered, and GetRuntimeInfo hangs
	MannerHeadersHang    Manner = "headers-hang"    // the header call hangs: heights stay at -1
	MannerHeadersRefused Manner = "headers-refused" // HeaderHashMismatch
	MannerNumberRefused  Manner = "number-refused"  // BlockNumberMismatch
	MannerNoJSON         Manner = "no-json"         // the payload of an answer is no JSON
	MannerBlocksHang     Manner = "blocks-hang"     // the block call hangs
	MannerBlocksRefused  Manner = "blocks-refused"  // NoStateRoot
	MannerBehind         Manner = "behind"          // it never gets to the newest block
	MannerWraps          Manner = "wraps"           // its header number is 2³²-1
	MannerQueueHangs     Manner = "queue-hangs"     // GetEgressMessages hangs
	MannerOtherPool      Manner = "other-pool"      // the chain has it in another pool
	MannerPoolless       Manner = "poolless"        // in no pool yet, and the transaction never finishes
	MannerUnbound        Manner = "unbound"         // no miner is bound to it
	MannerStays          Manner = "stays"           // ready, and the transaction that starts it never finishes
	MannerCannotStart    Manner = "cannot-start"    // ready, and the transaction that starts it fails
	MannerCoolsDown      Manner = "cools-down"      // cooling down on chain
	MannerUnresponsive   Manner = "unresponsive"    // unresponsive on chain, whatever it does
)

// Behave gives a pRuntime a manner, from now on.
func (p *Pruntime) Behave(m Manner) {
	p.manner, p.mannerSince = m, p.w.now
	p.stand()
}
