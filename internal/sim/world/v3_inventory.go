package world

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// V3Row is a worker of a v3 inventory. Stake is a decimal text, 10⁻¹² PHA, and never checked on an update.
type V3Row struct {
	ID, Name, Endpoint, Stake     string
	PID                           uint64
	Enabled, SyncOnly, Gatekeeper bool
}

// V3Pool is a pool of a v3 inventory.
type V3Pool struct {
	ID, Name          string
	PID               uint64
	Enabled, SyncOnly bool
}

// V3Operator pays for the transactions of a pool. Seed stands for its account.
type V3Operator struct {
	PID           uint64
	Seed, Proxied string
}

// V3Panic is a command that ends the connection without a reply.
type V3Panic struct{}

func (V3Panic) Error() string { return "called `Option::unwrap()` on a `None` value" }

// V3Error is a failure that wm tells as the text of a ServerError.
type V3Error string

func (e V3Error) Error() string { return string(e) }

func (b *V3Bridge) nextID() string {
	b.uuids++
	return b.w.uuid("v3/"+b.Name, b.uuids)
}

// pool finds a pool by its number; nil when there is none.
func (b *V3Bridge) pool(pid uint64) *V3Pool {
	if i := slices.IndexFunc(b.pools, func(p V3Pool) bool { return p.PID == pid }); i >= 0 {
		return &b.pools[i]
	}
	return nil
}

// Pools are all pools in the order of their creation.
func (b *V3Bridge) Pools() []V3Pool { return slices.Clone(b.pools) }

// Pool finds a pool by its number.
func (b *V3Bridge) Pool(pid uint64) (V3Pool, error) {
	if p := b.pool(pid); p != nil {
		return *p, nil
	}
	return V3Pool{}, V3Error(fmt.Sprintf("pool not found: %d", pid))
}

// WorkersOf are a pool's workers in the order of their creation.
func (b *V3Bridge) WorkersOf(pid uint64) []V3Row {
	return slices.DeleteFunc(slices.Clone(b.rows), func(r V3Row) bool { return r.PID != pid })
}

// wrote reports whether the inventory could be written: not on a full disk.
func (b *V3Bridge) wrote(what string) error {
	if b.w.Host(b.Host).DiskFull {
		return V3Error("db write failed")
	}
	b.w.did(what, b.Name)
	return nil
}

// AddPool writes a pool; nothing else happens.
func (b *V3Bridge) AddPool(in V3Pool) (V3Pool, error) {
	if b.pool(in.PID) != nil {
		return V3Pool{}, V3Error("Pool already exists!")
	}
	if err := b.wrote("create-pool"); err != nil {
		return V3Pool{}, err
	}
	in.ID = b.nextID()
	b.pools = append(b.pools, in)
	return in, nil
}

// UpdatePool overwrites the pool with the same number. Only a change of SyncOnly has an effect on workers.
func (b *V3Bridge) UpdatePool(in V3Pool) (V3Pool, error) {
	p := b.pool(in.PID)
	if p == nil {
		return V3Pool{}, V3Error("Pool not found!")
	}
	if err := b.wrote("update-pool"); err != nil {
		return V3Pool{}, err
	}
	switched := p.SyncOnly != in.SyncOnly
	in.ID = p.ID
	*p = in
	if switched {
		b.switchPool(in.PID)
	}
	return in, nil
}

// RemovePool deletes an empty pool; its operator stays.
func (b *V3Bridge) RemovePool(pid uint64) error {
	if b.pool(pid) == nil {
		return V3Error("Pool not found")
	}
	if len(b.WorkersOf(pid)) > 0 {
		return V3Error("Pool not empty!")
	}
	if err := b.wrote("remove-pool"); err != nil {
		return err
	}
	b.pools = slices.DeleteFunc(b.pools, func(p V3Pool) bool { return p.PID == pid })
	return nil
}

func (b *V3Bridge) row(name string) *V3Row {
	if i := slices.IndexFunc(b.rows, func(r V3Row) bool { return r.Name == name }); i >= 0 {
		return &b.rows[i]
	}
	return nil
}

// checkStake is Rust's u128 parser.
func checkStake(s string) error {
	digits := strings.TrimPrefix(s, "+")
	switch {
	case s == "":
		return V3Error("cannot parse integer from empty string")
	case digits == "" || strings.Trim(digits, "0123456789") != "":
		return V3Error("invalid digit found in string")
	case len(strings.TrimLeft(digits, "0")) > 39:
		return V3Error("number too large to fit in target type")
	}
	return nil
}

