package v3

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

func failed(message string) (int, string) {
	m, _ := json.Marshal(message)
	return 500, `{"error":true,"code":"ServerError","message":` + string(m) + `,"backtrace":"disabled backtrace"}`
}

func pretty(v any) (int, string) {
	text, _ := json.MarshalIndent(v, "", "  ")
	return 200, string(text)
}

// command carries out a configuration command as configurator.rs and inv_db.rs do, quirks included.
func (m *manager) command(name string, raw json.RawMessage) (int, string) {
	var a struct {
		Name, Endpoint, Stake, Account string
		NewName                        *string `json:"new_name"`
		PID                            *uint64
		Disabled, Gatekeeper           *bool
		SyncOnly                       *bool   `json:"sync_only"`
		AccountType                    string  `json:"account_type"`
		Proxied                        *string `json:"proxied_account_id"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return 422, "Failed to deserialize the JSON body into the target type: " + err.Error()
	}
	if strings.HasPrefix(name, "Add") || strings.HasPrefix(name, "Update") {
		if a.PID == nil || a.Disabled == nil || a.SyncOnly == nil || strings.HasSuffix(name, "Worker") && a.Gatekeeper == nil {
			return 422, "Failed to deserialize the JSON body into the target type: missing field"
		}
	}
	pool := m.pool(a.PID)
	worker := slices.IndexFunc(m.workers, func(w *fakeWorker) bool { return w.Name == a.Name })
	switch name {
	case "GetAllPoolsWithWorkers":
		all := []*fakePool{}
		for _, p := range m.pools {
			all = append(all, m.withWorkers(p))
		}
		return pretty(all)
	case "GetPoolWithWorkers":
		if pool == nil {
			return failed("pool not found: " + strconv.FormatUint(*a.PID, 10))
		}
		return pretty(m.withWorkers(pool))
	case "GetAllPoolOperators":
		return pretty(slices.Collect(maps.Values(m.operators)))
	case "GetPoolOperator":
		if m.operators[*a.PID] == nil {
			return failed("Record not found!")
		}
		return pretty(m.operators[*a.PID])
	case "SetPoolOperator":
		if strings.Contains(a.Account, "bad") {
			return failed("Invalid phrase: " + a.Account)
		}
		m.operators[*a.PID] = map[string]any{"pid": *a.PID, "operator_account_id": "45Of" + strconv.Itoa(len(a.Account)), "proxied_account_id": a.Proxied}
		return pretty(m.operators[*a.PID])
	case "AddPool":
		if pool != nil {
			return failed("Pool already exists!")
		}
		m.serial++
		p := &fakePool{ID: fmt.Sprint("new", m.serial), Name: a.Name, PID: *a.PID, Enabled: !*a.Disabled, SyncOnly: *a.SyncOnly}
		m.pools = append(m.pools, p)
		return pretty(p)
	case "UpdatePool":
		if pool == nil {
			return failed("Pool not found!")
		}
		pool.Name, pool.Enabled, pool.SyncOnly = a.Name, !*a.Disabled, *a.SyncOnly
		return pretty(pool)
	case "RemovePool":
		switch {
		case pool == nil:
			return failed("Pool not found")
		case m.withWorkers(pool).Workers.([]*fakeWorker) != nil:
			return failed("Pool not empty!")
		}
		m.pools = slices.DeleteFunc(m.pools, func(p *fakePool) bool { return p == pool })
		return pretty(map[string]bool{"ok": true})
	case "AddWorker":
		if _, err := strconv.ParseFloat(a.Stake, 64); err != nil {
			return failed("invalid digit found in string")
		}
		if worker >= 0 {
			return failed("Duplicated worker name!")
		}
		if pool == nil {
			return failed("Pool not found!")
		}
		m.serial++
		w := &fakeWorker{ID: fmt.Sprint("new", m.serial), Name: a.Name, Endpoint: canonical(a.Endpoint), Stake: a.Stake, PID: a.PID,
			Enabled: !*a.Disabled, SyncOnly: *a.SyncOnly, Gatekeeper: *a.Gatekeeper}
		m.workers = append(m.workers, w)
		return pretty(w)
	case "UpdateWorker":
		if worker < 0 {
			return failed("Worker not found!")
		}
		w := m.workers[worker]
		w.Endpoint, w.Stake, w.PID, w.Enabled, w.SyncOnly, w.Gatekeeper = a.Endpoint, a.Stake, a.PID, !*a.Disabled, *a.SyncOnly, *a.Gatekeeper
		if a.NewName != nil {
			w.Name = *a.NewName
		}
		return pretty(w)
	case "RemoveWorker":
		if worker < 0 {
			return 0, "" // a panic in the handler
		}
		m.workers = slices.Delete(m.workers, worker, worker+1)
		return pretty(map[string]bool{"ok": true})
	}
	return 422, "Failed to deserialize the JSON body into the target type: unknown variant `" + name + "`"
}

func (m *manager) pool(pid *uint64) *fakePool {
	for _, p := range m.pools {
		if pid != nil && p.PID == *pid {
			return p
		}
	}
	return nil
}

func (m *manager) withWorkers(p *fakePool) *fakePool {
	q := *p
	var list []*fakeWorker
	for _, w := range m.workers {
		if w.PID != nil && *w.PID == p.PID {
			list = append(list, w)
		}
	}
	q.Workers = list
	return &q
}
