package account

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"

	"github.com/cosmos/go-bip39"

	"phalops/internal/fleet"
)

// bitsOfWord is what a word of the list stands for: the list has 2¹¹.
const bitsOfWord = 11

// entropy is what the words of a phrase stand for, checked.
func entropy(phrase string) ([]byte, error) {
	words, err := split(phrase)
	if err != nil {
		return nil, err
	}
	packed := make([]byte, (len(words)*bitsOfWord+7)/8) // of the entropy, then the checksum
	defer clear(packed)
	var unknown []int
	for i, w := range words {
		number, ok := slices.BinarySearch(bip39.EnglishWordList, w)
		if !ok {
			unknown = append(unknown, i+1)
			continue
		}
		for b := range bitsOfWord {
			if number>>(bitsOfWord-1-b)&1 == 1 {
				at := i*bitsOfWord + b
				packed[at/8] |= 0x80 >> (at % 8)
			}
		}
	}
	if len(unknown) > 0 {
		return nil, bad(fleet.Because("account.not_in_list", "positions", list(unknown), "words", len(words)))
	}
	// Every three words bring a bit of checksum and 32 of entropy.
	size, bits := len(words)/3*4, len(words)/3
	sum := sha256.Sum256(packed[:size])
	defer clear(sum[:])
	if (sum[0]^packed[size])>>(8-bits) != 0 {
		return nil, bad(fleet.Because("account.checksum", "words", len(words)))
	}
	return slices.Clone(packed[:size]), nil
}

// split takes a phrase apart, and tells the common slips.
func split(phrase string) ([]string, error) {
	switch {
	case strings.TrimSpace(phrase) == "":
		return nil, bad(fleet.Because("account.empty"))
	case strings.HasPrefix(phrase, "0x"):
		return nil, bad(fleet.Because("account.raw_seed"))
	case strings.HasPrefix(strings.TrimSpace(phrase), "{"):
		return nil, bad(fleet.Because("account.json"))
	case strings.ContainsFunc(phrase, foreign):
		return nil, bad(fleet.Because("account.foreign"))
	case strings.ContainsFunc(phrase, func(r rune) bool { return 'A' <= r && r <= 'Z' }):
		return nil, bad(fleet.Because("account.capitals"))
	}
	words := strings.Split(phrase, " ")
	if strings.ContainsAny(phrase, "\t\r\n\v\f") || slices.Contains(words, "") {
		return nil, bad(fleet.Because("account.spaces"))
	}
	if n := len(words); n%3 != 0 || n < 12 || n > 24 {
		return nil, bad(fleet.Because("account.count", "words", n))
	}
	return words, nil
}

// foreign is what an English phrase has none of: other letters, digits, signs, and spaces that only look like one.
func foreign(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(" \t\r\n\v\f", r)
}

func list(positions []int) string {
	var b strings.Builder
	for i, n := range positions {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

func bad(why fleet.Reason) error { return fleet.Fail(fleet.Invalid, why) }
