// Package view is the shapes that people's programs read: the JSON of `-o json` and, later, of the HTTP API. Fields may be
// added; they never change their meaning. Times are RFC 3339 in UTC, amounts decimal strings of 10⁻¹² PHA, heights numbers.
package view

import (
	"time"

	"phalops/internal/fleet"
)

// Words turns a Reason into the reader's language.
type Words func(fleet.Reason) string

// Reason is a sentence: the stable code for programs, the text for people.
type Reason struct {
	Code string            `json:"code"`
	Args map[string]string `json:"args,omitempty"`
	Text string            `json:"text"`
}

func (w Words) reason(r fleet.Reason) *Reason {
	if r.IsZero() {
		return nil
	}
	return &Reason{Code: r.Code, Args: r.Args, Text: w(r)}
}

func (w Words) reasons(rs []fleet.Reason) []Reason {
	var out []Reason
	for _, r := range rs {
		out = append(out, *w.reason(r))
	}
	return out
}

// Decision is what was decided about a target, and why.
type Decision struct {
	Target    string     `json:"target"`
	At        time.Time  `json:"at"`
	Condition string     `json:"condition"`
	Since     *time.Time `json:"since,omitempty"`
	Rule      string     `json:"rule"`
	Suspect   string     `json:"suspect,omitempty"`
	Verdict   string     `json:"verdict"`
	Action    string     `json:"action,omitempty"`
	Reason    *Reason    `json:"reason,omitempty"`
	Outlook   *Reason    `json:"outlook,omitempty"` // what follows: what is done, or why nothing is
	Guards    []Reason   `json:"guards,omitempty"`
	Witnesses []Reason   `json:"witnesses,omitempty"`
	Cause     string     `json:"cause,omitempty"` // which parent the facts point at, for example gas
	NextLook  *time.Time `json:"next_look,omitempty"`
	Severity  string     `json:"severity,omitempty"` // how loudly a person is told of it

	Candidates []Candidate `json:"candidates,omitempty"` // the rungs of the ladder, mildest first
	Rules      []UserRule  `json:"rules,omitempty"`      // the operator's own rules that hold, or have no answer
}

// UserRule is an operator's own healing rule whose condition holds for the target, or has no answer.
type UserRule struct {
	Rule  string     `json:"rule"` // "user." and its name
	When  string     `json:"when"`
	Since *time.Time `json:"since,omitempty"` // since when it holds without a break; absent: it has no answer
	Due   *time.Time `json:"due,omitempty"`   // when it has held long enough
	Why   *Reason    `json:"why,omitempty"`   // why it has no answer, or what is above it
}

func (w Words) userRules(holds []fleet.Hold) []UserRule {
	var out []UserRule
	for _, h := range holds {
		out = append(out, UserRule{Rule: h.Rule, When: h.When, Since: moment(h.Since), Due: moment(h.Due), Why: w.reason(h.Why)})
	}
	return out
}

// Candidate is one rung of the ladder and what it is worth. Gain and Price are worker-hours: gain = cure × (left − with).
type Candidate struct {
	Action string   `json:"action"` // restart | container | alert
	Cure   float64  `json:"cure"`   // probability, 0…1
	Left   float64  `json:"left_s"` // seconds of further downtime when nothing is done
	With   float64  `json:"with_s"` // seconds of downtime with the action, when it cures
	Gain   float64  `json:"gain"`
	Price  float64  `json:"price"`
	Source []Reason `json:"source,omitempty"` // where the numbers come from
	Closed *Reason  `json:"closed,omitempty"` // why it is not taken; absent: open
}

func (w Words) candidates(cs []fleet.Candidate) []Candidate {
	var out []Candidate
	for _, c := range cs {
		v := Candidate{Action: c.Action, Cure: c.Cure, Left: c.Left.Seconds(), With: c.With.Seconds(), Gain: c.Gain, Price: c.Price}
		for _, code := range c.Source {
			v.Source = append(v.Source, *w.reason(fleet.Reason{Code: code}))
		}
		if c.Closed != nil {
			v.Closed = w.reason(*c.Closed)
		}
		out = append(out, v)
	}
	return out
}

// Decision shows a decision.
func (w Words) Decision(d fleet.Decision) *Decision {
	if d.Target == "" {
		return nil
	}
	return &Decision{
		Target: string(d.Target), At: d.At.UTC(), Condition: d.Condition, Since: moment(d.Since), Rule: d.Rule, Suspect: string(d.Suspect),
		Verdict: string(d.Verdict), Action: d.Action, Reason: w.reason(d.Reason), Outlook: w.reason(d.Outlook()), Guards: w.reasons(d.Guards),
		Witnesses: w.reasons(d.Witnesses), Cause: d.Cause, Candidates: w.candidates(d.Candidates), NextLook: moment(d.NextLook), Severity: string(d.Severity),
		Rules: w.userRules(d.Holds),
	}
}

