package account

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"strings"

	"github.com/ChainSafe/go-schnorrkel"

	"phalops/internal/fleet"
	"phalops/internal/secret"
	"phalops/internal/substrate/scale"
)

// Account is the public side of a secret phrase.
type Account struct {
	Key [32]byte // sr25519

	// Derived: the phrase has a path or a password behind its words. Bridges of v0 and v2 take the words alone.
	Derived bool
}

// Address is the account's SS58 address on the network with this prefix (30: Khala and Phala; 42: any Substrate chain).
func (a Account) Address(prefix uint16) string { return scale.Address(prefix, a.Key) }

// Of tells the account of a secret phrase: 12, 15, 18, 21 or 24 words with their checksum, then, as Substrate's own tools write it,
// a path of //hard and /soft junctions and ///a password, each optional. It takes about a millisecond. An error is a fleet error,
// Invalid, with what is wrong and where, and holds no word of the phrase.
func Of(phrase secret.Value) (Account, error) {
	words, path, password, err := parts(phrase.Reveal())
	if err != nil {
		return Account{}, err
	}
	e, err := entropy(words)
	if err != nil {
		return Account{}, err
	}
	defer clear(e)
	// Unlike BIP-39, Substrate stretches the entropy, not the text of the words.
	seed, err := pbkdf2.Key(sha512.New, string(e), []byte("mnemonic"+password), 2048, sha512.Size)
	if err != nil {
		return Account{}, bad(fleet.Because("account.refused"))
	}
	defer clear(seed)
	mini, err := schnorrkel.NewMiniSecretKeyFromRaw([32]byte(seed[:32]))
	if err != nil {
		return Account{}, bad(fleet.Because("account.refused"))
	}
	key := mini.ExpandEd25519()
	for _, j := range path {
		if key, err = j.derive(key); err != nil {
			return Account{}, bad(fleet.Because("account.refused"))
		}
	}
	public, err := key.Public()
	if err != nil {
		return Account{}, bad(fleet.Because("account.refused"))
	}
	return Account{Key: public.Encode(), Derived: len(path) > 0 || password != ""}, nil
}

// parts takes a phrase, its path and its password apart.
func parts(text string) (words string, path []junction, password string, err error) {
	words, password, _ = strings.Cut(text, "///")
	at := strings.IndexByte(words, '/')
	if at < 0 {
		return words, nil, password, nil
	}
	words, rest := words[:at], words[at:]
	for rest != "" {
		var j junction
		rest = rest[1:]
		if rest, j.hard = strings.CutPrefix(rest, "/"); rest == "" || rest[0] == '/' {
			return "", nil, "", bad(fleet.Because("account.path"))
		}
		name := rest
		if next := strings.IndexByte(rest, '/'); next >= 0 {
			name, rest = rest[:next], rest[next:]
		} else {
			rest = ""
		}
		var ok bool
		if j.code, ok = code(name); !ok {
			return "", nil, "", bad(fleet.Because("account.path"))
		}
		path = append(path, j)
	}
	return words, path, password, nil
}
