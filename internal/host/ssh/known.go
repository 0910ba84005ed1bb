package ssh

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"phalops/internal/fleet"
)

// known is the file of host keys. It is read at each login, since people and other hosts' first contacts write to it.
type known struct {
	name      string // the host's
	file      string
	acceptNew bool
}

// lookup says what the file holds about address; an unknown key is a *knownhosts.KeyError.
func (k *known) lookup(address string, remote net.Addr, key ssh.PublicKey) error {
	check, err := knownhosts.New(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return &knownhosts.KeyError{}
	}
	if err != nil {
		return fleet.FailWith(fleet.Failed, fleet.Because("host.bad_known_hosts", "host", k.name, "file", k.file, "err", err), err)
	}
	return check(address, remote, key)
}

// algorithms are those of the keys that are known for address, so that a machine with several keys shows one of them; nil
// where none is known.
func (k *known) algorithms(address string) ([]string, error) {
	err := k.lookup(address, &net.TCPAddr{}, noKey{})
	if told, ok := errors.AsType[*fleet.Error](err); ok {
		return nil, told
	}
	unknown, ok := errors.AsType[*knownhosts.KeyError](err)
	if !ok {
		return nil, nil
	}
	var out []string
	for _, want := range unknown.Want {
		all := []string{want.Key.Type()}
		if all[0] == ssh.KeyAlgoRSA {
			all = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, a := range all {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// noKey is a key that no machine has.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return nil }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// check is the ssh.HostKeyCallback.
func (k *known) check(address string, remote net.Addr, key ssh.PublicKey) error {
	err := k.lookup(address, remote, key)
	if unknown, ok := errors.AsType[*knownhosts.KeyError](err); ok && len(unknown.Want) == 0 && k.acceptNew {
		err = k.accept(address, remote, key)
	}
	if err == nil {
		return nil
	}
	unknown, ok := errors.AsType[*knownhosts.KeyError](err)
	if told, isTold := errors.AsType[*fleet.Error](err); isTold {
		return told
	}
	switch {
	case !ok: // revoked, or a certificate that is not for this machine
		return fleet.FailWith(fleet.Refused, fleet.Because("host.key_revoked", "host", k.name, "address", address, "file", k.file, "err", err), err)
	case len(unknown.Want) == 0:
		return fleet.FailWith(fleet.Refused, fleet.Because("host.key_unknown", "host", k.name, "address", address, "file", k.file,
			"fingerprint", ssh.FingerprintSHA256(key), "line", knownhosts.Line([]string{address}, key)), err)
	default:
		return fleet.FailWith(fleet.Refused, fleet.Because("host.key_changed", "host", k.name, "address", address, "file", k.file,
			"fingerprint", ssh.FingerprintSHA256(key), "line", unknown.Want[0].Line), err)
	}
}

// accept writes the key of a first contact down, unless somebody else has done so in the meantime.
func (k *known) accept(address string, remote net.Addr, key ssh.PublicKey) error {
	f, err := os.OpenFile(k.file, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return k.notWritten(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil { // against other processes and other hosts of ours
		return k.notWritten(err)
	}
	err = k.lookup(address, remote, key)
	if unknown, ok := errors.AsType[*knownhosts.KeyError](err); !ok || len(unknown.Want) > 0 {
		return err
	}
	line := knownhosts.Line([]string{address}, key) + "\n"
	if torn(f) {
		line = "\n" + line
	}
	if _, err := f.WriteString(line); err != nil {
		return k.notWritten(err)
	}
	if err := f.Sync(); err != nil {
		return k.notWritten(err)
	}
	return nil
}

// torn reports whether the file ends within a line.
func torn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

func (k *known) notWritten(err error) error {
	return fleet.FailWith(fleet.Failed, fleet.Because("host.bad_known_hosts", "host", k.name, "file", k.file, "err", err), err)
}
