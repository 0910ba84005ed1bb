package prb

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"phalops/internal/fleet"
	"phalops/internal/wire"
)

// What a bridge says about a worker, as causes inside a *fleet.Error.
var (
	// ErrNoWorker: the bridge's database has no worker of this id.
	ErrNoWorker = errors.New("the bridge does not know the worker")
	// ErrNotRunning: the worker is stored but has no running context (disabled, added since the lifecycle manager's start,
	// or its stake is too low): a restart of the lifecycle manager makes contexts, an action on the worker cannot.
	ErrNotRunning = errors.New("the worker has no running context")
	// ErrConfigMode: the lifecycle manager runs in config mode and has no contexts at all.
	ErrConfigMode = errors.New("the lifecycle manager runs in config mode")
	// ErrNoPool: the bridge's database has no such pool.
	ErrNoPool = errors.New("the bridge does not know the pool")
	// ErrDuplicate: another record has the same name, pid or endpoint. Nothing was written.
	ErrDuplicate = errors.New("the bridge has such a record already")
	// ErrLowStake: the stored stake is below 1 PHA. A worker that was to be restarted has no context any more.
	ErrLowStake = errors.New("the stake is below 1 PHA")
)

type ambiguousError struct{ error }

func (a ambiguousError) Unwrap() error { return a.error }

// Ambiguous marks err as the failure of a command that may have been carried out all the same. nil stays nil.
func Ambiguous(err error) error {
	if err == nil || IsAmbiguous(err) {
		return err
	}
	return ambiguousError{err}
}

// IsAmbiguous reports whether the command that failed with err may have been carried out: look at its effect before doing
// it again.
func IsAmbiguous(err error) bool {
	var a ambiguousError
	return errors.As(err, &a) || wire.IsAmbiguous(err)
}

// Unsent is the error of a question that failed before a command was sent: however the question ended, the command was not
// carried out. errors.Is sees through it, and so do fleet.ReasonOf and fleet.KindOf. nil stays nil.
func Unsent(err error) error {
	if err == nil {
		return nil
	}
	return &unsentError{fleet.Fail(fleet.KindOf(err), fleet.ReasonOf(err)), err}
}

type unsentError struct {
	told  *fleet.Error
	cause error
}

func (e *unsentError) Error() string        { return e.cause.Error() }
func (e *unsentError) Unwrap() error        { return e.told }
func (e *unsentError) Is(target error) bool { return errors.Is(e.cause, target) }

// Redact takes keys out of a text that a bridge wrote: v0 quotes whole pool records, with the unencrypted keystore, in its
// errors, and v2's pools carry an encrypted one as a long run of hex. What follows the word polkadotJson is dropped to the
// end, because no rule for quoting holds inside an escaped record. The text is bounded, too.
func Redact(text string) string {
	if harmless(text) {
		return text
	}
	if at := keyWord.FindStringIndex(text); at != nil {
		text = text[:at[0]] + redacted
	}
	text = secretField.ReplaceAllString(text, "${1}"+redacted)
	text = pkcs8.ReplaceAllString(text, redacted)
	text = longRun.ReplaceAllString(text, redacted)
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// harmless is a quick look that spares nearly every text the thorough one: it is short, plain, and none of the words is in it.
func harmless(text string) bool {
	if len(text) >= shortest {
		return false
	}
	for i := range len(text) {
		switch c := text[i] | 0x20; {
		case text[i] >= utf8.RuneSelf:
			return false // other letters may fold to these
		case c != 'p' && c != 'm' && c != 'e' && c != 'r':
		case begins(text[i:], "polkadotjson"), begins(text[i:], "mnemonic"), begins(text[i:], "encoded"), begins(text[i:], "rawseed"), begins(text[i:], "mfmcaqew"):
			return false
		}
	}
	return true
}

func begins(s, word string) bool {
	return len(s) >= len(word) && strings.EqualFold(s[:len(word)], word)
}

const (
	shortest = 140 // of longRun
	redacted = "<redacted>"
	maxText  = 4 << 10 // a serialised exception with its stack has about 1.5 kB
)

var (
	keyWord     = regexp.MustCompile(`(?i)polkadotJson`)
	secretField = regexp.MustCompile(`(?is)((?:mnemonic|encoded|rawSeed)\\*["']\s*:\s*\\*["']).*`)
	// An unencrypted keystore begins with the same bytes always: the head of PKCS#8, here in base64.
	pkcs8 = regexp.MustCompile(`MFMCAQEw[0-9A-Za-z+/=]*`)
	// Longer than every hash, key and signature (128 hex digits), shorter than any keystore.
	longRun = regexp.MustCompile(`[0-9A-Za-z+/]{140,}={0,2}`)
)
