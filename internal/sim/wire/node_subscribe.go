package wire

import (
	"crypto/rand"
	"slices"
)

// headsAtOnce is how many heads a subscription is told when many blocks came at once; older ones are left out.
const headsAtOnce = 64

// subscription is one of a connection. next is what it has to say since it was last asked; it begins with the present.
type subscription struct {
	id, notice string
	next       func(chainView) []any
}

// newSubscriptionID is an opaque text, as every server chooses its own.
func newSubscriptionID() string { return rand.Text()[:16] }

// subscriptionSort is a sort of subscriptions with the names of its methods.
type subscriptionSort struct {
	begin, end               string
	beginAliases, endAliases []string
	notice                   string
	open                     func(chainView) (func(chainView) []any, *rpcError)
}

// subscriptionSorts are those of paritytech/polkadot-sdk substrate/client/rpc-api/src/{chain,state}/mod.rs.
func subscriptionSorts() []subscriptionSort {
	return []subscriptionSort{
		{begin: "chain_subscribeNewHeads", beginAliases: []string{"chain_subscribeNewHead", "subscribe_newHead"},
			end: "chain_unsubscribeNewHeads", endAliases: []string{"chain_unsubscribeNewHead", "unsubscribe_newHead"},
			notice: "chain_newHead", open: heads(func(v chainView) int64 { return v.best() })},
		{begin: "chain_subscribeAllHeads", end: "chain_unsubscribeAllHeads",
			notice: "chain_allHead", open: heads(func(v chainView) int64 { return v.best() })},
		{begin: "chain_subscribeFinalizedHeads", beginAliases: []string{"chain_subscribeFinalisedHeads"},
			end: "chain_unsubscribeFinalizedHeads", endAliases: []string{"chain_unsubscribeFinalisedHeads"},
			notice: "chain_finalizedHead", open: heads(func(v chainView) int64 { return v.Finalized(v.now) })},
		{begin: "state_subscribeRuntimeVersion", beginAliases: []string{"chain_subscribeRuntimeVersion"},
			end: "state_unsubscribeRuntimeVersion", endAliases: []string{"chain_unsubscribeRuntimeVersion"},
			notice: "state_runtimeVersion", open: runtimeOnce},
		{begin: "state_subscribeStorage", end: "state_unsubscribeStorage", notice: "state_storage", open: storageChanges},
	}
}

// subscriptionOf finds the sort that a method begins or ends.
func subscriptionOf(method string) (subscriptionSort, bool) {
	for _, s := range subscriptionSorts() {
		if slices.Contains(s.methods(), method) {
			return s, true
		}
	}
	return subscriptionSort{}, false
}

func (s subscriptionSort) methods() []string {
	return slices.Concat([]string{s.begin, s.end}, s.beginAliases, s.endAliases)
}

// heads tells the headers of a height that climbs.
func heads(height func(chainView) int64) func(chainView) (func(chainView) []any, *rpcError) {
	return func(chainView) (func(chainView) []any, *rpcError) {
		last := int64(-1)
		return func(v chainView) []any {
			now := height(v)
			from := max(last+1, now-headsAtOnce+1)
			if last < 0 {
				from = now
			}
			var news []any
			for h := from; h <= now; h++ {
				news = append(news, v.headerOf(h))
			}
			last = max(last, now)
			return news
		}, nil
	}
}

// runtimeOnce tells the runtime version; no upgrade ever follows.
func runtimeOnce(chainView) (func(chainView) []any, *rpcError) {
	told := false
	return func(v chainView) []any {
		if told {
			return nil
		}
		told = true
		return []any{v.runtime()}
	}, nil
}

// storageChanges tells the values of keys, and afterwards those that changed with the best block. All keys (null) are too
// much for strangers.
func storageChanges(v chainView) (func(chainView) []any, *rpcError) {
	if v.param(0) == nil {
		return nil, &rpcUnsafe
	}
	keys, failed := keyList(v.params[0])
	if failed != nil {
		return nil, failed
	}
	last, told := int64(-1), map[any]any{}
	return func(v chainView) []any {
		best := v.Best(v.now)
		if best == last {
			return nil
		}
		set := v.changes(best, keys)
		set.Changes = slices.DeleteFunc(set.Changes, func(c [2]any) bool {
			before, known := told[c[0]]
			told[c[0]] = c[1]
			return known && before == c[1]
		})
		first := last < 0
		last = best
		if len(set.Changes) == 0 && !first {
			return nil
		}
		return []any{set}
	}, nil
}
