package scale

import (
	"errors"
	"fmt"

	"github.com/mr-tron/base58"
	"golang.org/x/crypto/blake2b"
)

// ErrAddress is found in every error of ParseAddress.
var ErrAddress = errors.New("not an SS58 address")

// maxPrefix is the largest network number that two bytes hold.
const maxPrefix = 1<<14 - 1

// Address is the SS58 text of a 32-byte account on the network with this prefix (0 to 16383; higher bits are dropped).
// Format: https://docs.polkadot.com/polkadot-protocol/parachain-basics/accounts/#address-formats-and-ss58.
func Address(prefix uint16, account [32]byte) string {
	return base58.Encode(checked(prefix, account[:]))
}

// checked is the body of an address with its checksum.
func checked(prefix uint16, account []byte) []byte {
	body := make([]byte, 0, 2+32+2)
	if prefix &= maxPrefix; prefix < 64 {
		body = append(body, byte(prefix))
	} else {
		body = append(body, byte(prefix>>2&0x3f|0x40), byte(prefix>>8|prefix&3<<6))
	}
	body = append(body, account...)
	sum := checksum(body)
	return append(body, sum[0], sum[1])
}

func checksum(body []byte) [blake2b.Size]byte {
	return blake2b.Sum512(append([]byte("SS58PRE"), body...))
}

// ParseAddress reads the SS58 text of a 32-byte account of any network. Other lengths and a wrong checksum are refused.
func ParseAddress(s string) (prefix uint16, account [32]byte, err error) {
	if len(s) > 64 { // 36 bytes are at most 50 characters
		return 0, account, fmt.Errorf("%w: %.64q… is too long", ErrAddress, s)
	}
	raw, err := base58.Decode(s)
	if err != nil {
		return 0, account, fmt.Errorf("%w: %q: %w", ErrAddress, s, err)
	}
	head := 1
	if len(raw) > 0 && raw[0]&0x40 != 0 {
		head = 2
	}
	if len(raw) != head+32+2 || raw[0]&0x80 != 0 {
		return 0, account, fmt.Errorf("%w: %q has %d bytes", ErrAddress, s, len(raw))
	}
	body := raw[:head+32]
	if sum := checksum(body); sum[0] != raw[len(raw)-2] || sum[1] != raw[len(raw)-1] {
		return 0, account, fmt.Errorf("%w: the checksum of %q is wrong", ErrAddress, s)
	}
	prefix = uint16(raw[0])
	if head == 2 {
		prefix = uint16(raw[0]&0x3f)<<2 | uint16(raw[1])>>6 | uint16(raw[1]&0x3f)<<8
		if prefix < 64 {
			return 0, account, fmt.Errorf("%w: %q writes its network in two bytes instead of one", ErrAddress, s)
		}
	}
	copy(account[:], body[head:])
	return prefix, account, nil
}
