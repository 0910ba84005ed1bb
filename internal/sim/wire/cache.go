package wire

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"phalops/internal/sim/world"
)

// cache serves a headers-cache: how far it is, single headers, and 404 for what it lacks.
type cache struct {
	face *Face
	name string
}

func newCacheHandler(face *Face, name string) http.Handler { return &cache{face, name} }

// cacheHeights are the three sorts of data; this one keeps relay headers only.
type cacheHeights struct {
	Header         *int64 `json:"header"`
	ParaHeader     *int64 `json:"para_header"`
	StorageChanges *int64 `json:"storage_changes"`
}

func (c *cache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var up bool
	var genesis, highest, justified int64
	hash := func(int64) string { return "" }
	c.face.Do(func(w *world.World) {
		h := w.HeadersCache(c.name)
		up, genesis, highest, justified = h.Listening(), h.Genesis(), h.Highest(), h.Justified()
		hash = h.Chain().Hash
	})
	if !up {
		refuse(w)
		return
	}
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if r.Method == http.MethodPut || r.URL.Path == "/check" {
		rocketError(w, http.StatusForbidden, "Forbidden") // nobody has the token
		return
	}
	if r.Method != http.MethodGet {
		rocketNotFound(w)
		return
	}
	if len(path) == 1 && path[0] == "state" {
		h := cacheHeights{Header: &highest}
		rocket(w, http.StatusOK, "application/json", marshal(struct {
			Genesis []int64      `json:"genesis"`
			Recent  cacheHeights `json:"recent_imported"`
			Highest cacheHeights `json:"higest"` //nolint:misspell // theirs
			Checked cacheHeights `json:"checked"`
		}{[]int64{genesis}, h, h, cacheHeights{}}))
		return
	}
	numbers := make([]int64, 0, 2)
	for _, s := range path[1:] {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			rocketNotFound(w)
			return
		}
		numbers = append(numbers, int64(n))
	}
	from, upTo, missing := int64(0), int64(-1), "header not found"
	switch {
	case path[0] == "genesis" && len(numbers) == 1:
		missing = "genesis not found"
		if numbers[0] == genesis {
			from, upTo = genesis, genesis
		}
	case path[0] == "header" && len(numbers) == 1:
		if from = numbers[0]; from >= genesis && from <= highest {
			upTo = from
		}
	case path[0] == "headers" && len(numbers) == 1:
		if from = numbers[0]; from >= genesis && from <= justified {
			upTo = min(from+9_999, world.NextJustified(from))
		}
	case (path[0] == "parachain-headers" || path[0] == "storage-changes") && len(numbers) == 2:
	default:
		rocketNotFound(w)
		return
	}
	if upTo < from {
		rocket(w, http.StatusNotFound, "text/plain; charset=utf-8", []byte(missing))
		return
	}
	var body []byte
	if path[0] == "headers" {
		body = scaleCompact(uint64(upTo - from + 1))
	}
	for n := from; n <= upTo; n++ {
		body = append(body, cacheHeader(hash, n)...)
	}
	rocket(w, http.StatusOK, "application/octet-stream", body)
}

// cacheHeader is a SCALE-encoded header: parent, number, two roots, no digest.
func cacheHeader(hash func(int64) string, n int64) []byte {
	raw := func(s string) []byte {
		b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
		if err != nil {
			panic(err) // a hash of the world is hex
		}
		return b
	}
	b := append([]byte(nil), raw(hash(max(0, n-1)))...)
	b = append(b, scaleCompact(uint64(n))...)
	b = append(b, raw(digestOf("state/"+strconv.FormatInt(n, 10)))...)
	b = append(b, raw(digestOf("extrinsics/"+strconv.FormatInt(n, 10)))...)
	return append(b, 0)
}

// scaleCompact is SCALE's compact notation of numbers below 2³⁰.
func scaleCompact(n uint64) []byte {
	switch {
	case n < 1<<6:
		return []byte{byte(n << 2)}
	case n < 1<<14:
		return binary.LittleEndian.AppendUint16(nil, uint16(n<<2|1))
	default:
		return binary.LittleEndian.AppendUint32(nil, uint32(n<<2|2))
	}
}
