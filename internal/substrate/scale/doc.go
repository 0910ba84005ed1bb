// Package scale reads what Substrate chains store, led by their own metadata: no pallet's layout is written down here.
//
// [Parse] takes metadata v14 (state_getMetadata) and finds its way around:
//
//	md, err := scale.Parse(blob)
//	sessions, err := md.Entry("PhalaComputation", "Sessions")
//	key, err := sessions.StorageKey("43E9fDcTpuYCdSNYFhkL4t5Qe4DvVHnH6SvpzdDAfNQPWNEE")
//	text, err := sessions.Value.AppendJSON(nil, value) // {"state":"WorkerIdle","ve":"361002215207452862243163",…}
//
// Where only some fields of many values are needed, [Bind] compiles a type into a function that fills a Go struct, by field
// name, without allocating:
//
//	type session struct {
//		State  string
//		V      scale.U128
//		PInit  uint32 `scale:"benchmark.p_init"`
//		Since  uint64 `scale:"benchmark.working_start_time|benchmark.mining_start_time"` // renamed by a runtime upgrade
//	}
//	read, err := scale.Bind[session](sessions.Value)
//	err = read(value, &s)
//
// [Type.Append] is the way back: it encodes a Go or JSON value as a type. What accounts sign is found by pallet and name
// ([Metadata.CallDef]), encoded from named arguments ([CallDef.Append]) and read back ([Metadata.DecodeCall]).
//
// Metadata and values come from strangers. Whatever they hold, nothing here panics, recurses without end, or takes more time
// and memory than a small multiple of the input's size.
//
// SCALE: https://docs.polkadot.com/polkadot-protocol/parachain-basics/data-encoding/. Metadata: paritytech/frame-metadata v14
// and paritytech/scale-info.
package scale
