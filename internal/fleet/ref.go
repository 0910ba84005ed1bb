package fleet

import (
	"strconv"
	"strings"
)

// Kind is the sort of thing that a Ref names.
type Kind string

// The kinds of things that phalops watches or acts on.
const (
	KindFleet        Kind = "fleet"
	KindSite         Kind = "site"
	KindHost         Kind = "host"
	KindNode         Kind = "node"
	KindDataProvider Kind = "dp"
	KindBridge       Kind = "bridge"
	KindWorker       Kind = "worker"
	KindPool         Kind = "pool"
	KindChannel      Kind = "channel"
	KindNetwork      Kind = "network"
	KindStakePool    Kind = "stakepool"
	KindInventory    Kind = "inventory"
	KindEntry        Kind = "entry"
	KindLeaving      Kind = "leaving"
)

// Ref names one thing of the fleet, the same way in the journal, in locks, in logs and in JSON:
//
//	fleet · site/dc1 · host/node-1 · node/node-1 · dp/dp-1 · bridge/prb-b · worker/prb-b/<id> · pool/prb-b/83 · channel/ops-ding
//	network/khala · stakepool/khala/83 · inventory/prb-b · entry/prb-b/<name> · leaving/prb-b/<id>
//
// Names of sites, hosts, nodes, data providers and bridges are unique in the whole fleet (config enforces it). A worker's
// id is what its bridge calls it for ever (v0, v2: uuid), never its name, which people may change.
type Ref string

// Fleet is the Ref of everything.
const Fleet Ref = "fleet"

// SiteRef names a site.
func SiteRef(name string) Ref { return Ref("site/" + name) }

// HostRef names a host.
func HostRef(name string) Ref { return Ref("host/" + name) }

// NodeRef names a node.
func NodeRef(name string) Ref { return Ref("node/" + name) }

// DataProviderRef names a data provider.
func DataProviderRef(name string) Ref { return Ref("dp/" + name) }

// BridgeRef names a bridge.
func BridgeRef(name string) Ref { return Ref("bridge/" + name) }

// WorkerRef names a worker by its bridge and the id that the bridge gave it.
func WorkerRef(bridge, id string) Ref { return Ref("worker/" + bridge + "/" + id) }

// PoolRef names a pool as one bridge knows it.
func PoolRef(bridge, pid string) Ref { return Ref("pool/" + bridge + "/" + pid) }

// ChannelRef names an alert channel.
func ChannelRef(name string) Ref { return Ref("channel/" + name) }

// NetworkRef names a network: its chain.
func NetworkRef(name string) Ref { return Ref("network/" + name) }

// StakePoolRef names a pool as the chain of a network knows it, whoever its bridges are.
func StakePoolRef(network string, pid uint64) Ref {
	return Ref("stakepool/" + network + "/" + strconv.FormatUint(pid, 10))
}

// InventoryRef names the records that a bridge has stored, as opposed to the bridge that runs: whoever writes new ones
// holds it, and the bridge may be restarted meanwhile.
func InventoryRef(bridge string) Ref { return Ref("inventory/" + bridge) }

// EntryRef names a record that a bridge shall have, by its name: there is no id before it is stored.
func EntryRef(bridge, name string) Ref { return Ref("entry/" + bridge + "/" + name) }

// LeavingRef is the reservation of a worker that is being removed: nobody puts it to work again, and its bridge may be
// restarted all the same.
func LeavingRef(bridge, id string) Ref { return Ref("leaving/" + bridge + "/" + id) }

// Kind is the sort of thing named.
func (r Ref) Kind() Kind {
	kind, _, _ := strings.Cut(string(r), "/")
	return Kind(kind)
}

// Name is the last part: the name, or a worker's id. It is "" for the fleet.
func (r Ref) Name() string {
	if i := strings.LastIndexByte(string(r), '/'); i >= 0 {
		return string(r[i+1:])
	}
	return ""
}

// Parent is the thing that the name is part of: a worker's or pool's bridge. For everything else it is "", because the
// inventory, not the name, says what hangs on what.
func (r Ref) Parent() Ref {
	kind, rest, _ := strings.Cut(string(r), "/")
	if Kind(kind) != KindWorker && Kind(kind) != KindPool {
		return ""
	}
	bridge, _, _ := strings.Cut(rest, "/")
	return BridgeRef(bridge)
}

// Network is the network that a stake pool is of; "" for everything else.
func (r Ref) Network() Ref {
	kind, rest, _ := strings.Cut(string(r), "/")
	if Kind(kind) != KindStakePool {
		return ""
	}
	network, _, _ := strings.Cut(rest, "/")
	return NetworkRef(network)
}

// Overlaps reports whether a lock on r and a lock on o exclude each other: they are equal, or one is the other's parent.
func (r Ref) Overlaps(o Ref) bool {
	return r == o || r == o.Parent() || o == r.Parent()
}
