package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"phalops/internal/sim/world"
)

type v3Pool struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	PID      uint64     `json:"pid"`
	Enabled  bool       `json:"enabled"`
	SyncOnly bool       `json:"sync_only"`
	Workers  []v3Worker `json:"workers"` // null where they were not asked for
}

type v3Worker struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Endpoint   string `json:"endpoint"`
	Stake      string `json:"stake"`
	PID        uint64 `json:"pid"`
	Enabled    bool   `json:"enabled"`
	SyncOnly   bool   `json:"sync_only"`
	Gatekeeper bool   `json:"gatekeeper"`
}

type v3Operator struct {
	PID     uint64  `json:"pid"`
	Account string  `json:"operator_account_id"`
	Proxied *string `json:"proxied_account_id"`
}

func showV3Row(w world.V3Row) v3Worker {
	return v3Worker{w.ID, w.Name, w.Endpoint, w.Stake, w.PID, w.Enabled, w.SyncOnly, w.Gatekeeper}
}

func showV3Pool(b *world.V3Bridge, p world.V3Pool, withWorkers bool) v3Pool {
	shown := v3Pool{ID: p.ID, Name: p.Name, PID: p.PID, Enabled: p.Enabled, SyncOnly: p.SyncOnly}
	if withWorkers {
		shown.Workers = []v3Worker{}
		for _, w := range b.WorkersOf(p.PID) {
			shown.Workers = append(shown.Workers, showV3Row(w))
		}
	}
	return shown
}

func showV3Operator(o world.V3Operator) v3Operator {
	shown := v3Operator{PID: o.PID, Account: world.SS58(30, sha256.Sum256([]byte("operator/"+o.Seed)))}
	if o.Proxied != "" {
		shown.Proxied = &o.Proxied
	}
	return shown
}

// v3Commands are all commands, in the order in which a complaint about an unknown one lists them.
func v3Commands() []string {
	return []string{"AddPool", "RemovePool", "UpdatePool", "GetPool", "GetPoolWithWorkers", "GetAllPools", "GetAllPoolsWithWorkers",
		"AddWorker", "UpdateWorker", "RemoveWorker", "GetAllPoolOperators", "GetPoolOperator", "SetPoolOperator"}
}

// wmConfig carries out one configuration command: an externally tagged enum. Its reply calls itself plain text.
func wmConfig(b *world.V3Bridge, body []byte) wmReply {
	name, payload, problem := v3Command(body)
	f := &serde{problem: problem}
	unit := slices.Contains([]string{"GetAllPools", "GetAllPoolsWithWorkers", "GetAllPoolOperators"}, name)
	switch {
	case problem != "":
		return f.refused()
	case unit && payload != nil && string(payload) != "null":
		f.fail("invalid type: %s, expected unit", serdeType(payload))
		return f.refused()
	case !unit && payload == nil:
		f.fail("invalid type: unit variant, expected struct variant")
		return f.refused()
	case !unit:
		f = newSerde(payload)
	}
	run := v3Prepare(b, name, f)
	if f.problem != "" {
		return f.refused()
	}
	reply, err := run()
	if err != nil {
		return wmError(err)
	}
	return wmText(http.StatusOK, string(pretty(reply)))
}

// v3Command reads the tag: a bare string, or an object with one key.
func v3Command(body []byte) (name string, payload json.RawMessage, problem string) {
	var tagged map[string]json.RawMessage
	switch {
	case json.Unmarshal(body, &name) == nil && serdeType(body) != "null":
	case json.Unmarshal(body, &tagged) != nil || len(tagged) != 1:
		return "", nil, fmt.Sprintf("invalid type: %s, expected enum ConfigCommands", serdeType(body))
	}
	for name, payload = range tagged {
	}
	if !slices.Contains(v3Commands(), name) {
		return "", nil, fmt.Sprintf("unknown variant `%s`, expected one of `%s`", name, strings.Join(v3Commands(), "`, `"))
	}
	return name, payload, ""
}

