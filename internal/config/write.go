package config

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"phalops/internal/fleet"
)

//go:embed starter.zh.yaml starter.en.yaml
var starters embed.FS

// Starter is the file that `config init` writes, commented in lang (zh, else en). It passes its own check as it is, and
// only observes.
func Starter(lang string) []byte {
	name := "starter.en.yaml"
	if lang == "zh" {
		name = "starter.zh.yaml"
	}
	b, err := starters.ReadFile(name)
	if err != nil {
		panic("config: " + err.Error()) // it is built in
	}
	return b
}

// WriteNew writes a file with mode 0600 that is either there whole or not at all. It never replaces one: an existing file
// is a *fleet.Error of kind Refused.
func WriteNew(path string, data []byte) error {
	if err := writeNew(path, data); errors.Is(err, fs.ErrExist) {
		return fleet.FailWith(fleet.Refused, fleet.Because("config.exists", "file", path), err)
	} else if err != nil {
		return fleet.FailWith(fleet.Failed, fleet.Because("config.unwritable", "file", path, "err", err), err)
	}
	return nil
}

// writeNew links a finished file to its name, because a link, unlike a rename, fails where something is in the way.
func writeNew(path string, data []byte) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("write %s: %w", path, fs.ErrExist)
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".phalops-*.yaml") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
