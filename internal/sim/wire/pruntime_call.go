package wire

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"phalops/internal/sim/world"
)

// prpcReply is what a call comes to: a value in both notations, a failure, or the end of the process.
type prpcReply struct {
	value   any
	proto   []byte
	status  int
	failure string
	dies    bool
}

func prpcFails(text string) prpcReply {
	return prpcReply{status: http.StatusInternalServerError, failure: text}
}

// prpcCall is a method: how much it reads, how it reads it, what it answers.
type prpcCall struct {
	limit  int64
	decode func(body []byte, inJSON bool) (any, error)
	answer func(rt *world.Pruntime, asked any) prpcReply
}

func prpcMethods() map[string]prpcCall {
	return map[string]prpcCall{
		"GetInfo": {prpcSmallBody, noArguments, func(rt *world.Pruntime, _ any) prpcReply {
			i := showPhactory(rt)
			return prpcReply{value: i, proto: i.proto()}
		}},
		"TakeCheckpoint": {prpcSmallBody, noArguments, func(rt *world.Pruntime, _ any) prpcReply {
			if rt.Uninitialized {
				return prpcFails("Runtime not initialized")
			}
			n := uint64(rt.TakeCheckpoint())
			return prpcReply{proto: protoMessage{}.number(1, n), value: struct {
				SyncedTo uint64 `json:"synced_to"`
			}{n}}
		}},
		"GetRuntimeInfo": {prpcSmallBody, noArguments, func(rt *world.Pruntime, _ any) prpcReply {
			if rt.Uninitialized {
				return prpcFails("Uninitiated runtime info")
			}
			return runtimeInfo(rt)
		}},
		"GetEgressMessages": {prpcSmallBody, noArguments, func(*world.Pruntime, any) prpcReply {
			return prpcReply{proto: protoMessage{}.bytes(1, []byte{0}), value: struct {
				Messages byteList `json:"encoded_messages"`
			}{byteList{0}}}
		}},
		"Echo": {prpcBody, echoArgument, func(_ *world.Pruntime, asked any) prpcReply {
			msg := asked.(byteList)
			return prpcReply{proto: protoMessage{}.bytes(1, msg), value: struct {
				Msg byteList `json:"echo_msg"`
			}{msg}}
		}},
		"Stop": {prpcSmallBody, noArguments, func(rt *world.Pruntime, _ any) prpcReply {
			rt.Abort()
			return prpcReply{dies: true}
		}},
	}
}

// byteList is bytes as serde writes them: a list of numbers.
type byteList []byte

// MarshalJSON writes [1,2,3].
func (b byteList) MarshalJSON() ([]byte, error) {
	all := make([]int, len(b))
	for i, x := range b {
		all[i] = int(x)
	}
	return json.Marshal(all)
}

var errTooBig = errors.New(`DecodeError(Error("invalid value: integer, expected u8", line: 1, column: 1))`)

// noArguments accepts what any message may look like: unknown fields are ignored.
func noArguments(body []byte, inJSON bool) (any, error) {
	if inJSON {
		var o map[string]json.RawMessage
		if len(body) > 0 && string(body) != "null" && json.Unmarshal(body, &o) != nil {
			return nil, errors.New(`DecodeError(Error("expected value", line: 1, column: 1))`)
		}
		return nil, nil
	}
	_, err := protoFields(body)
	return nil, err
}

func echoArgument(body []byte, inJSON bool) (any, error) {
	if !inJSON {
		fields, err := protoFields(body)
		return byteList(fields[1]), err
	}
	var o struct {
		Msg []int `json:"echo_msg"`
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &o); err != nil {
			return nil, errors.New(`DecodeError(Error("expected value", line: 1, column: 1))`)
		}
	}
	msg := make(byteList, len(o.Msg))
	for i, x := range o.Msg {
		if x < 0 || x > 255 {
			return nil, errTooBig
		}
		msg[i] = byte(x)
	}
	return msg, nil
}

