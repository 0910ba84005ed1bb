package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

// MaxSize is the size of the largest file that is read.
const MaxSize = 1 << 20

// Load reads and checks the file at path. The error says that it could not be read at all (*fleet.Error); Problems are the
// mistakes in it. The Config is complete only where there are neither: never run with it otherwise. Secrets are not resolved.
func Load(path string) (Config, Problems, error) {
	data, err := readFile(path)
	if err != nil {
		return Config{}, nil, err
	}
	c, problems := Parse(data)
	return c, problems, nil
}

// readFile opens without blocking and looks at what it opened, so that a FIFO or a device cannot hold the daemon.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fleet.FailWith(fleet.NotFound, fleet.Because("config.no_file", "file", path), err)
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
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("config.not_regular", "file", path))
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return data, nil
}

func unreadable(path string, err error) error {
	return fleet.FailWith(fleet.Failed, fleet.Because("config.unreadable", "file", path, "err", err), err)
}

// Parse checks one configuration. Problems come all at once, in the order of the file; with any, the Config is incomplete.
func Parse(data []byte) (Config, Problems) {
	if len(data) > MaxSize {
		return Config{}, Problems{{Reason: fleet.Because("config.too_large", "kib", MaxSize>>10)}}
	}
	if !utf8.Valid(data) {
		return Config{}, Problems{notText(data)}
	}
	lines := splitLines(string(data))
	root, problem := tree(data, lines)
	if problem != nil {
		return Config{}, Problems{*problem}
	}
	r := newReader(root, lines)
	r.top(value{r: r, at: root, n: root})
	problems := r.finish()
	return r.config, problems
}

// notText finds the first byte that is no UTF-8: usually the file was saved as GBK.
func notText(data []byte) Problem {
	line, column := 1, 1
	for len(data) > 0 {
		c, n := utf8.DecodeRune(data)
		if c == utf8.RuneError && n <= 1 {
			break
		}
		column++
		if c == '\n' {
			line, column = line+1, 1
		}
		data = data[n:]
	}
	return Problem{Line: line, Column: column, Reason: fleet.Because("config.not_utf8")}
}

// tree parses data into the one document that it must be.
func tree(data []byte, lines []string) (*yaml.Node, *Problem) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, syntaxProblem(err, lines)
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF), err == nil && len(doc.Content) == 0:
		return nil, &Problem{Reason: fleet.Because("config.empty_file")}
	case err != nil:
		return nil, syntaxProblem(err, lines)
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
		return doc.Content[0], nil
	case err != nil:
		return nil, syntaxProblem(err, lines)
	}
	return nil, &Problem{Line: second.Line, Column: second.Column, Reason: fleet.Because("config.documents")}
}