// moment leaves out the zero time, which means "never".
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// known is a condition; one that nobody has judged yet is Unknown too.
func known[C ~string](c C) string {
	if c == "" {
		return string(fleet.Unknown)
	}
	return string(c)
}

// height leaves out an unknown height.
func height(h fleet.Height) *int64 {
	if !h.Known {
		return nil
	}
	return &h.Value
}

// Chain is one chain of a node.
type Chain struct {
	Chain     string     `json:"chain"` // para | relay
	URL       string     `json:"url"`
	Height    *int64     `json:"height"` // best block; null: unknown
	Target    *int64     `json:"target"` // highestBlock; null: the node does not say
	Finalized *int64     `json:"finalized"`
	MovedAt   *time.Time `json:"moved_at,omitempty"`
	Peers     *int       `json:"peers"` // null: unknown
	Syncing   *bool      `json:"syncing"`
	Name      string     `json:"name,omitempty"`
	Version   string     `json:"version,omitempty"`
	Answered  *time.Time `json:"answered,omitempty"` // when it last answered
	Silent    *Reason    `json:"silent,omitempty"`   // why it does not answer now
	PeersBest *int64     `json:"peers_best"`         // what at least two of its peers claim; null: the node does not tell
	Genesis   string     `json:"genesis,omitempty"`
	FromHost  string     `json:"from_host,omitempty"` // answers | refused | hangs: its RPC as its own host sees it, while it is silent
}

// Node is a node.
type Node struct {
	Name      string     `json:"name"`
	Site      string     `json:"site"`
	Condition string     `json:"condition"`
	Since     *time.Time `json:"since,omitempty"`
	Chains    []Chain    `json:"chains"`
	Container string     `json:"container,omitempty"` // its state, for example running
	Disk      *Disk      `json:"disk,omitempty"`      // of its chain data; absent where nobody can look
	Log       []LogSign  `json:"log,omitempty"`       // lines of its log that explain something, while something is wrong
	Caches    []Cache    `json:"caches,omitempty"`    // headers caches that read it
	Decision  *Decision  `json:"decision,omitempty"`
}

// Node shows a node with the newest decision about it (may be the zero Decision).
func (w Words) Node(n fleet.NodeStatus, d fleet.Decision) Node {
	out := Node{Name: n.Ref.Name(), Site: n.Site, Condition: known(n.Condition), Since: moment(n.Since), Chains: []Chain{}, Decision: w.Decision(d)}
	if n.Para != nil {
		out.Chains = append(out.Chains, w.chain("para", *n.Para))
	}
	if n.Relay != nil {
		out.Chains = append(out.Chains, w.chain("relay", *n.Relay))
	}
	if n.Container != nil {
		out.Container = n.Container.State
	}
	w.around(n, &out)
	return out
}

func (w Words) chain(name string, c fleet.ChainStatus) Chain {
	out := Chain{
		Chain: name, URL: c.URL, Height: height(c.Best), Target: height(c.Target), Finalized: height(c.Finalized), MovedAt: moment(c.Best.MovedAt),
		Syncing: c.Syncing, Name: c.Chain, Version: c.Version, Answered: moment(c.At),
		PeersBest: height(c.PeersBest), Genesis: c.Genesis, FromHost: c.FromHost.Says,
	}
	if c.Peers >= 0 && !c.At.IsZero() {
		out.Peers = &c.Peers
	}
	if c.Missed > 0 {
		out.Silent = w.reason(c.Cause)
	}
	return out
}

// DataProvider is a data provider as a bridge's monitor relays it.
type DataProvider struct {
	PeerID   string     `json:"peer_id"`
	Hostname string     `json:"hostname,omitempty"`
	Status   string     `json:"status,omitempty"`
	Para     *int64     `json:"para"`  // processed parachain block
	Relay    *int64     `json:"relay"` // processed relay chain block
	Answered *time.Time `json:"answered,omitempty"`
	Silent   *Reason    `json:"silent,omitempty"`
}

