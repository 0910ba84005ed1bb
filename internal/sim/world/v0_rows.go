package world

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// V0Pool is a pool's record in io.
type V0Pool struct {
	UUID, Name, RealPhalaSs58 string
	PID                       uint64
	Enabled                   bool
	Owner                     V0Owner
}

// V0Error is an application error: the text that v0 puts into content.error.extra.
type V0Error struct{ Extra string }

func (e *V0Error) Error() string { return e.Extra }

// V0Owner is an operator's account as v0 keeps it: in clear.
type V0Owner struct {
	Keystore string `json:"polkadotJson"`
	Phala    string `json:"ss58Phala"`
	Polkadot string `json:"ss58Polkadot"`
}

// V0OwnerInput is an owner as a request gives it; nil was not given.
type V0OwnerInput struct{ Mnemonic, Keystore *string }

// V0Item is a pool or a worker as a request gives it; nil was not given.
type V0Item struct {
	UUID, Name, Endpoint, Stake, RealPhalaSs58 *string
	PID                                        *uint64
	Enabled, Deleted                           *bool
	Owner                                      *V0OwnerInput
}

// V0Change is one item of an update.
type V0Change struct {
	ID   *V0ID
	Item *V0Item
}

// v0Doc is an item as it appears, whole, in an error text.
type v0Doc struct {
	First    *string  `json:"-"` // an uuid in the request keeps its place, but not its value
	Owner    *V0Owner `json:"owner,omitempty"`
	PID      any      `json:"pid,omitempty"`
	Name     *string  `json:"name,omitempty"`
	Endpoint *string  `json:"endpoint,omitempty"`
	Enabled  *bool    `json:"enabled,omitempty"`
	Deleted  *bool    `json:"deleted,omitempty"`
	Stake    *string  `json:"stake,omitempty"`
	Real     *string  `json:"realPhalaSs58,omitempty"`
}

// v0Tail are the members that the server adds.
type v0Tail struct {
	UUID    string          `json:"uuid,omitempty"`
	Deleted *bool           `json:"deleted,omitempty"`
	Old     json.RawMessage `json:"_old,omitempty"`
}

// v0Long is a 64-bit number as a JavaScript library shows its insides.
type v0Long struct {
	Low      int32 `json:"low"`
	High     int32 `json:"high"`
	Unsigned bool  `json:"unsigned"`
}

func long(n uint64) v0Long { return v0Long{int32(uint32(n)), int32(uint32(n >> 32)), true} }

func pidText(n uint64) string { return strconv.FormatUint(n, 10) }

// plainJSON is what JSON.stringify makes of v: without escapes for HTML.
func plainJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // the types here always encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// joined are the members of objects one after the other in one object.
func joined(objects ...any) json.RawMessage {
	var members [][]byte
	for _, o := range objects {
		if m := bytes.TrimSuffix(bytes.TrimPrefix(plainJSON(o), []byte("{")), []byte("}")); len(m) > 0 {
			members = append(members, m)
		}
	}
	return slices.Concat([]byte("{"), bytes.Join(members, []byte(",")), []byte("}"))
}

// v0Record is what a table keeps of an item.
type v0Record struct {
	uuid  string
	keys  map[string]string // required and unique keys; missing or empty ones are ""
	doc   v0Doc
	given V0Item
}

func (r v0Record) json(tail v0Tail) string {
	if r.doc.First != nil {
		first := v0Tail{UUID: tail.UUID}
		tail.UUID = ""
		return string(joined(first, r.doc, tail))
	}
	return string(joined(r.doc, tail))
}

// v0Table is one of the two tables in io: records by uuid, and an index of its unique keys that only knows the newest
// record of each value.
type v0Table[T any] struct {
	kind     string
	required []string
	unique   []string
	rows     map[string]T
	index    map[string]string // key + ":" + value → uuid
	keys     func(T) map[string]string
	show     func(T) json.RawMessage // as an error text shows it
}

