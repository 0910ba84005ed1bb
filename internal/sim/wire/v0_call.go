package wire

import "phalops/internal/sim/world"

// v0Call is a command on its way over the bus.
type v0Call struct {
	fetcher  bool // it is for fetch, not for the lifecycle
	database bool // it takes the stored records
	remakes  bool // it is answered when the contexts have been made anew
	items    int  // that are written one by one
	// prepare checks what is to be written, and tells how; nil when nothing is.
	prepare func(*world.V0Bridge) (write func(), err error)
	perform func(*world.V0Bridge) (v0Content, error)
}

// v0Commands are the commands in the order of their protobuf fields: of several in one body the first one runs.
var v0Commands = []string{"queryWorkerState", "requestKickWorker", "requestStartWorkerLifecycle", "callOnlineFetcher",
	"callOnlineLifecycleManager", "requestCreateWorker", "requestUpdateWorker", "requestCreatePool", "requestUpdatePool"}

// What JavaScript says of a list that is not there.
var (
	errNoMap   = &world.V0Error{Extra: "Cannot read properties of undefined (reading 'map')"}
	errNoItems = &world.V0Error{Extra: "items is not iterable"}
	errNoInput = &world.V0Error{Extra: "input is not iterable"}
	errNoID    = &world.V0Error{Extra: "Cannot read properties of undefined (reading 'uuid')"}
)

// decodeV0 makes a call of a message; an error when the monitor's encoder throws. A call without perform is one that
// nobody answers: an unknown command, or one for the other side.
func decodeV0(o jsObject, fetcher bool) (v0Call, error) {
	e := &encoder{}
	if n, given := e.number(o, "to"); given { // not stripped from the body
		fetcher = n == 2
	}
	call := v0Call{fetcher: fetcher}
	for _, command := range v0Commands {
		value, given := e.message(o[command])
		if !given {
			continue
		}
		if (command == "callOnlineFetcher") == fetcher {
			e.v0Command(&call, command, value)
		}
		break
	}
	return call, e.err
}

// listed answers with the whole list.
func listed(b *world.V0Bridge) (v0Content, error) { return showList(b), nil }

func (e *encoder) v0Command(call *v0Call, command string, o jsObject) {
	switch command {
	case "callOnlineFetcher":
		call.perform = func(b *world.V0Bridge) (v0Content, error) { return showFetcher(b.Fetch()), nil }
	case "callOnlineLifecycleManager":
		call.database = true
		call.perform = listed
	case "queryWorkerState":
		ids := make([]string, 0, 8)
		for _, v := range e.list(o, "ids") {
			if id := e.v0ID(jsObject{"id": e.plain(v)}); id != nil {
				ids = append(ids, id.UUID)
			}
		}
		call.perform = func(b *world.V0Bridge) (v0Content, error) {
			if len(ids) == 0 {
				return v0Content{}, errNoMap
			}
			return showV0States(b, ids), nil
		}
	case "requestStartWorkerLifecycle":
		call.database, call.remakes = true, true
		call.perform = e.v0Action(o, (*world.V0Bridge).Restart)
	case "requestKickWorker":
		call.database = true
		call.perform = e.v0Action(o, (*world.V0Bridge).Kick)
	case "requestCreatePool":
		e.v0Create(call, o, "pools", errNoInput, (*world.V0Bridge).CreatePools)
	case "requestCreateWorker":
		e.v0Create(call, o, "workers", errNoItems, (*world.V0Bridge).CreateWorkers)
	case "requestUpdatePool":
		e.v0Update(call, o, "pool", (*world.V0Bridge).UpdatePools)
	case "requestUpdateWorker":
		e.v0Update(call, o, "worker", (*world.V0Bridge).UpdateWorkers)
	}
}

// plain is an element of a list of messages as an object; null throws.
func (e *encoder) plain(v any) map[string]any {
	o := e.element(v)
	if o == nil {
		return map[string]any{}
	}
	return o
}

func (e *encoder) v0Action(o jsObject, act func(*world.V0Bridge, []world.V0ID) error) func(*world.V0Bridge) (v0Content, error) {
	var ids []world.V0ID
	requests, nameless := e.list(o, "requests"), false
	for _, v := range requests {
		request := e.element(v)
		e.text(request, "reason")
		if id := e.v0ID(request); id != nil {
			ids = append(ids, *id)
		} else {
			nameless = true
		}
	}
	return func(b *world.V0Bridge) (v0Content, error) {
		switch {
		case len(requests) == 0:
			return v0Content{}, errNoMap
		case nameless:
			return v0Content{}, errNoID
		}
		return v0Content{}, act(b, ids)
	}
}

func (e *encoder) v0Create(call *v0Call, o jsObject, key string, empty error, create func(*world.V0Bridge, []world.V0Item) (func(), error)) {
	var items []world.V0Item
	for _, v := range e.list(o, key) {
		items = append(items, e.v0Item(e.element(v)))
	}
	call.database, call.items = true, len(items)
	call.perform = listed
	call.prepare = func(b *world.V0Bridge) (func(), error) {
		if len(items) == 0 {
			return nil, empty
		}
		return create(b, items)
	}
}

func (e *encoder) v0Update(call *v0Call, o jsObject, key string, update func(*world.V0Bridge, []world.V0Change) (func(), error)) {
	var changes []world.V0Change
	for _, v := range e.list(o, "items") {
		item := e.element(v)
		change := world.V0Change{ID: e.v0ID(item)}
		if given, ok := e.message(item[key]); ok {
			i := e.v0Item(given)
			change.Item = &i
		}
		changes = append(changes, change)
	}
	call.database, call.items = true, len(changes)
	call.perform = listed
	call.prepare = func(b *world.V0Bridge) (func(), error) {
		if len(changes) == 0 {
			return nil, errNoMap
		}
		return update(b, changes)
	}
}

// optional is a field that is absent from the wire when it was not given, or null.
func optional[T any](o jsObject, key string, v T) *T {
	if o[key] == nil {
		return nil
	}
	return &v
}

func (e *encoder) v0Item(o jsObject) world.V0Item {
	text := func(key string) *string { return optional(o, key, e.text(o, key)) }
	i := world.V0Item{UUID: text("uuid"), Name: text("name"), Endpoint: text("endpoint"), Stake: text("stake"), RealPhalaSs58: text("realPhalaSs58"),
		Enabled: optional(o, "enabled", e.truth(o, "enabled")), Deleted: optional(o, "deleted", e.truth(o, "deleted"))}
	if n, given := e.number(o, "pid"); given {
		i.PID = &n
	}
	if owner, given := e.message(o["owner"]); given {
		i.Owner = &world.V0OwnerInput{Mnemonic: optional(owner, "mnemonic", e.text(owner, "mnemonic")),
			Keystore: optional(owner, "polkadotJson", e.text(owner, "polkadotJson"))}
	}
	return i
}

// v0ID is the member id of o.
func (e *encoder) v0ID(o jsObject) *world.V0ID {
	id, given := e.message(o["id"])
	if !given {
		return nil
	}
	i := &world.V0ID{UUID: e.text(id, "uuid"), Name: e.text(id, "name")}
	if n, ok := e.number(id, "pid"); ok {
		i.PID = &n
	}
	return i
}