// runtimeInfo is InitRuntimeResponse; the attestation is left out of JSON.
func runtimeInfo(rt *world.Pruntime) prpcReply {
	raw := func(s string) byteList {
		b, err := hex.DecodeString(s)
		if err != nil {
			panic(err) // a key of the world is hex
		}
		return b
	}
	info, genesis, key, ecdh := raw(digestOf("info"+rt.PublicKey)), raw(digestOf("genesis")), raw(rt.PublicKey), raw(digestOf("ecdh"+rt.PublicKey))
	return prpcReply{proto: protoMessage{}.bytes(1, info).bytes(2, genesis).bytes(3, key).bytes(4, ecdh), value: struct {
		Info    byteList `json:"encoded_runtime_info"`
		Genesis byteList `json:"encoded_genesis_block_hash"`
		Key     byteList `json:"encoded_public_key"`
		ECDH    byteList `json:"encoded_ecdh_public_key"`
	}{info, genesis, key, ecdh}}
}

// protoMessage is a protobuf message that grows. As in proto3, what is zero is left out.
type protoMessage []byte

func (m protoMessage) number(field uint64, n uint64) protoMessage {
	if n == 0 {
		return m
	}
	return binary.AppendUvarint(binary.AppendUvarint(m, field<<3), n)
}

func (m protoMessage) flag(field uint64, b bool) protoMessage {
	if !b {
		return m
	}
	return m.number(field, 1)
}

// bytes writes a field that is there, even if it is empty.
func (m protoMessage) bytes(field uint64, b []byte) protoMessage {
	m = binary.AppendUvarint(binary.AppendUvarint(m, field<<3|2), uint64(len(b)))
	return append(m, b...)
}

func (m protoMessage) text(field uint64, s string) protoMessage {
	if s == "" {
		return m
	}
	return m.bytes(field, []byte(s))
}

func (m protoMessage) optional(field uint64, s *string) protoMessage {
	if s == nil {
		return m
	}
	return m.bytes(field, []byte(*s))
}

func (g gatekeeper) proto() []byte { return protoMessage{}.number(1, g.Role).text(2, g.MasterKey) }

func (i phactoryInfo) proto() []byte {
	u := i.MemoryUsage
	m := protoMessage{}.flag(1, i.Initialized).flag(2, i.Registered).optional(4, i.Genesis).optional(5, i.PublicKey).
		optional(6, i.ECDHPublicKey).number(7, uint64(i.HeaderNum)).number(8, uint64(i.ParaHeaderNum)).number(9, uint64(i.BlockNum)).
		text(10, i.StateRoot).flag(11, i.DevMode).number(12, i.PendingMessages).number(13, i.Score).bytes(14, i.Gatekeeper.proto()).
		text(15, i.Version).text(16, i.GitRevision).
		bytes(18, protoMessage{}.number(1, u.Used).number(2, u.PeakUsed).number(3, u.TotalPeak).number(4, u.Free).number(5, u.Spike)).
		flag(21, i.Waiting)
	if s := i.System; s != nil {
		m = m.bytes(23, protoMessage{}.flag(1, s.Registered).text(2, s.PublicKey).text(3, s.ECDHPublicKey).bytes(4, s.Gatekeeper.proto()).
			number(5, s.Clusters).number(6, s.Contracts).number(7, s.ConsensusVersion).number(8, s.GenesisBlock))
	}
	m = m.flag(24, i.CanLoadState).number(25, i.SafeMode).number(26, i.CurrentBlockTime).text(27, i.PinkVersion)
	for _, a := range i.Attestations {
		m = m.text(28, a)
	}
	return m.number(29, i.Sidevms).number(30, i.QueryTimeout)
}

// protoFields reads a message's length-delimited fields; of several with one number the last.
func protoFields(b []byte) (map[uint64][]byte, error) {
	fields := map[uint64][]byte{}
	broken := fmt.Errorf("DecodeError(DecodeError { description: %q, stack: [] })", "buffer underflow")
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || key>>3 == 0 {
			return nil, broken
		}
		b = b[n:]
		skip := uint64(0)
		switch key & 7 {
		case 0:
			if _, n = binary.Uvarint(b); n <= 0 {
				return nil, broken
			}
			skip = uint64(n)
		case 1:
			skip = 8
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return nil, broken
			}
			fields[key>>3] = b[n : uint64(n)+size]
			skip = uint64(n) + size
		case 5:
			skip = 4
		default:
			return nil, broken
		}
		if skip > uint64(len(b)) {
			return nil, broken
		}
		b = b[skip:]
	}
	return fields, nil
}
