package scale

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// wished is what a Go field asks for.
type wished struct {
	names    []string // paths, the first known one counts
	optional bool
}

// wish reads a field's tag, or makes the name from the Go name.
func wish(f reflect.StructField) (wished, error) {
	if !f.IsExported() {
		return wished{}, fmt.Errorf("%w: field %s is not exported", ErrBind, f.Name)
	}
	names, options, _ := strings.Cut(f.Tag.Get("scale"), ",")
	if options != "" && options != "optional" {
		return wished{}, fmt.Errorf("%w: tag of field %s: %q", ErrBind, f.Name, options)
	}
	w := wished{optional: options == "optional"}
	if names != "" {
		w.names = strings.Split(names, "|")
	} else {
		w.names = []string{snake(f.Name), f.Name} // fields of structs, names of variants
	}
	return w, nil
}

// snake is a Go name in the manner of Rust's fields: ProtectedName is protected_name, PInit p_init.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// target is a Go field and what is left of its path.
type target struct {
	field int
	path  []string
}

func (b *binder) bindStruct(t *Type, rt reflect.Type) (reader, error) {
	if rt.Kind() != reflect.Struct {
		return nil, unfit(t, rt)
	}
	var targets []target
	for i := range rt.NumField() {
		w, err := wish(rt.Field(i))
		if err != nil {
			return nil, err
		}
		path := t.firstPath(w.names)
		switch {
		case path != nil:
			targets = append(targets, target{i, path})
		case !w.optional:
			return nil, fmt.Errorf("%w: %s has no %s", ErrBind, t, strings.Join(w.names, " or "))
		}
	}
	return b.bindFields(t, rt, targets)
}

// firstPath is the first of the paths that leads somewhere.
func (t *Type) firstPath(paths []string) []string {
	for _, p := range paths {
		path := strings.Split(p, ".")
		at := t
		for _, name := range path {
			if at = at.fieldNamed(name); at == nil {
				break
			}
		}
		if at != nil {
			return path
		}
	}
	return nil
}

func (t *Type) fieldNamed(name string) *Type {
	if t.shape != shapeStruct {
		return nil
	}
	for _, f := range t.fields {
		if f.name == name {
			return f.typ
		}
	}
	return nil
}

// bindFields goes through the fields of a struct in order: some are wanted, some lead to wanted ones, the rest is passed over.
func (b *binder) bindFields(t *Type, rt reflect.Type, targets []target) (reader, error) {
	var steps []reader
	gap := 0 // bytes to pass over before the next step
	jump := func() {
		if n := gap; n > 0 {
			steps = append(steps, func(c *cursor, _ reflect.Value) { c.take(n) })
		}
		gap = 0
	}
	for _, f := range t.fields {
		var mine []target
		for _, w := range targets {
			if w.path[0] == f.name {
				mine = append(mine, target{w.field, w.path[1:]})
			}
		}
		if len(mine) == 0 && f.typ.size >= 0 && gap+f.typ.size <= huge {
			gap += f.typ.size
			continue
		}
		jump()
		step, err := b.bindField(f, rt, mine)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		steps = append(steps, step)
	}
	jump()
	return func(c *cursor, v reflect.Value) {
		for _, step := range steps {
			if step(c, v); c.err != nil {
				return
			}
		}
	}, nil
}

func (b *binder) bindField(f field, rt reflect.Type, targets []target) (reader, error) {
	whole := func(w target) bool { return len(w.path) == 0 }
	switch {
	case len(targets) == 0:
		return func(c *cursor, _ reflect.Value) { f.typ.skip(c) }, nil
	case !slices.ContainsFunc(targets, whole):
		return b.bindFields(f.typ, rt, targets)
	case len(targets) > 1:
		return nil, fmt.Errorf("%w: wanted twice", ErrBind)
	}
	i := targets[0].field
	read, err := b.bind(f.typ, rt.Field(i).Type)
	if err != nil {
		return nil, err
	}
	return func(c *cursor, v reflect.Value) {
		if read(c, v.Field(i)); c.err != nil {
			c.within(f.name)
		}
	}, nil
}
