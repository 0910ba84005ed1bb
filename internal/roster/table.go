package roster

import (
	"regexp"
	"slices"
	"strings"

	"phalops/internal/fleet"
)

// head is a table's header.
type head struct {
	sep     rune
	columns []column
	labels  []string // the label's key, where the column is one
}

// columnID is what two columns of a table must not share.
type columnID struct {
	column column
	label  string
}

// labelPrefixes may stand before a label's name where it could be taken for something else.
func labelPrefixes() []string { return []string{"label.", "labels.", "标签."} }

// header reads a line as a table's header; nil when it is none: no cell is a known column, or one is an
// address or a number.
func (d dialect) header(line string) (*head, []cell) {
	sep := ','
	switch {
	case strings.ContainsRune(line, '\t'):
		sep = '\t'
	case !strings.ContainsRune(line, ',') && strings.ContainsRune(line, ';'):
		sep = ';'
	}
	all, wrong := cells(line, sep, false)
	if wrong != nil {
		return nil, nil
	}
	known := false
	for _, c := range all {
		if isDigits(c.text) || addressed.MatchString(c.text) {
			return nil, nil
		}
		col := d.column(c.text)
		known = known || col != colUnknown && col != colSecret
	}
	if !known {
		return nil, nil
	}
	return &head{sep: sep}, all
}

// addressed finds an address where a header would have a word.
var addressed = regexp.MustCompile(`://|^[0-9]+\.[0-9\[]|^\[[0-9a-fA-F:]|:[0-9a-fA-F]*$`)

func labelOf(header string) string {
	for _, prefix := range labelPrefixes() {
		if len(header) > len(prefix) && strings.EqualFold(header[:len(prefix)], prefix) {
			return header[len(prefix):]
		}
	}
	return ""
}

// table reads a header and everything below it. A header with a mistake makes the rest unreadable.
func (p *parser) table(first int, h *head, all []cell) {
	seen := map[columnID]bool{}
	for _, c := range all {
		col, key := p.d.column(c.text), ""
		why := fleet.Reason{}
		switch {
		case p.d.labelled && labelOf(c.text) != "":
			col = colLabel
			key, why = LabelKey(labelOf(c.text))
		case c.text == "":
			col = colBlank
		case col == colLabels:
			why = fleet.Because("roster.labels_column")
		default:
			if why = p.d.judge(c.text, col); why.IsZero() && col == colUnknown {
				col = colLabel
				key, why = LabelKey(c.text)
			}
		}
		id := columnID{col, key}
		if why.IsZero() && col != colReport && col != colBlank && seen[id] {
			why = fleet.Because("roster.column_twice", "value", show(c.text))
		}
		seen[id] = true
		if !why.IsZero() {
			p.report(first, c.wrong(why))
			continue
		}
		h.columns, h.labels = append(h.columns, col), append(h.labels, key)
	}
	if !p.failed() && !slices.ContainsFunc(p.d.needs, func(c column) bool { return slices.Contains(h.columns, c) }) {
		p.report(first, &mistake{why: p.d.needed()})
	}
	if !p.failed() && slices.Contains(h.columns, colEnabled) && slices.Contains(h.columns, colDisabled) {
		p.report(first, &mistake{why: fleet.Because("roster.both_switches")})
	}
	if p.failed() {
		p.hopeless = true
		return
	}
	for n := first + 1; n <= len(p.lines); n++ {
		if text := p.lines[n-1]; !isComment(text) && !p.take(n, text, h.row) {
			return
		}
	}
}

// row reads one line below the header; nil without a mistake is a line without content.
func (h *head) row(line string) (*row, *mistake) {
	all, wrong := cells(line, h.sep, false)
	if wrong != nil {
		return nil, wrong
	}
	empty := true
	for _, c := range all {
		empty = empty && c.text == ""
	}
	switch {
	case empty:
		return nil, nil
	case len(all) != len(h.columns):
		return nil, &mistake{why: fleet.Because("roster.cells", "count", len(all), "want", len(h.columns))}
	}
	r := &row{}
	for i, c := range all {
		if h.columns[i] == colBlank && c.text != "" {
			return nil, c.wrong(fleet.Because("roster.headless"))
		}
		if r.cells[h.columns[i]] = c; h.columns[i] == colLabel {
			r.labels = append(r.labels, label{h.labels[i], c})
		}
	}
	return r, nil
}

// isComment reports whether a line of a table says nothing.
func isComment(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}
