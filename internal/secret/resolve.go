package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"filippo.io/age"
	"filippo.io/age/armor"

	"phalops/internal/fleet"
)

const (
	// identityVariable names the file with the age identities (the private keys).
	identityVariable = "PHALOPS_AGE_IDENTITY"
	// credentialsVariable is set by systemd for a service with LoadCredential= or SetCredential=.
	credentialsVariable = "CREDENTIALS_DIRECTORY"

	maxSize      = 64 << 10    // of a secret
	maxEncrypted = 2 * maxSize // of an age file: armour and headers on top of the secret
)

// Resolver turns references into values. It reads anew each time, so that a rotated secret is used at once. It is safe for
// concurrent use when LookupEnv is.
type Resolver struct {
	// LookupEnv answers for the environment: the variable of env:NAME, PHALOPS_AGE_IDENTITY (the file with the identities
	// that open age:/path) and CREDENTIALS_DIRECTORY (the folder of cred:NAME). nil is an empty environment.
	LookupEnv func(name string) (value string, ok bool)
}

// FromEnvironment is the Resolver of the running process.
func FromEnvironment() Resolver { return Resolver{LookupEnv: os.LookupEnv} }

// NewMap is a Resolver whose whole environment is env.
func NewMap(env map[string]string) Resolver {
	return Resolver{LookupEnv: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}}
}

// Resolve reads the secret that ref names. One newline at the end of a file is not part of it. An empty secret is an error,
// and so is the zero Ref. Errors are *fleet.Error and never hold the secret.
func (r Resolver) Resolve(ctx context.Context, ref Ref) (Value, error) {
	if err := ctx.Err(); err != nil {
		return Value{}, fmt.Errorf("resolve secret %s: %w", ref, err)
	}
	if err := ref.Check(); err != nil {
		return Value{}, err
	}
	scheme, rest, _ := strings.Cut(string(ref), ":")
	var text string
	var err error
	switch scheme {
	case schemeEnv:
		text, err = r.variable(rest)
	case schemeFile:
		text, err = readText(rest, ownerOnly)
	case schemeAge:
		text, err = r.decrypt(rest)
	case schemeCred:
		text, err = r.credential(rest)
	}
	if err != nil {
		return Value{}, err
	}
	if text == "" {
		return Value{}, fleet.Fail(fleet.Invalid, fleet.Because("secret.empty", "secret", ref))
	}
	return NewValue(text), nil
}

func (r Resolver) env(name string) (string, bool) {
	if r.LookupEnv == nil {
		return "", false
	}
	return r.LookupEnv(name)
}

func (r Resolver) variable(name string) (string, error) {
	value, ok := r.env(name)
	if !ok {
		return "", fleet.Fail(fleet.NotFound, fleet.Because("secret.env_unset", "name", name))
	}
	return value, nil
}

// credential does not look at the mode: systemd guards the folder, and gives a service that is not root its files through an
// access list, which shows as group-readable.
func (r Resolver) credential(name string) (string, error) {
	dir, ok := r.env(credentialsVariable)
	if !ok || dir == "" {
		return "", fleet.Fail(fleet.NotFound, fleet.Because("secret.no_credentials", "name", name))
	}
	return readText(filepath.Join(dir, name), anyMode)
}

func (r Resolver) decrypt(path string) (string, error) {
	keys, ok := r.env(identityVariable)
	if !ok || keys == "" {
		return "", fleet.Fail(fleet.NotFound, fleet.Because("secret.no_identity", "path", path))
	}
	keyText, err := read(keys, ownerOnly, maxSize)
	if err != nil {
		return "", err
	}
	// No cause is kept below: the words of a parser may repeat what it read.
	identities, err := age.ParseIdentities(bytes.NewReader(keyText))
	if err != nil {
		return "", fleet.Fail(fleet.Invalid, fleet.Because("secret.bad_identity", "path", keys))
	}
	sealed, err := read(path, anyMode, maxEncrypted)
	if err != nil {
		return "", err
	}
	var in io.Reader = bytes.NewReader(sealed)
	if bytes.HasPrefix(bytes.TrimSpace(sealed), []byte(armor.Header)) {
		in = armor.NewReader(in)
	}
	plain, err := age.Decrypt(in, identities...)
	if err != nil {
		return "", fleet.Fail(fleet.Invalid, fleet.Because("secret.not_opened", "path", path, "identity", keys))
	}
	text, err := io.ReadAll(io.LimitReader(plain, maxSize+1))
	if err != nil {
		return "", fleet.Fail(fleet.Invalid, fleet.Because("secret.damaged", "path", path))
	}
	if len(text) > maxSize {
		return "", tooLarge(path, maxSize)
	}
	return trimNewline(text), nil
}

// Which modes a file may have.
const (
	anyMode   fs.FileMode = 0
	ownerOnly fs.FileMode = 0o177 // bits that must not be set
)

func readText(path string, forbidden fs.FileMode) (string, error) {
	b, err := read(path, forbidden, maxSize)
	return trimNewline(b), err
}

func trimNewline(b []byte) string {
	s, _ := strings.CutSuffix(string(b), "\n")
	s, _ = strings.CutSuffix(s, "\r")
	return s
}

// read opens first and looks then, so that what was looked at is what is read; O_NONBLOCK keeps a FIFO from holding us.
func read(path string, forbidden fs.FileMode, limit int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fleet.Fail(fleet.NotFound, fleet.Because("secret.no_file", "path", path))
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("secret.not_regular", "path", path))
	}
	if info.Mode().Perm()&forbidden != 0 {
		return nil, fleet.Fail(fleet.Refused, fleet.Because("secret.open_mode",
			"path", path, "mode", fmt.Sprintf("%04o", info.Mode().Perm())))
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(b) > limit {
		return nil, tooLarge(path, limit)
	}
	return b, nil
}

func unreadable(path string, err error) error {
	return fleet.FailWith(fleet.Failed, fleet.Because("secret.unreadable", "path", path, "err", err), err)
}

func tooLarge(path string, limit int) error {
	return fleet.Fail(fleet.Invalid, fleet.Because("secret.too_large", "path", path, "kib", limit>>10))
}
