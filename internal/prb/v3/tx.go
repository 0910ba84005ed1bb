package v3

import (
	"context"
	"encoding/json"
	"time"

	"phalops/internal/prb"
)

// Transactions is prb-wm's queue since its start. v3.2 moves a batch to Past as soon as it is sent, so Running is
// practically always empty there and Past holds what runs.
type Transactions struct {
	Count                  int64 // -1 when it is not told
	Running, Pending, Past []Transaction
}

// Transaction is one of them.
type Transaction struct {
	ID      int64  // counts from 0 since prb-wm's start
	State   string // Pending, Running, Success, Error
	Message string // why, of an Error
	Desc    string // for example "Register worker for pool #7"
	PID     uint64
	Created time.Time // zero when it is not told
	Updated time.Time // of Success and Error
}

// Transactions asks for the queue. It is never trimmed: after months it is long.
func (c *Client) Transactions(ctx context.Context) (Transactions, error) {
	data, err := c.get(ctx, "tx/status")
	if err != nil {
		return Transactions{}, err
	}
	return decodeTransactions(data)
}

func decodeTransactions(data []byte) (Transactions, error) {
	var r struct {
		Count   prb.Int         `json:"tx_count"`
		Running json.RawMessage `json:"running_txs"`
		Pending json.RawMessage `json:"pending_txs"`
		Past    json.RawMessage `json:"past_txs"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return Transactions{}, badData("tx/status", err)
	}
	t := Transactions{Count: -1}
	if r.Count.Known {
		t.Count = r.Count.Value
	}
	for _, part := range []struct {
		raw json.RawMessage
		to  *[]Transaction
	}{{r.Running, &t.Running}, {r.Pending, &t.Pending}, {r.Past, &t.Past}} {
		var err error
		if *part.to, err = decodeEach(part.raw, "tx/status", decodeTransaction); err != nil {
			return Transactions{}, err
		}
	}
	return t, nil
}

func decodeTransaction(raw []byte) (Transaction, bool) {
	var r struct {
		ID      prb.Int         `json:"id"`
		State   json.RawMessage `json:"state"`
		Desc    prb.Text        `json:"desc"`
		PID     json.RawMessage `json:"pid"`
		Created prb.Text        `json:"created_at"`
	}
	if json.Unmarshal(raw, &r) != nil || !r.ID.Known {
		return Transaction{}, false
	}
	t := Transaction{ID: r.ID.Value, Desc: prb.Redact(string(r.Desc)), Created: instant(r.Created)}
	_ = json.Unmarshal(r.PID, &t.PID)
	if json.Unmarshal(r.State, &t.State) == nil {
		return t, t.State != ""
	}
	var ended map[string]struct {
		Updated prb.Text `json:"updated_at"`
		Message prb.Text `json:"message"`
	}
	if json.Unmarshal(r.State, &ended) != nil || len(ended) != 1 {
		return Transaction{}, false
	}
	for state, e := range ended {
		t.State, t.Updated, t.Message = state, instant(e.Updated), prb.Redact(string(e.Message))
	}
	return t, true
}

func instant(s prb.Text) time.Time {
	at, err := time.Parse(time.RFC3339Nano, string(s))
	if err != nil || !plausible(at) {
		return time.Time{}
	}
	return at.UTC()
}