// Bridge is a bridge with its workers counted.
type Bridge struct {
	Name          string         `json:"name"`
	Site          string         `json:"site"`
	Version       string         `json:"version"`
	Condition     string         `json:"condition"`
	Since         *time.Time     `json:"since,omitempty"`
	Lifecycle     string         `json:"lifecycle,omitempty"`
	DataProviders []DataProvider `json:"data_providers"`
	Workers       int            `json:"workers"`
	ByCondition   map[string]int `json:"by_condition"`
	Answered      *time.Time     `json:"answered,omitempty"`
	Silent        *Reason        `json:"silent,omitempty"`
	Decision      *Decision      `json:"decision,omitempty"`
}

// Bridge shows a bridge with the newest decision about it.
func (w Words) Bridge(b fleet.BridgeStatus, d fleet.Decision) Bridge {
	out := Bridge{
		Name: b.Ref.Name(), Site: b.Site, Version: b.Version, Condition: known(b.Condition), Since: moment(b.Since), Lifecycle: b.LifecyclePeer,
		DataProviders: []DataProvider{}, Workers: len(b.Workers), ByCondition: CountWorkers(b.Workers), Answered: moment(b.Lifecycle.At), Decision: w.Decision(d),
	}
	for _, p := range []fleet.Probe{b.Monitor, b.Lifecycle} {
		if p.Missed > 0 {
			out.Silent = w.reason(p.Cause)
			break
		}
	}
	for _, dp := range b.DataProviders {
		v := DataProvider{PeerID: dp.PeerID, Hostname: dp.Hostname, Status: dp.Status, Para: height(dp.Para), Relay: height(dp.Parent), Answered: moment(dp.At)}
		if dp.Missed > 0 {
			v.Silent = w.reason(dp.Cause)
		}
		out.DataProviders = append(out.DataProviders, v)
	}
	return out
}

// CountWorkers counts workers by condition; conditions that nobody is in are left out.
func CountWorkers(ws []fleet.WorkerStatus) map[string]int {
	out := map[string]int{}
	for _, x := range ws {
		out[known(x.Condition)]++
	}
	return out
}

// Worker is a worker.
type Worker struct {
	Ref         string     `json:"ref"`
	Bridge      string     `json:"bridge"`
	Site        string     `json:"site"`
	Name        string     `json:"name"`
	ID          string     `json:"id"`
	PID         uint64     `json:"pid"`
	Endpoint    string     `json:"endpoint"`
	Stake       string     `json:"stake"` // 10⁻¹² PHA; "" when the bridge's record is not a number
	Enabled     bool       `json:"enabled"`
	SyncOnly    bool       `json:"sync_only"`
	Running     bool       `json:"running"`
	State       string     `json:"state"`
	Condition   string     `json:"condition"`
	Since       *time.Time `json:"since,omitempty"`
	Height      *int64     `json:"height"` // parachain block executed
	RelayHeight *int64     `json:"relay_height"`
	MovedAt     *time.Time `json:"moved_at,omitempty"`
	Message     string     `json:"message"`
	MessageAt   *time.Time `json:"message_at,omitempty"`
	Session     string     `json:"session,omitempty"`
	V           string     `json:"v,omitempty"`
	Ve          string     `json:"ve,omitempty"`
	PInstant    int64      `json:"p_instant,omitempty"`
	PublicKey   string     `json:"public_key,omitempty"`
	Answered    *time.Time `json:"answered,omitempty"` // when it was last seen
	Silent      *Reason    `json:"silent,omitempty"`   // why it is not seen now
	Decision    *Decision  `json:"decision,omitempty"`
}

// Worker shows a worker with the newest decision about it.
func (w Words) Worker(site string, x fleet.WorkerStatus, d fleet.Decision) Worker {
	out := Worker{
		Ref: string(x.Ref), Bridge: x.Ref.Parent().Name(), Site: site, Name: x.Name, ID: x.ID, PID: x.PID, Endpoint: x.Endpoint,
		Enabled: x.Enabled, SyncOnly: x.SyncOnly, Running: x.Running, State: x.State, Condition: known(x.Condition), Since: moment(x.Since),
		Height: height(x.Para), RelayHeight: height(x.Relay), MovedAt: moment(x.Para.MovedAt), Message: x.Message, MessageAt: moment(x.MessageAt),
		Session: x.Session, V: x.V, Ve: x.Ve, PInstant: x.PInstant, PublicKey: x.PublicKey, Decision: w.Decision(d),
	}
	out.Answered = moment(x.At)
	if x.Missed > 0 {
		out.Silent = w.reason(x.Cause)
	}
	if x.StakeOK {
		out.Stake = x.Stake.String()
	}
	return out
}