func newV0Tables() (*v0Table[V0Pool], *v0Table[Worker]) {
	pools := &v0Table[V0Pool]{kind: "pool", required: []string{"pid", "name", "owner"}, unique: []string{"pid", "name"},
		keys: func(p V0Pool) map[string]string { return map[string]string{"pid": pidText(p.PID), "name": p.Name} },
		show: func(p V0Pool) json.RawMessage {
			no := false
			owner := joined(struct {
				Mnemonic string `json:"mnemonic"`
			}{}, p.Owner)
			return joined(v0Tail{UUID: p.UUID}, struct {
				Owner json.RawMessage `json:"owner"`
			}{owner}, v0Doc{PID: long(p.PID), Name: &p.Name, Enabled: &p.Enabled, Deleted: &no, Real: &p.RealPhalaSs58})
		}}
	workers := &v0Table[Worker]{kind: "worker", required: []string{"pid", "name", "endpoint"}, unique: []string{"name", "endpoint"},
		keys: func(w Worker) map[string]string { return map[string]string{"name": w.Name, "endpoint": w.Endpoint} },
		show: func(w Worker) json.RawMessage {
			no := false
			return joined(v0Tail{UUID: w.UUID}, v0Doc{PID: long(w.PID), Name: &w.Name, Endpoint: &w.Endpoint, Enabled: &w.Enabled, Deleted: &no, Stake: &w.Stake})
		}}
	pools.rows, pools.index = map[string]V0Pool{}, map[string]string{}
	workers.rows, workers.index = map[string]Worker{}, map[string]string{}
	return pools, workers
}

// find looks by uuid among the records, otherwise in the index: a deleted record has no entry there any more.
func (t *v0Table[T]) find(key, value string) (T, bool) {
	if key != "uuid" {
		value = t.index[key+":"+value]
	}
	row, ok := t.rows[value]
	return row, ok
}

// check holds one item against the stored records. It does not see the other items of its request.
func (t *v0Table[T]) check(r v0Record, text string) error {
	for _, key := range t.required {
		if r.keys[key] == "" {
			return &V0Error{"Missing key '" + key + "' in " + t.kind + " item " + text}
		}
	}
	duplicate := ""
	for _, key := range t.unique {
		if holder := t.index[key+":"+r.keys[key]]; holder != "" && holder != r.uuid {
			duplicate = key
		}
	}
	if duplicate != "" {
		return &V0Error{"Duplicated key '" + duplicate + "' in " + t.kind + " item " + text}
	}
	return nil
}

// put writes a record and its index entries; the entries of an older version of it go.
func (t *v0Table[T]) put(uuid string, row T) {
	if old, ok := t.rows[uuid]; ok {
		t.unindex(t.keys(old), uuid)
	}
	t.rows[uuid] = row
	for key, value := range t.keys(row) {
		t.index[key+":"+value] = uuid
	}
}

// unindex removes the entries of keys that lead to uuid, or, with "", wherever they lead.
func (t *v0Table[T]) unindex(keys map[string]string, uuid string) {
	for _, key := range t.unique {
		if at := key + ":" + keys[key]; uuid == "" || t.index[at] == uuid {
			delete(t.index, at)
		}
	}
}

// all are the records in the order of their identities, as the database walks them.
func (t *v0Table[T]) all() []T {
	rows := make([]T, 0, len(t.rows))
	for _, id := range slices.SortedFunc(maps.Keys(t.rows), cmp.Compare[string]) {
		rows = append(rows, t.rows[id])
	}
	return rows
}

// Pools are all pools, in the order of their identities.
func (b *V0Bridge) Pools() []V0Pool { return b.pools.all() }

// Workers are all workers, in the order of their identities.
func (b *V0Bridge) Workers() []Worker { return b.workers.all() }

// Worker finds a worker's newest record by its name.
func (b *V0Bridge) Worker(name string) (Worker, bool) { return b.workers.find("name", name) }
