package substrate

import (
	"errors"
	"fmt"
	"strings"
)

var errTwice = errors.New("a member stands there twice")

// scanReply goes through an answer and has the result, which must be an array, read by list, in place. ok is false for
// everything that is not a plain success; as long as list was not called, the answer is then as it was, and decodeReply has
// the words for it.
func scanReply(b []byte, id uint64, list func(*scanner) error) (called, ok bool, err error) {
	s := scanner{b: b}
	mine, failed := false, false
	err = s.object(func(name []byte) error {
		s.peek()
		from := s.at
		if string(name) == "result" && s.at < len(b) && b[s.at] == '[' {
			if called {
				return errTwice
			}
			called = true
			return list(&s)
		}
		if err := s.skip(1); err != nil {
			return err
		}
		switch value := b[from:s.at]; string(name) {
		case "id":
			mine = sameID(value, id)
		case "error":
			failed = failed || string(value) != "null"
		}
		return nil
	})
	err = s.end(err)
	return called, err == nil && called && mine && !failed, err
}

// keys reads the result of state_getKeysPaged.
func (s *scanner) keys(into keys) (keys, error) {
	err := s.list(func() error {
		text, err := s.hexText()
		if err != nil {
			return err
		}
		into.text = append(append(append(into.text, '"'), text...), '"', ',') // before it is decoded in place
		into.at = append(into.at, len(into.text))
		key, err := unhex(text)
		into.raw = append(into.raw, key)
		return err
	})
	return into, err
}

func (s *scanner) end(err error) error {
	if err == nil && (s.peek() != 0 || s.at < len(s.b)) {
		return errJSON
	}
	return err
}

// changes reads the result of state_queryStorageAt: in each of its sets, pairs of a key and a value or null. Sets that name
// another block than at are refused. Keys that stand where they were asked for are told by their text.
func (s *scanner) changes(asked keys, at string, into []Pair) ([]Pair, error) {
	err := s.list(func() error {
		found, block := false, ""
		err := s.object(func(name []byte) (err error) {
			switch {
			case string(name) == "changes" && found, string(name) == "block" && block != "":
				return errTwice
			case string(name) == "changes":
				found = true
				return s.list(func() error {
					p, err := s.pair(asked, len(into))
					into = append(into, p)
					return err
				})
			case string(name) == "block" && s.peek() == '"':
				var text []byte
				text, err = s.string()
				block = string(text)
				return err
			}
			return s.skip(1)
		})
		switch {
		case err != nil:
			return err
		case !found:
			return errors.New("no changes")
		case block != "" && !strings.EqualFold(block, at):
			return fmt.Errorf("the answer is about block %s", clip(block))
		}
		return nil
	})
	return into, err
}

// pair reads a key, perhaps the i-th of those that were asked for, and its value.
func (s *scanner) pair(asked keys, i int) (p Pair, err error) {
	n := 0
	err = s.list(func() (err error) {
		switch n++; {
		case n == 1 && s.word(asked.json(i)):
			p.Key = asked.raw[i]
		case n == 1:
			p.Key, err = s.hex()
		case n == 2 && s.null():
		case n == 2:
			p.Value, err = s.hex()
		default:
			err = errors.New("more than a key and a value")
		}
		return err
	})
	if err == nil && n != 2 {
		err = errors.New("no key and value")
	}
	return p, err
}
