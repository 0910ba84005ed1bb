package scale

import (
	"encoding/binary"
	"fmt"
	"hash"
	"sync"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/blake2b"
)

// Hasher turns an encoded map key into its part of a storage key.
type Hasher uint8

// Hashers, as metadata numbers them. The concatenating ones keep the key readable behind its hash.
const (
	Blake2x128 Hasher = iota
	Blake2x256
	Blake2x128Concat
	Twox128
	Twox256
	Twox64Concat
	Identity
)

var hashers = [...]struct {
	name     string
	size     int // of the hash, bytes
	readable bool
}{
	{"Blake2_128", 16, false},
	{"Blake2_256", 32, false},
	{"Blake2_128Concat", 16, true},
	{"Twox128", 16, false},
	{"Twox256", 32, false},
	{"Twox64Concat", 8, true},
	{"Identity", 0, true},
}

// String is the hasher's name as in runtimes: "Twox64Concat".
func (h Hasher) String() string {
	if int(h) < len(hashers) {
		return hashers[h].name
	}
	return fmt.Sprintf("Hasher(%d)", uint8(h))
}

// Readable reports whether the key can be read back.
func (h Hasher) Readable() bool { return int(h) < len(hashers) && hashers[h].readable }

// Append appends the hash of b and, where the hasher keeps it, b itself. It panics for a hasher that is none.
func (h Hasher) Append(dst, b []byte) []byte { return h.append(dst, b, new(digests)) }

// digests are those that can be used again.
type digests struct{ pool sync.Pool }

func (h Hasher) append(dst, b []byte, spare *digests) []byte {
	switch h {
	case Blake2x128, Blake2x128Concat:
		dst = spare.appendBlake2x128(dst, b)
	case Blake2x256:
		sum := blake2b.Sum256(b)
		dst = append(dst, sum[:]...)
	case Twox128, Twox256, Twox64Concat:
		dst = appendTwox(dst, b, hashers[h].size/8)
	}
	if hashers[h].readable {
		dst = append(dst, b...)
	}
	return dst
}

// appendTwox appends xxHash64 with the seeds 0, 1, … as Substrate strings them together.
func appendTwox(dst, b []byte, words int) []byte {
	for seed := range words {
		d := xxhash.NewWithSeed(uint64(seed))
		_, _ = d.Write(b) // never fails
		dst = binary.LittleEndian.AppendUint64(dst, d.Sum64())
	}
	return dst
}

func (d *digests) appendBlake2x128(dst, b []byte) []byte {
	h, ok := d.pool.Get().(hash.Hash)
	if !ok {
		var err error
		if h, err = blake2b.New(16, nil); err != nil {
			panic(err) // only for an impossible size
		}
	}
	defer d.pool.Put(h)
	h.Reset()
	_, _ = h.Write(b) // never fails
	return h.Sum(dst)
}
