package world

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/crypto/blake2b"
)

// SS58 is an account's address with a one-byte prefix: 30 for Phala and Khala, 0 for Polkadot.
func SS58(prefix byte, account [32]byte) string {
	b := append([]byte{prefix}, account[:]...)
	sum := blake2b.Sum512(append([]byte("SS58PRE"), b...))
	return Base58(append(b, sum[:2]...))
}

// operator is the account that stands for a mnemonic. It is a hash and no point of any curve: nobody can sign with it.
func operator(seed string) [32]byte { return sha256.Sum256([]byte("operator/" + seed)) }

// The frame of a PKCS #8 key as polkadot-js writes it around 64 secret and 32 public bytes.
var (
	v0KeyHead = []byte{48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32}
	v0KeyMid  = []byte{161, 35, 3, 33, 0}
)

type v0Keystore struct {
	Encoded  string `json:"encoded"`
	Encoding struct {
		Content []string `json:"content"`
		Type    []string `json:"type"`
		Version string   `json:"version"`
	} `json:"encoding"`
	Address string   `json:"address"`
	Meta    struct{} `json:"meta"`
}

// newOwner makes an account of a mnemonic, or else of a keystore text, with the exceptions of the original.
func newOwner(in *V0OwnerInput) (V0Owner, error) {
	if in == nil {
		return V0Owner{}, &V0Error{"Cannot destructure property 'mnemonic' of 'item.owner' as it is undefined."}
	}
	if seed := value(in.Mnemonic); seed != "" {
		if err := checkMnemonic(seed); err != nil {
			return V0Owner{}, &V0Error{err.Error()[len("Error: "):]}
		}
		account := operator(seed)
		secret := blake2b.Sum512([]byte("no key/" + seed))
		return ownerOf(account, base64.StdEncoding.EncodeToString(append(append(append(append([]byte{}, v0KeyHead...), secret[:]...), v0KeyMid...), account[:]...))), nil
	}
	var k v0Keystore
	if err := json.Unmarshal([]byte(value(in.Keystore)), &k); err != nil {
		return V0Owner{}, &V0Error{syntaxError(in.Keystore, err)}
	}
	account := operator(k.Encoded)
	if raw, err := base64.StdEncoding.DecodeString(k.Encoded); err == nil && len(raw) >= len(account) {
		copy(account[:], raw[len(raw)-len(account):])
	}
	return ownerOf(account, k.Encoded), nil
}

func ownerOf(account [32]byte, encoded string) V0Owner {
	k := v0Keystore{Encoded: encoded, Address: SS58(30, account)}
	k.Encoding.Content, k.Encoding.Type, k.Encoding.Version = []string{"pkcs8", "sr25519"}, []string{"none"}, "3"
	return V0Owner{Keystore: string(plainJSON(k)), Phala: k.Address, Polkadot: SS58(0, account)}
}

// syntaxError is what JSON.parse says to a text; one that is missing is read as the word undefined.
func syntaxError(text *string, err error) string {
	var bad *json.SyntaxError
	switch {
	case text == nil:
		return "Unexpected token u in JSON at position 0"
	case errors.As(err, &bad) && bad.Offset >= 1 && bad.Offset <= int64(len(*text)):
		return fmt.Sprintf("Unexpected token %c in JSON at position %d", (*text)[bad.Offset-1], bad.Offset-1)
	}
	return "Unexpected end of JSON input"
}
