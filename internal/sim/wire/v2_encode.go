package wire

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"phalops/internal/sim/world"
)

// jsObject is a JSON object as the monitor's protobuf encoder sees it: fields it does not know are ignored, null is absent.
type jsObject map[string]any

func parseObject(text string) (jsObject, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var o jsObject
	return o, d.Decode(&o)
}

// What the encoder throws.
var (
	errArgType = &jsError{Code: "ERR_INVALID_ARG_TYPE"} // no string where a string belongs
	errType    = &jsError{}                             // a TypeError has nothing that JSON shows
)

// encoder reads fields the way protobufjs writes them; the first exception stays.
type encoder struct{ err error }

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *encoder) text(o jsObject, key string) string {
	switch v := o[key].(type) {
	case nil:
	case string:
		return v
	default:
		e.fail(errArgType)
	}
	return ""
}

// truth is JavaScript's: "false" is true.
func (e *encoder) truth(o jsObject, key string) bool {
	switch v := o[key].(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		f, err := v.Float64()
		return err == nil && f != 0 || err != nil
	}
	return true
}

// number is a uint64 field: a number or a text; what is neither counts as 0, a negative one wraps around.
func (e *encoder) number(o jsObject, key string) (n uint64, given bool) {
	switch v := o[key].(type) {
	case nil:
		return 0, false
	case string:
		return wrap(v), true
	case json.Number:
		return wrap(v.String()), true
	}
	return 0, true
}

func wrap(s string) uint64 {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return n
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return uint64(n)
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(f):
		return 0
	case f >= math.MaxUint64:
		return math.MaxUint64
	case f <= math.MinInt64:
		return 1 << 63
	case f < 0:
		return uint64(int64(f))
	}
	return uint64(f)
}

// list is a repeated field: whatever has a length, so a text is its characters; an object has none and is nothing.
func (e *encoder) list(o jsObject, key string) []any {
	switch v := o[key].(type) {
	case []any:
		return v
	case string:
		all := make([]any, 0, utf8.RuneCountInString(v))
		for _, c := range v {
			all = append(all, string(c))
		}
		return all
	}
	return nil
}

// message is a nested message; anything but an object has no fields. given is false where the field is absent.
func (e *encoder) message(v any) (o jsObject, given bool) {
	if v == nil {
		return nil, false
	}
	m, _ := v.(map[string]any)
	return m, true
}

// element is a member of a repeated message field, where null is a TypeError.
func (e *encoder) element(v any) jsObject {
	o, given := e.message(v)
	if !given {
		e.fail(errType)
	}
	return o
}

func (e *encoder) pool(o jsObject) world.PoolInput {
	owner, hasOwner := e.message(o["owner"])
	p := world.PoolInput{
		HasOwner: hasOwner, Mnemonic: e.text(owner, "mnemonic"), Name: e.text(o, "name"), Enabled: e.truth(o, "enabled"),
		Deleted: e.truth(o, "deleted"), RealPhalaSs58: e.text(o, "realPhalaSs58"), SyncOnly: e.truth(o, "syncOnly"),
	}
	p.PID, _ = e.number(o, "pid")
	return p
}

func (e *encoder) worker(o jsObject) world.WorkerInput {
	w := world.WorkerInput{
		Name: e.text(o, "name"), Endpoint: e.text(o, "endpoint"), Stake: e.text(o, "stake"),
		Enabled: e.truth(o, "enabled"), Deleted: e.truth(o, "deleted"), SyncOnly: e.truth(o, "syncOnly"),
	}
	w.PID, _ = e.number(o, "pid")
	return w
}

// id is an Id; pid is there for pools only.
func (e *encoder) id(v any) *world.ID {
	o, given := e.message(v)
	if !given {
		return nil
	}
	id := &world.ID{UUID: e.text(o, "uuid"), Name: e.text(o, "name")}
	if n, ok := e.number(o, "pid"); ok {
		id.PID = &n
	}
	for _, key := range slices.Sorted(maps.Keys(o)) { // the peer shows it again in an error text, known fields only
		if key != "uuid" && key != "name" && key != "pid" {
			delete(o, key)
		}
	}
	id.JSON = string(marshal(o))
	return id
}

func (e *encoder) ids(o jsObject) []string {
	var ids []string
	for _, v := range e.list(o, "ids") {
		s, ok := v.(string)
		if !ok {
			e.fail(errArgType)
		}
		ids = append(ids, s)
	}
	return ids
}
