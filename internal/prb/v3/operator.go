package v3

import (
	"context"
	"regexp"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/secret"
)

// KeyType says what an operator's key is.
type KeyType string

// Key types.
const (
	Seed      KeyType = "Seed"      // a mnemonic, a 0x seed or a derivation path
	SecretKey KeyType = "SecretKey" // 128 hex digits of a 64-byte secret
)

// OperatorSpec is an operator as it shall be stored.
type OperatorSpec struct {
	PID     uint64
	Key     secret.Value
	Type    KeyType
	Proxied string // SS58, of any network, of the pool's owner when the operator is its proxy; "" = none
	// Account is the SS58 address, of any network, that the key must give. "" where it is not known: then an unclear answer can
	// be settled only when the stored account changed.
	Account string
}

type operatorArgs struct {
	PID     uint64  `json:"pid"`
	Account string  `json:"account"`
	Type    KeyType `json:"account_type"`
	Proxied *string `json:"proxied_account_id"`
}

func (o operatorArgs) pid() uint64 { return o.PID }

// SetOperator stores the account that signs for a pool, in prb-wm's database in clear text, over plain HTTP. With another
// account than before v3.2 makes every worker of the pool register again, which costs transactions: it is for a person to
// ask. The operator that is stored afterwards is returned, so that its account can be compared with the one meant; that it
// is another than s.Account is an error, too. The key comes back in no error: a text from outside in which a piece of it
// occurs is dropped.
func (c *Client) SetOperator(ctx context.Context, s OperatorSpec) (Operator, error) {
	if s.Type != Seed && s.Type != SecretKey || s.Key.IsZero() {
		return Operator{}, fleet.Fail(fleet.Invalid, fleet.Because("prb3.bad_key", "pid", s.PID))
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		return Operator{}, err
	}
	defer unlock()
	before, err := c.Operator(ctx, s.PID)
	if err != nil && fleet.KindOf(err) != fleet.NotFound {
		return Operator{}, unsent(err)
	}
	args := operatorArgs{PID: s.PID, Account: s.Key.Reveal(), Type: s.Type}
	if s.Proxied != "" {
		args.Proxied = &s.Proxied
	}
	var now Operator
	took := func(o Operator) bool {
		return o.PID == s.PID && sameAccount(o.Proxied, s.Proxied) && (s.Account == "" || sameAccount(o.Account, s.Account))
	}
	e := edit{
		name: "SetPoolOperator", args: args, hidden: pieces(s.Key.Reveal()),
		told: func(data []byte) bool {
			o, ok := decodeOperator(data)
			now = o
			return ok && took(o)
		},
	}
	err = c.write(ctx, e, func(ctx context.Context) (bool, error) {
		o, err := c.Operator(ctx, s.PID)
		if err != nil {
			return false, err
		}
		now = o
		return took(o) && (s.Account != "" || o != before), nil
	})
	if err != nil {
		return Operator{}, err
	}
	return now, nil
}

var pieceOf = regexp.MustCompile(`[\pL\pN]{3,}`)

// longPiece is how much of a long run, as in a key written in hex, gives it away.
const longPiece = 8

// pieces are the parts of a key by which a text that quotes some of it is known, in lower case: the words of a mnemonic, any
// stretch of a long run.
func pieces(key string) []string {
	var all []string
	for _, p := range pieceOf.FindAllString(strings.ToLower(key), -1) {
		all = append(all, p[:min(len(p), longPiece)])
		for i := 1; i+longPiece <= len(p); i++ {
			all = append(all, p[i:i+longPiece])
		}
	}
	return all
}
