package roster

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

// isYAML reports whether the first line of a list with content can only be YAML (or JSON, which is YAML too): an item, a
// mapping, or a document's beginning. "[::1]" and "[fd00::1]:8000" are addresses.
func isYAML(line string) bool { return yamlStart.MatchString(line) }

var yamlStart = regexp.MustCompile(`^\s*(-(\s|$)|---|%YAML|\{|\[\s*(["'{]|$)|[A-Za-z_]+:(\s|$))`)

// yaml reads the list as YAML: a list, alone or under the dialect's key, of texts as in a list of lines, or of mappings.
func (p *parser) yaml() {
	root, wrong := p.tree()
	if wrong != nil {
		p.report(0, wrong)
		p.hopeless = true
		return
	}
	if root.Kind == yaml.MappingNode {
		if root = p.under(root); root == nil {
			p.hopeless = true
			return
		}
	}
	if root.Kind != yaml.SequenceNode {
		p.tell(root, fleet.Because("roster.yaml_list", "key", p.d.top))
		p.hopeless = true
		return
	}
	if len(root.Content) == 0 {
		p.tell(root, fleet.Because("roster.empty"))
		p.hopeless = true
	}
	for _, n := range root.Content {
		r, wrong := p.item(n)
		if wrong != nil {
			p.report(n.Line, wrong)
			continue
		}
		if r != nil && !p.accept(n.Line, r) {
			return
		}
	}
}

// tree parses the one document that the list must be.
func (p *parser) tree() (*yaml.Node, *mistake) {
	loader, err := yaml.NewLoader(strings.NewReader(strings.Join(p.lines, "\n")))
	if err != nil {
		return nil, &mistake{why: fleet.Because("roster.yaml_syntax")}
	}
	var doc, second yaml.Node
	err = loader.Load(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, &mistake{why: fleet.Because("roster.empty")}
	}
	if err == nil {
		if err = loader.Load(&second); errors.Is(err, io.EOF) {
			return doc.Content[0], nil
		}
		if err == nil {
			return nil, placeOf(&second).wrong(fleet.Because("roster.yaml_documents"))
		}
	}
	// The parser's own words repeat what stands in the file and are English: its place says enough.
	m := &mistake{why: fleet.Because("roster.yaml_syntax")}
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		m.line, m.column = e.Mark.Line, e.Mark.Column
	}
	return nil, m
}

// placeOf is where a node stands.
func placeOf(n *yaml.Node) cell { return cell{line: n.Line, column: n.Column} }

// under is the list that stands under the dialect's key; nil after a problem.
func (p *parser) under(root *yaml.Node) *yaml.Node {
	var list *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		switch {
		case key.Value != p.d.top || list != nil:
			p.tell(key, fleet.Because("roster.yaml_list", "key", p.d.top))
			return nil
		default:
			list = value
		}
	}
	if list == nil {
		p.tell(root, fleet.Because("roster.yaml_list", "key", p.d.top))
	}
	return list
}

func (p *parser) item(n *yaml.Node) (*row, *mistake) {
	switch n.Kind {
	case yaml.ScalarNode:
		c, wrong := scalar(n)
		if wrong != nil || c.text == "" {
			return nil, wrong
		}
		r, wrong := p.d.line(c.text)
		if wrong != nil {
			return nil, c.wrong(wrong.why)
		}
		for i := range r.cells {
			r.cells[i].line, r.cells[i].column = c.line, c.column
		}
		return r, nil
	case yaml.MappingNode:
		return p.mapping(n)
	}
	return nil, placeOf(n).wrong(fleet.Because("roster.yaml_item"))
}

// scalar is the text of a scalar; null is "".
func scalar(n *yaml.Node) (cell, *mistake) {
	c := placeOf(n)
	switch {
	case n.Kind != yaml.ScalarNode:
		return c, c.wrong(fleet.Because("roster.yaml_value"))
	case n.Tag != "!!null":
		c.text = n.Value
	}
	return c, nil
}

// mapping reads one item with keys; nil without a mistake: it told them itself.
func (p *parser) mapping(n *yaml.Node) (*row, *mistake) {
	r, seen, bad := &row{}, map[column]bool{}, false
	tell := func(at *yaml.Node, why fleet.Reason) {
		p.tell(at, why)
		bad = true
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		col := p.d.column(key.Value)
		if col == colUnknown || col == colLabel || col == colLabels && !p.d.labelled {
			tell(key, p.d.unknownKey(key.Value))
			continue
		}
		if why := p.d.judge(key.Value, col); !why.IsZero() {
			tell(key, why)
			continue
		}
		if seen[col] && col != colReport {
			tell(key, fleet.Because("roster.column_twice", "value", show(key.Value)))
			continue
		}
		seen[col] = true
		if col == colLabels {
			p.labelsOf(r, value, tell)
			continue
		}
		c, wrong := scalar(value)
		if wrong != nil && col != colReport {
			tell(value, wrong.why)
			continue
		}
		r.cells[col] = c
	}
	if bad {
		return nil, nil
	}
	if seen[colEnabled] && seen[colDisabled] {
		return nil, placeOf(n).wrong(fleet.Because("roster.both_switches"))
	}
	return r, nil
}

func (p *parser) labelsOf(r *row, n *yaml.Node, tell func(*yaml.Node, fleet.Reason)) {
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			tell(n, fleet.Because("roster.yaml_labels"))
		}
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, why := LabelKey(n.Content[i].Value)
		c, wrong := scalar(n.Content[i+1])
		switch {
		case n.Content[i].Kind != yaml.ScalarNode || !why.IsZero():
			tell(n.Content[i], fleet.Because("roster.bad_label", "value", show(n.Content[i].Value)))
		case wrong != nil:
			tell(n.Content[i+1], wrong.why)
		case seen[key]:
			tell(n.Content[i], fleet.Because("roster.column_twice", "value", show(key)))
		default:
			seen[key] = true
			r.labels = append(r.labels, label{key, c})
		}
	}
}

func (p *parser) tell(n *yaml.Node, why fleet.Reason) {
	p.report(0, placeOf(n).wrong(why))
}
