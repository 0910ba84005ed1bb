package fleet

import (
	"strconv"
	"time"
)

// Outlook is what follows from a decision, in one sentence: what is done, or why nothing is. It is zero for a decision
// that nobody made yet. Everything that shows a decision says it in these words.
func (d Decision) Outlook() Reason {
	switch d.Verdict {
	case Healthy:
		return Because("outlook.healthy")
	case Act:
		return Because("outlook.act", "action", "plan_kind."+d.Action)
	case WouldAct:
		return Because("outlook.observe", "action", "plan_kind."+d.Action)
	case Person:
		return Because("outlook.person")
	case HandsOff:
		return Because("outlook.handsoff")
	case Wait:
		if d.NextLook.Sub(d.At) < worthWaitingFor {
			return Because("outlook.wait")
		}
		return Because("outlook.wait_until", "until", d.NextLook)
	}
	return Reason{}
}

// ConditionCode is the catalogue's code for what an incident's target is in: each kind of target has words of its own. A
// target that works, and about which something wants a person all the same, needs attention.
func (i Incident) ConditionCode() string {
	switch i.Target.Kind() {
	case KindWorker:
		return remarked("condition.", i.Code, string(Working))
	case KindNode:
		return remarked("node_condition.", i.Code, string(NodeHealthy))
	case KindBridge:
		return remarked("bridge_condition.", i.Code, string(BridgeHealthy))
	case KindFleet, KindSite, KindHost, KindPool:
		return "parent_condition." + i.Code
	case KindNetwork:
		return "network_condition." + i.Code
	case KindStakePool:
		return "stakepool_condition." + i.Code
	}
	return i.Code
}

func remarked(words, condition, well string) string {
	if condition == well {
		return "outlook.remark"
	}
	return words + condition
}

// worthWaitingFor is how far a next look must be away to be a date for people: a nearer one is the next round of questions.
const worthWaitingFor = time.Minute

// Chosen is the rung that is taken, or would be; false when there is none, or when it is a person.
func (d Decision) Chosen() (Candidate, bool) {
	for _, c := range d.Candidates {
		if c.Closed == nil {
			return c, len(c.Source) > 0
		}
	}
	return Candidate{}, false
}

// Worth is a rung's numbers in one sentence. A person, the last rung, has none.
func (c Candidate) Worth() Reason {
	return Because("outlook.worth", "action", "rung."+c.Action, "cure", strconv.Itoa(int(c.Cure*100+0.5)), "left", c.Left.Round(time.Minute),
		"gain", hours(c.Gain), "price", hours(c.Price))
}

// hours is a number of worker-hours: two digits that mean something are enough.
func hours(h float64) string {
	digits := 0
	switch {
	case h < 1:
		digits = 2
	case h < 10:
		digits = 1
	}
	return strconv.FormatFloat(h, 'f', digits, 64)
}
