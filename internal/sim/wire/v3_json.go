package wire

import (
	"math/big"
	"time"

	"phalops/internal/sim/world"
)

type v3Status struct {
	Worker      v3Worker      `json:"worker"`
	State       any           `json:"state"` // a word, or {"HasError": text}
	Info        *phactoryInfo `json:"phactory_info"`
	LastMessage string        `json:"last_message"`
	Session     *v3Session    `json:"session_info"`
}

type v3HasError struct {
	Text string `json:"HasError"`
}

type v3Workers struct {
	Workers []v3Status `json:"workers"`
}

func showV3Workers(b *world.V3Bridge) v3Workers {
	all := v3Workers{[]v3Status{}}
	for _, s := range b.Workers() {
		shown := v3Status{Worker: showV3Row(s.Worker), State: s.State, LastMessage: v3Message(b, s.Message, s.At)}
		if s.State == world.V3HasError {
			shown.State = v3HasError{s.Error}
		}
		if rt := s.Context.Pruntime(); rt != nil {
			info := showPhactory(rt)
			para, relay := s.Context.Heights()
			info.HeaderNum, info.ParaHeaderNum, info.BlockNum = relay+1, para+1, para+1
			shown.Info = &info
			shown.Session = showV3Session(rt)
		}
		all.Workers = append(all.Workers, shown)
	}
	return all
}

// v3Message puts the time in front: v3.2 without a year, in UTC; v3.0 in the container's zone, which is UTC too.
func v3Message(b *world.V3Bridge, text string, at time.Time) string {
	switch {
	case text == "":
		return ""
	case b.V30:
		return "[" + at.UTC().Format("2006-01-02 15:04:05.000000000 -07:00") + " ] " + text
	}
	return "[" + at.UTC().Format("01-02 15:04:05") + "] " + text
}

// v3Session is the pallet's type; u128 are bare numbers, larger than what JavaScript can hold.
type v3Session struct {
	State     string      `json:"state"`
	Ve        *big.Int    `json:"ve"`
	V         *big.Int    `json:"v"`
	UpdatedAt int64       `json:"v_updated_at"`
	Benchmark v3Benchmark `json:"benchmark"`
	CoolDown  int64       `json:"cool_down_start"`
	Stats     v3Stats     `json:"stats"`
}

type v3Benchmark struct {
	PInit         uint64 `json:"p_init"`
	PInstant      uint64 `json:"p_instant"`
	Iterations    uint64 `json:"iterations"`
	WorkingStart  int64  `json:"working_start_time"`
	ChallengeLast int64  `json:"challenge_time_last"`
}

type v3Stats struct {
	TotalReward uint64 `json:"total_reward"`
}

func showV3Session(rt *world.Pruntime) *v3Session {
	s, ok := rt.Session()
	if !ok {
		return nil
	}
	shown := &v3Session{State: s.State, Ve: fixed(s.Ve), V: fixed(s.V), UpdatedAt: s.UpdatedAt.Unix(), Stats: v3Stats{s.TotalReward},
		Benchmark: v3Benchmark{s.PInit, s.PInstant, s.Iterations, s.WorkingStart.Unix(), s.ChallengeLast.Unix()}}
	if !s.CoolDownStart.IsZero() {
		shown.CoolDown = s.CoolDownStart.Unix()
	}
	return shown
}

type v3Tx struct {
	ID        int    `json:"id"`
	State     any    `json:"state"`
	Desc      string `json:"desc"`
	PID       uint64 `json:"pid"`
	CreatedAt string `json:"created_at"`
}

type v3Txs struct {
	Count   int    `json:"tx_count"`
	Running []v3Tx `json:"running_txs"`
	Pending []v3Tx `json:"pending_txs"`
	Past    []v3Tx `json:"past_txs"`
}

type v3TxEnd struct {
	UpdatedAt string `json:"updated_at"`
	Message   string `json:"message,omitempty"`
}

func showV3Transactions(b *world.V3Bridge) v3Txs {
	count, pending, past := b.Transactions()
	return v3Txs{count, []v3Tx{}, showV3Txs(pending), showV3Txs(past)}
}

func showV3Txs(all []world.V3Tx) []v3Tx {
	const nanoseconds = "2006-01-02T15:04:05.000000000Z"
	shown := make([]v3Tx, len(all))
	for i, t := range all {
		shown[i] = v3Tx{ID: t.ID, State: t.State, Desc: t.Desc, PID: t.PID, CreatedAt: t.Created.UTC().Format(nanoseconds)}
		end := v3TxEnd{t.Updated.UTC().Format(nanoseconds), t.Message}
		switch t.State {
		case "Success":
			shown[i].State = struct {
				Success v3TxEnd `json:"Success"`
			}{end}
		case "Error":
			shown[i].State = struct {
				Error v3TxEnd `json:"Error"`
			}{end}
		}
	}
	return shown
}
