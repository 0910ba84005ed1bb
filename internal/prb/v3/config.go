package v3

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// Operator is the account that signs for a pool. It never carries a key.
type Operator struct {
	PID     uint64
	Account string // SS58, prefix 30
	Proxied string // SS58 of the pool's owner when Account is its proxy; "" = none
}

// Contexts asks for everything that prb-wm tells of the workers that it runs, in the order of their names.
func (c *Client) Contexts(ctx context.Context) ([]Context, error) {
	data, err := c.get(ctx, "workers/status")
	if err != nil {
		return nil, err
	}
	return decodeContexts(data, c.clock.Now())
}

// Pools asks for all pools with their workers.
func (c *Client) Pools(ctx context.Context) ([]Pool, error) {
	data, err := c.read(ctx, "GetAllPoolsWithWorkers", nil)
	if err != nil {
		return nil, err
	}
	return decodeEach(data, "GetAllPoolsWithWorkers", decodePool)
}

// Pool asks for one pool with its workers; without such a pool the error is of kind fleet.NotFound.
func (c *Client) Pool(ctx context.Context, pid uint64) (Pool, error) {
	data, err := c.read(ctx, "GetPoolWithWorkers", pidOnly{pid})
	if err != nil {
		return Pool{}, err
	}
	p, ok := decodePool(data)
	if !ok || p.PID != pid {
		return Pool{}, badData("GetPoolWithWorkers", nil)
	}
	return p, nil
}

// Operators asks for the operators of all pools that have one.
func (c *Client) Operators(ctx context.Context) ([]Operator, error) {
	data, err := c.read(ctx, "GetAllPoolOperators", nil)
	if fleet.KindOf(err) == fleet.NotFound {
		return nil, nil // no record of any
	}
	if err != nil {
		return nil, err
	}
	return decodeEach(data, "GetAllPoolOperators", decodeOperator)
}

// Operator asks for the operator of one pool; without one the error is of kind fleet.NotFound.
func (c *Client) Operator(ctx context.Context, pid uint64) (Operator, error) {
	data, err := c.read(ctx, "GetPoolOperator", pidOnly{pid})
	if err != nil {
		return Operator{}, err
	}
	o, ok := decodeOperator(data)
	if !ok || o.PID != pid {
		return Operator{}, badData("GetPoolOperator", nil)
	}
	return o, nil
}

func decodeOperator(raw []byte) (Operator, bool) {
	var r *struct {
		PID     *uint64  `json:"pid"`
		Account prb.Text `json:"operator_account_id"`
		Proxied prb.Text `json:"proxied_account_id"`
	}
	if json.Unmarshal(raw, &r) != nil || r == nil || r.PID == nil || r.Account == "" {
		return Operator{}, false
	}
	return Operator{PID: *r.PID, Account: string(r.Account), Proxied: string(r.Proxied)}, true
}

// Manager is what prb-wm tells of itself.
type Manager struct {
	Commit string    // 40 hex digits
	Built  time.Time // zero when it is not told
	Dirty  bool      // built from changed sources
}

// Manager asks for prb-wm's build.
func (c *Client) Manager(ctx context.Context) (Manager, error) {
	data, err := c.get(ctx, "wm/status")
	if err != nil {
		return Manager{}, err
	}
	return decodeManager(data)
}

// decodeManager reads "<commit>-<YYYYMMDDHHMMSS>" with "-dirty" behind it, or not.
func decodeManager(data []byte) (Manager, error) {
	var r struct {
		Revision prb.Text `json:"git_revision"`
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Revision == "" {
		return Manager{}, badData("wm/status", err)
	}
	var m Manager
	rest, dirty := strings.CutSuffix(string(r.Revision), "-dirty")
	commit, built, _ := strings.Cut(rest, "-")
	m.Commit, m.Dirty = prb.Redact(commit), dirty
	if at, err := time.Parse("20060102150405", built); err == nil && plausible(at) {
		m.Built = at
	}
	return m, nil
}

type pidOnly struct {
	PID uint64 `json:"pid"`
}

// read asks a question about the configuration.
func (c *Client) read(ctx context.Context, name string, args any) ([]byte, error) {
	q, err := c.command(name, args)
	if err != nil {
		return nil, err
	}
	return c.ask(ctx, q)
}

// command makes the question of a configuration command. Without arguments these are null: the bare name, which prb-wm
// would take as well, loses its quotes in the monitor's proxy.
func (c *Client) command(name string, args any) (question, error) {
	body, err := json.Marshal(map[string]any{name: args})
	if err != nil {
		return question{}, errors.New(name + ": its arguments cannot be written as JSON")
	}
	return question{method: http.MethodPost, route: "wm/config", name: name, body: body}, c.exact(args)
}

// exactLimit is where the monitor's proxy, which encodes requests anew, begins to lose digits of bare numbers.
const exactLimit = 1 << 53

// exact refuses a pid that the proxy would turn into another one; prb-wm takes no quoted numbers.
func (c *Client) exact(args any) error {
	p, ok := args.(interface{ pid() uint64 })
	if !ok || !c.proxied || p.pid() <= exactLimit {
		return nil
	}
	return fleet.Fail(fleet.Invalid, fleet.Because("prb3.pid_too_large", "pid", p.pid(), "url", c.shown))
}

func (p pidOnly) pid() uint64 { return p.PID }
