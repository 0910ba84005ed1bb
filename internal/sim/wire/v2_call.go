package wire

import (
	"time"

	"phalops/internal/sim/world"
)

// callee is a peer that picked up: a data provider or a lifecycle manager.
type callee struct {
	peer      world.Peer
	provider  *world.DataProvider
	lifecycle *world.Bridge
	now       time.Time
}

// peerCall is an encoded request: what the peer does and answers.
type peerCall func(callee) (data any, err error)

var errNoHandler = &world.PeerError{NotFound: true, Message: "Handler not implemented."}

// encodeCall makes a request of a JSON message; a *jsError when the monitor itself throws.
func encodeCall(method string, o jsObject) (peerCall, error) {
	e := &encoder{}
	var call peerCall
	switch method {
	case "Hello":
		call = func(c callee) (any, error) { return sayHello(c.peer), nil }
	case "GetDataProviderInfo":
		call = func(c callee) (any, error) {
			if c.provider == nil {
				return nil, errNoHandler
			}
			return showInfo(c.provider.Info(c.now)), nil
		}
	case "Auth", "GetBlobByKey", "WantBlob", "GetBlobWithToken":
		call = func(callee) (any, error) { return nil, errNoHandler }
	case "ListPool":
		call = forLifecycle(func(b *world.Bridge) (any, error) { return showPools(b.Pools()), nil })
	case "ListWorker":
		call = forLifecycle(func(b *world.Bridge) (any, error) { return showWorkers(b.Workers()), nil })
	case "CreatePool":
		var in []world.PoolInput
		for _, v := range e.list(o, "pools") {
			in = append(in, e.pool(e.element(v)))
		}
		call = forLifecycle(func(b *world.Bridge) (any, error) { return shown(showPools)(b.CreatePools(in)) })
	case "CreateWorker":
		var in []world.WorkerInput
		for _, v := range e.list(o, "workers") {
			in = append(in, e.worker(e.element(v)))
		}
		call = forLifecycle(func(b *world.Bridge) (any, error) { return shown(showWorkers)(b.CreateWorkers(in)) })
	case "UpdatePool":
		var in []world.PoolChange
		for _, v := range e.list(o, "items") {
			item := e.element(v)
			change := world.PoolChange{ID: e.id(item["id"])}
			if given, ok := e.message(item["pool"]); ok {
				p := e.pool(given)
				change.Pool = &p
			}
			in = append(in, change)
		}
		call = forLifecycle(func(b *world.Bridge) (any, error) { return shown(showPools)(b.UpdatePools(in)) })
	case "UpdateWorker":
		var in []world.WorkerChange
		for _, v := range e.list(o, "items") {
			item := e.element(v)
			change := world.WorkerChange{ID: e.id(item["id"])}
			if given, ok := e.message(item["worker"]); ok {
				w := e.worker(given)
				change.Worker = &w
			}
			in = append(in, change)
		}
		call = forLifecycle(func(b *world.Bridge) (any, error) { return shown(showWorkers)(b.UpdateWorkers(in)) })
	case "GetWorkerStatus":
		ids := e.ids(o)
		call = forLifecycle(func(b *world.Bridge) (any, error) { return shown(showStates)(b.States(ids)) })
	case "RestartWorker", "KickWorker", "RefreshRaAndRestartWorker":
		ids := e.ids(o)
		action := map[string]world.Action{"RestartWorker": world.ActionRestart, "KickWorker": world.ActionKick,
			"RefreshRaAndRestartWorker": world.ActionRefresh}[method]
		call = forLifecycle(func(b *world.Bridge) (any, error) { return shown(showStates)(b.Act(action, ids)) })
	default:
		return nil, errType
	}
	return call, e.err
}

func forLifecycle(f func(*world.Bridge) (any, error)) peerCall {
	return func(c callee) (any, error) {
		if c.lifecycle == nil {
			return nil, errNoHandler
		}
		return f(c.lifecycle)
	}
}

// shown shows what came without an error.
func shown[T any](show func([]T) any) func([]T, error) (any, error) {
	return func(all []T, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		return show(all), nil
	}
}
