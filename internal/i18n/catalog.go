package i18n

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

//go:embed catalog/*.json
var files embed.FS

// Catalog is the text of every code in every language. It is immutable: In and Naming return changed copies. It is safe
// for concurrent use.
type Catalog struct {
	entries map[string]entry
	zone    *time.Location
	name    func(ref string) string
}

// entry is one code: its sentence in each language and the file that it came from.
type entry struct {
	text map[Lang]sentence
	file string
}

// Load reads the catalogue that is built into the program. It fails when a file in it is malformed, which the package's
// tests exclude. Times are shown in the machine's zone and references by their last part until In and Naming say otherwise.
func Load() (*Catalog, error) {
	dir, err := fs.Sub(files, "catalog")
	if err != nil {
		return nil, fmt.Errorf("open the catalogue: %w", err)
	}
	return load(dir)
}

func load(dir fs.FS) (*Catalog, error) {
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list the catalogue: %w", err)
	}
	c := &Catalog{entries: map[string]entry{}, zone: time.Local}
	var problems []error
	for _, name := range names {
		data, err := fs.ReadFile(dir, name)
		if err == nil {
			err = c.add(name, data)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("catalogue file %s: %w", path.Base(name), err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return c, nil
}

// add reads one file. It walks the object key by key, because encoding/json would let the second of two equal keys win.
func (c *Catalog) add(file string, data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	for dec.More() {
		if tok, err = dec.Token(); err != nil {
			return err
		}
		code := tok.(string) // a key of an object is always a string
		var texts struct {
			ZH string `json:"zh"`
			EN string `json:"en"`
		}
		if err := dec.Decode(&texts); err != nil {
			return fmt.Errorf("%s: %w", code, err)
		}
		if old, twice := c.entries[code]; twice {
			return fmt.Errorf("%s is already in %s", code, old.file)
		}
		e := entry{file: file, text: map[Lang]sentence{}}
		for lang, text := range map[Lang]string{ZH: texts.ZH, EN: texts.EN} {
			if text == "" {
				return fmt.Errorf("%s has no %s text", code, lang)
			}
			if e.text[lang], err = parse(text); err != nil {
				return fmt.Errorf("%s (%s): %w", code, lang, err)
			}
		}
		c.entries[code] = e
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// In returns a catalogue that shows times in zone.
func (c *Catalog) In(zone *time.Location) *Catalog {
	d := *c
	d.zone = zone
	return &d
}

// Naming returns a catalogue that asks name for the short name of a reference such as worker/prb-a/<uuid>. Where name
// answers "", the last part of the reference is shown. Name must be safe for concurrent use.
func (c *Catalog) Naming(name func(ref string) string) *Catalog {
	d := *c
	d.name = name
	return &d
}

// Has reports whether the catalogue has a sentence for code.
func (c *Catalog) Has(code string) bool {
	_, ok := c.entries[code]
	return ok
}

// Text is the sentence of code for a reader of lang. Nothing is ever hidden: an unknown code is shown with its arguments,
// a missing argument as its name in «», a value that does not fit its format as it is. An unknown lang reads English.
func (c *Catalog) Text(lang Lang, code string, args map[string]string) string {
	return c.text(lang, code, args, 0)
}

// maxNesting bounds {x|code} within {y|code}: a sentence that leads to itself ends as its bare code.
const maxNesting = 3

func (c *Catalog) text(lang Lang, code string, args map[string]string, depth int) string {
	e, ok := c.entries[code]
	if !ok || depth > maxNesting {
		return plain(code, args)
	}
	s, ok := e.text[lang]
	if !ok {
		s, lang = e.text[EN], EN
	}
	var b strings.Builder
	for _, p := range s {
		if p.name == "" {
			b.WriteString(p.literal)
			continue
		}
		value, ok := args[p.name]
		if !ok {
			b.WriteString("«" + p.name + "»")
			continue
		}
		b.WriteString(c.show(lang, p.format, value, args, depth))
	}
	return b.String()
}

func plain(code string, args map[string]string) string {
	var b strings.Builder
	b.WriteString(code)
	for _, k := range slices.Sorted(maps.Keys(args)) {
		fmt.Fprintf(&b, " %s=%s", k, args[k])
	}
	return b.String()
}

func (c *Catalog) show(lang Lang, f format, value string, args map[string]string, depth int) string {
	switch f {
	case asDuration:
		if d, err := time.ParseDuration(value); err == nil {
			return Duration(lang, d)
		}
	case asTime:
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return t.In(c.zone).Format(TimeLayout)
		}
	case asRef:
		return c.short(lang, value)
	case asCode:
		if c.Has(value) {
			return c.text(lang, value, args, depth+1)
		}
	case asNumber:
		return group(value)
	case asIs:
		return c.inner(lang, value, depth)
	}
	if one, other, ok := f.forms(); ok && value == "1" {
		return one
	} else if ok {
		return other
	}
	return value
}

// inner says an argument that is itself a sentence: fleet.NestedPrefix, then a code with its arguments as JSON. Everything
// else is shown as it is.
func (c *Catalog) inner(lang Lang, value string, depth int) string {
	text, ok := strings.CutPrefix(value, "reason:")
	if !ok {
		return value
	}
	var r struct {
		Code string            `json:"code"`
		Args map[string]string `json:"args"`
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil || !c.Has(r.Code) {
		return value
	}
	return c.text(lang, r.Code, r.Args, depth+1)
}

// short names a reference: by the resolver, else by its last part; the whole fleet has no parts.
func (c *Catalog) short(lang Lang, ref string) string {
	if c.name != nil {
		if n := c.name(ref); n != "" {
			return n
		}
	}
	if i := strings.LastIndexByte(ref, '/'); i >= 0 {
		return ref[i+1:]
	}
	if c.Has("kind." + ref) {
		return c.Text(lang, "kind."+ref, nil)
	}
	return ref
}
