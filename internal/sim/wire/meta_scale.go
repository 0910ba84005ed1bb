package wire

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/blake2b"
)

// scale writes SCALE, the encoding of every Substrate chain.
type scale []byte

func (s *scale) byte(b ...byte)   { *s = append(*s, b...) }
func (s *scale) u16(v uint16)     { *s = binary.LittleEndian.AppendUint16(*s, v) }
func (s *scale) u32(v uint32)     { *s = binary.LittleEndian.AppendUint32(*s, v) }
func (s *scale) u64(v uint64)     { *s = binary.LittleEndian.AppendUint64(*s, v) }
func (s *scale) u128(low uint64)  { s.u64(low); s.u64(0) }
func (s *scale) text(v string)    { s.bytes([]byte(v)) }
func (s *scale) bytes(v []byte)   { s.compact(uint64(len(v))); s.byte(v...) }
func (s *scale) some(v string)    { s.byte(1); s.text(v) }
func (s *scale) texts(v []string) { list(s, v, s.text) }

// compact writes an integer in as few bytes as SCALE has for it.
func (s *scale) compact(v uint64) {
	switch {
	case v < 1<<6:
		s.byte(byte(v << 2))
	case v < 1<<14:
		s.u16(uint16(v<<2 | 1))
	case v < 1<<30:
		s.u32(uint32(v<<2 | 2))
	default:
		n := (bits.Len64(v) + 7) / 8
		s.byte(byte((n-4)<<2 | 3))
		s.byte(binary.LittleEndian.AppendUint64(nil, v)[:n]...)
	}
}

// list writes a vector: its length and every item.
func list[T any](s *scale, all []T, write func(T)) {
	s.compact(uint64(len(all)))
	for _, one := range all {
		write(one)
	}
}

// xx64 is xxHash with a seed, little-endian.
func xx64(seed uint64, b []byte) []byte {
	d := xxhash.NewWithSeed(seed)
	_, _ = d.Write(b)
	return binary.LittleEndian.AppendUint64(nil, d.Sum64())
}

func twox128(s string) []byte { return append(xx64(0, []byte(s)), xx64(1, []byte(s))...) }

func twox64Concat(b []byte) []byte { return append(xx64(0, b), b...) }

func blake2_128Concat(b []byte) []byte {
	h, err := blake2b.New(16, nil)
	if err != nil {
		panic(err) // only for an impossible size
	}
	_, _ = h.Write(b)
	return append(h.Sum(nil), b...)
}

func storagePrefix(pallet, item string) []byte { return append(twox128(pallet), twox128(item)...) }

func blake2_256(b []byte) []byte {
	sum := blake2b.Sum256(b)
	return sum[:]
}

func millis(t time.Time) uint64 { return uint64(t.UnixMilli()) }
