package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

const (
	// maxProblems bounds the report: nobody reads more, and a file can be made of nothing else.
	maxProblems = 200
	// maxVisits bounds how many values are read, because aliases can make a small file stand for a huge one. An honest file
	// of MaxSize has some 50,000.
	maxVisits = 100_000
)

// reader walks the syntax tree once, and collects problems, names and references to names on its way.
type reader struct {
	lines    []string
	byLine   map[int][]*yaml.Node // every scalar and alias, by its line, in the order of the file
	shown    map[*yaml.Node]bool  // understood and harmless: an excerpt may quote it
	open     map[int]bool         // lines inside a long text that is harmless: an excerpt may quote them whole
	problems Problems
	visits   int
	cut      bool // there is more to say than maxProblems

	config  Config // as far as it was read
	names   names
	pending []func() // checks that need all names and the whole Config; run by finish
}

func newReader(root *yaml.Node, lines []string) *reader {
	r := &reader{lines: lines, byLine: map[int][]*yaml.Node{}, shown: map[*yaml.Node]bool{}, open: map[int]bool{}, config: defaults(), names: newNames()}
	r.index(root)
	return r
}

func (r *reader) index(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode || n.Kind == yaml.AliasNode {
		r.byLine[n.Line] = append(r.byLine[n.Line], n)
	}
	for _, child := range n.Content {
		r.index(child)
	}
}

// finish runs the checks that had to wait and gives the report.
func (r *reader) finish() Problems {
	for _, check := range r.pending {
		check()
	}
	ps := r.problems.sorted()
	for i := range ps {
		ps[i].Excerpt = r.excerpt(ps[i].Line)
	}
	if r.cut {
		ps = append(ps, Problem{Reason: fleet.Because("config.too_many", "limit", maxProblems)})
	}
	return ps
}

func (r *reader) later(check func()) { r.pending = append(r.pending, check) }

func (r *reader) report(at *yaml.Node, path string, why fleet.Reason) {
	if r.full() {
		return
	}
	r.problems = append(r.problems, Problem{Line: at.Line, Column: at.Column, Path: path, Reason: why})
}

// full reports whether nothing more is to be said, and with that nothing more to be read.
func (r *reader) full() bool {
	if len(r.problems) >= maxProblems {
		r.cut = true
	}
	return r.cut
}

// value is one node of the file with its place in the configuration.
type value struct {
	r    *reader
	at   *yaml.Node // where it is written
	n    *yaml.Node // what is written there, aliases resolved; nil: the key is absent
	path string
}

func (v value) present() bool { return v.n != nil }

func (v value) problem(why fleet.Reason) { v.r.report(v.at, v.path, why) }

// child makes the value at n. It refuses to go on when the file stands for more than any fleet has.
func (v value) child(n *yaml.Node, path string) (value, bool) {
	v.r.visits++
	if v.r.visits == maxVisits {
		v.problem(fleet.Because("config.too_many_values"))
	}
	c := value{r: v.r, at: n, n: n, path: path}
	if n.Kind == yaml.AliasNode {
		c.n = n.Alias
	}
	if c.isNull() {
		c.show()
	}
	return c, v.r.visits < maxVisits && !v.r.full()
}

func (v value) isNull() bool { return v.n.Kind == yaml.ScalarNode && v.n.Tag == "!!null" }

// show lets excerpts quote the value.
func (v value) show() {
	v.r.shown[v.n] = true
	v.r.shown[v.at] = true
}

// entries calls each for every key of a mapping in the order of the file. A key without a value ("alerts:" with everything
// below it commented out) is an empty mapping. Keys are not shown in excerpts unless each says so.
func (v value) entries(each func(key *yaml.Node, item value)) {
	if v.isNull() {
		return
	}
	if v.n.Kind != yaml.MappingNode {
		v.problem(fleet.Because("config.want_mapping"))
		return
	}
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(v.n.Content); i += 2 {
		key, n := v.n.Content[i], v.n.Content[i+1]
		item, ok := v.child(n, "")
		if !ok {
			return
		}
		switch before, twice := first[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			v.r.report(key, v.path, fleet.Because("config.bad_key"))
		case key.Tag == "!!merge":
			v.r.report(key, v.path, fleet.Because("config.merge_key"))
		case twice:
			name := "…"
			if v.r.shown[before] {
				name = key.Value
			}
			v.r.report(key, join(v.path, name), fleet.Because("config.duplicate_key", "key", name, "line", before.Line))
		default:
			first[key.Value] = key
			item.path = join(v.path, key.Value)
			each(key, item)
		}
	}
}

// items calls each for every element of a list. A lone value stands for a list of one, nothing for an empty list.
func (v value) items(each func(i int, item value)) {
	switch {
	case v.isNull():
	case v.n.Kind == yaml.SequenceNode:
		for i, n := range v.n.Content {
			item, ok := v.child(n, fmt.Sprintf("%s[%d]", v.path, i))
			if !ok {
				return
			}
			each(i, item)
		}
	case v.n.Kind == yaml.ScalarNode:
		each(0, v)
	default:
		v.problem(fleet.Because("config.want_list"))
	}
}

// objects is items for elements that are mappings: there a lone value is a mistake.
func (v value) objects(each func(i int, item value)) {
	if v.n.Kind == yaml.ScalarNode && !v.isNull() {
		v.problem(fleet.Because("config.want_list"))
		return
	}
	v.items(each)
}

// lookup finds the value of a key ahead of reading the mapping; not present where there is none.
func (v value) lookup(key string) value {
	if v.n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(v.n.Content); i += 2 {
			if v.n.Content[i].Value == key {
				v.r.shown[v.n.Content[i]] = true
				item, _ := v.child(v.n.Content[i+1], join(v.path, key))
				return item
			}
		}
	}
	return value{}
}

// join is path.key, or path["key"] where a bare key would not be clear.
func join(path, key string) string {
	switch {
	case strings.Trim(key, keyRunes) != "" || key == "":
		return fmt.Sprintf("%s[%q]", path, showKey(key, false))
	case path == "":
		return key
	}
	return path + "." + key
}

const keyRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