// v3Prepare reads a command's fields; the effect is what it returns.
func v3Prepare(b *world.V3Bridge, name string, f *serde) func() (any, error) {
	switch name {
	case "AddPool", "UpdatePool":
		p := world.V3Pool{Name: f.text("name"), PID: f.pid(), Enabled: !f.truth("disabled"), SyncOnly: f.truth("sync_only")}
		write := b.AddPool
		if name == "UpdatePool" {
			write = b.UpdatePool
		}
		return func() (any, error) {
			p, err := write(p)
			return showV3Pool(b, p, false), err
		}
	case "RemovePool":
		pid := f.pid()
		return func() (any, error) { return wmOK{true}, b.RemovePool(pid) }
	case "GetPool", "GetPoolWithWorkers":
		pid := f.pid()
		return func() (any, error) {
			p, err := b.Pool(pid)
			return showV3Pool(b, p, name == "GetPoolWithWorkers"), err
		}
	case "GetAllPools", "GetAllPoolsWithWorkers":
		return func() (any, error) {
			all := []v3Pool{}
			for _, p := range b.Pools() {
				all = append(all, showV3Pool(b, p, name == "GetAllPoolsWithWorkers"))
			}
			return all, nil
		}
	case "AddWorker", "UpdateWorker":
		w := world.V3Row{Name: f.text("name"), Endpoint: f.text("endpoint"), Stake: f.text("stake"), PID: f.pid(),
			Enabled: !f.truth("disabled"), SyncOnly: f.truth("sync_only"), Gatekeeper: f.truth("gatekeeper")}
		write := b.AddWorker
		if name == "UpdateWorker" {
			rename := f.optional("new_name")
			write = func(w world.V3Row) (world.V3Row, error) { return b.UpdateWorker(w, rename) }
		}
		return func() (any, error) {
			w, err := write(w)
			return showV3Row(w), err
		}
	case "RemoveWorker":
		worker := f.text("name")
		return func() (any, error) { return wmOK{true}, b.RemoveWorker(worker) }
	}
	return v3PrepareOperator(b, name, f)
}

func v3PrepareOperator(b *world.V3Bridge, name string, f *serde) func() (any, error) {
	switch name {
	case "GetPoolOperator":
		pid := f.pid()
		return func() (any, error) {
			o, err := b.Operator(pid)
			return showV3Operator(o), err
		}
	case "SetPoolOperator":
		pid, account, kind, proxied := f.pid(), f.text("account"), f.text("account_type"), f.optional("proxied_account_id")
		if f.problem == "" && kind != "Seed" && kind != "SecretKey" {
			f.fail("account_type: unknown variant `%s`, expected `Seed` or `SecretKey`", kind)
		}
		return func() (any, error) {
			if err := checkAccount(account, kind); err != nil {
				return nil, err
			}
			if proxied != "" && !looksSS58(proxied) {
				return nil, world.V3Error("Base 58 requirement is violated")
			}
			// The world keeps no secret, only something that differs when the secret does.
			o, err := b.SetOperator(world.V3Operator{PID: pid, Seed: digestOf("account/" + account), Proxied: proxied})
			return showV3Operator(o), err
		}
	}
	return func() (any, error) {
		all := []v3Operator{}
		for _, o := range b.Operators() {
			all = append(all, showV3Operator(o))
		}
		return all, nil
	}
}

// checkAccount does what the key parsers do, without a word list.
func checkAccount(account, kind string) error {
	if kind == "SecretKey" {
		raw, err := hex.DecodeString(account)
		switch {
		case len(account)%2 == 1:
			return world.V3Error("Odd number of digits")
		case err != nil:
			i := strings.IndexFunc(account, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) })
			return world.V3Error(fmt.Sprintf("Invalid character '%c' at position %d", []rune(account[i:])[0], i))
		case len(raw) != 64:
			return world.V3Error("Invalid length")
		}
		return nil
	}
	phrase, _, _ := strings.Cut(account, "/")
	if seed, ok := strings.CutPrefix(phrase, "0x"); ok {
		if raw, err := hex.DecodeString(seed); err != nil || len(raw) != 32 {
			return world.V3Error("Invalid seed length")
		}
		return nil
	}
	if n := len(strings.Fields(phrase)); phrase == "" && account != "" || slices.Contains([]int{12, 15, 18, 21, 24}, n) {
		return nil
	}
	return world.V3Error("Invalid phrase")
}

func looksSS58(s string) bool {
	return len(s) >= 46 && len(s) <= 50 && strings.Trim(s, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz") == ""
}