// normalEndpoint is what Rust's URL parser makes of an endpoint: a path, and no port where the scheme says it.
func normalEndpoint(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil && strings.Contains(err.Error(), "invalid port"):
		return "", V3Error("invalid port number")
	case err != nil || u.Scheme == "":
		return "", V3Error("relative URL without a base")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", V3Error("Invalid URL scheme")
	case u.Hostname() == "":
		return "", V3Error("empty host")
	}
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n > 65535) {
		return "", V3Error("invalid port number")
	}
	if u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443" {
		u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// AddWorker writes a worker, and v3.2 starts it at once.
func (b *V3Bridge) AddWorker(in V3Row) (V3Row, error) {
	if err := checkStake(in.Stake); err != nil {
		return V3Row{}, err
	}
	if b.row(in.Name) != nil || slices.ContainsFunc(b.pools, func(p V3Pool) bool { return p.Name == in.Name }) {
		return V3Row{}, V3Error("Duplicated worker name!")
	}
	endpoint, err := normalEndpoint(in.Endpoint)
	if err != nil {
		return V3Row{}, err
	}
	if b.pool(in.PID) == nil {
		return V3Row{}, V3Error("Pool not found!")
	}
	if err := b.wrote("create-worker"); err != nil {
		return V3Row{}, err
	}
	in.ID, in.Endpoint = b.nextID(), endpoint
	b.rows = append(b.rows, in)
	if b.looping && !b.V30 {
		b.addContext(in).begin()
	}
	return in, nil
}

// UpdateWorker overwrites the worker of that name, unchecked, and renames it when rename is not empty.
func (b *V3Bridge) UpdateWorker(in V3Row, rename string) (V3Row, error) {
	r := b.row(in.Name)
	switch {
	case r == nil:
		return V3Row{}, V3Error("Worker not found!")
	case b.pool(in.PID) == nil:
		return V3Row{}, V3Error("New pool not found!")
	}
	if err := b.wrote("update-worker"); err != nil {
		return V3Row{}, err
	}
	was := *r
	in.ID = was.ID
	if rename != "" {
		in.Name = rename
	}
	*r = in
	if c := b.context(in.ID); c != nil && !b.V30 {
		c.changed(was, in)
	}
	return in, nil
}

// RemoveWorker deletes a worker and stops it. With a pool's name it deletes that pool; an unknown name is a V3Panic. The
// status entry stays where wm never learned the public key.
func (b *V3Bridge) RemoveWorker(name string) error {
	r := b.row(name)
	if r == nil {
		n := len(b.pools)
		b.pools = slices.DeleteFunc(b.pools, func(p V3Pool) bool { return p.Name == name })
		if len(b.pools) == n {
			return V3Panic{}
		}
		return b.wrote("remove-pool")
	}
	if err := b.wrote("remove-worker"); err != nil {
		return err
	}
	id := r.ID
	b.rows = slices.DeleteFunc(b.rows, func(r V3Row) bool { return r.ID == id })
	if c := b.context(id); c != nil && !b.V30 {
		c.drop()
		if c.known {
			b.remove(c)
		}
	}
	return nil
}

func (b *V3Bridge) remove(c *V3Worker) {
	b.contexts = slices.DeleteFunc(b.contexts, func(o *V3Worker) bool { return o == c })
}

// Operators are the operators in the order of their pools' numbers.
func (b *V3Bridge) Operators() []V3Operator { return slices.Clone(b.operators) }

// Operator finds a pool's operator.
func (b *V3Bridge) Operator(pid uint64) (V3Operator, error) {
	if i := slices.IndexFunc(b.operators, func(o V3Operator) bool { return o.PID == pid }); i >= 0 {
		return b.operators[i], nil
	}
	return V3Operator{}, V3Error("Record not found!")
}

// SetOperator writes a pool's operator, which need not have a pool. With a new account every worker of the pool registers
// again.
func (b *V3Bridge) SetOperator(in V3Operator) (V3Operator, error) {
	was, err := b.Operator(in.PID)
	known := err == nil
	if err := b.wrote("set-operator"); err != nil {
		return V3Operator{}, err
	}
	b.operators = append(slices.DeleteFunc(b.operators, func(o V3Operator) bool { return o.PID == in.PID }), in)
	slices.SortFunc(b.operators, func(x, y V3Operator) int {
		if x.PID < y.PID {
			return -1
		}
		return 1
	})
	if (!known || was.Seed != in.Seed) && !b.V30 {
		for _, c := range b.contexts {
			if c.Row.PID == in.PID && c.started && !c.halted && c.rt.Answers() {
				c.submitRegister(func() {})
			}
		}
	}
	return in, nil
}
