package world

import "time"

const (
	v3Gathers   = time.Second // transactions wait so long for others
	v3TxGivesUp = time.Minute
)

// V3Tx is a transaction of wm.
type V3Tx struct {
	ID               int
	Desc             string
	PID              uint64
	State            string // Pending, Running, Success, Error
	Message          string // of Error
	Created, Updated time.Time
}

// Transactions are those that wait, the oldest first, and those that were sent, the newest first. The list of running ones
// is always empty: what was sent counts as past at once.
func (b *V3Bridge) Transactions() (count int, pending, past []V3Tx) {
	for _, t := range b.pending {
		pending = append(pending, *t)
	}
	for i := range b.past {
		past = append(past, *b.past[len(b.past)-1-i])
	}
	return b.txCount, pending, past
}

// submit sends a transaction for the worker's pool, once. done is done when it is final and the worker still waits for it;
// a failure is the worker's error, after failed.
func (c *V3Worker) submit(desc, failed string, done func()) {
	b, pid, run := c.b, c.Row.PID, c.run
	t := &V3Tx{ID: b.txCount, Desc: desc, PID: pid, State: "Pending", Created: b.w.now}
	b.txCount++
	b.pending = append(b.pending, t)
	end := func(message string) {
		t.State, t.Updated, t.Message = "Success", b.w.now, message
		if message != "" {
			t.State = "Error"
		}
		switch {
		case c.gone || c.run != run:
		case message == "":
			done()
		default:
			c.fail(failed+message, true)
		}
	}
	b.later(v3Gathers, func() {
		b.pending = without(b.pending, t)
		b.past = append(b.past, t)
		t.State = "Running"
		if _, err := b.Operator(pid); err != nil {
			end("Invalid pool operator")
			return
		}
		n := b.node()
		if n == nil {
			end("There is no valid substrate data source")
			return
		}
		b.settleTx(n, n.para.Finalized(b.w.now), b.w.now.Add(v3TxGivesUp), end)
	})
}

// settleTx looks every second whether the third block after sent is final on the node.
func (b *V3Bridge) settleTx(n *Node, sent int64, until time.Time, end func(string)) {
	b.later(time.Second, func() {
		switch {
		case b.connected[n] && n.para.Finalized(b.w.now) >= sent+3:
			end("")
		case !b.w.now.Before(until):
			end("Tx timed out!")
		default:
			b.settleTx(n, sent, until, end)
		}
	})
}
