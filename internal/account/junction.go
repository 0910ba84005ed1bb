package account

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/ChainSafe/go-schnorrkel"
	"golang.org/x/crypto/blake2b"
)

// junction is a step of a derivation path: //hard or /soft.
type junction struct {
	hard bool
	code [32]byte
}

// code is what a junction's name stands for: a number little-endian, anything else as SCALE encodes text, or the hash of that where
// it is longer than 32 bytes. Numbers above 64 bits are refused: wallets do not agree on them.
func code(name string) (c [32]byte, ok bool) {
	if strings.Trim(name, "0123456789") == "" {
		n, err := strconv.ParseUint(name, 10, 64)
		binary.LittleEndian.PutUint64(c[:], n)
		return c, err == nil
	}
	var length []byte
	switch n := len(name); {
	case n < 1<<6:
		length = []byte{byte(n << 2)}
	case n < 1<<14:
		length = binary.LittleEndian.AppendUint16(nil, uint16(n<<2|1))
	default:
		length = binary.LittleEndian.AppendUint32(nil, uint32(n<<2|2))
	}
	text := append(length, name...)
	if len(text) > len(c) {
		return blake2b.Sum256(text), true
	}
	copy(c[:], text)
	return c, true
}

// derive is the next key on the path.
func (j junction) derive(key *schnorrkel.SecretKey) (*schnorrkel.SecretKey, error) {
	if j.hard {
		mini, _, err := key.HardDeriveMiniSecretKey(nil, j.code)
		if err != nil {
			return nil, err
		}
		return mini.ExpandEd25519(), nil
	}
	next, err := schnorrkel.DeriveKeySoft(key, nil, j.code)
	if err != nil {
		return nil, err
	}
	return next.Secret()
}
