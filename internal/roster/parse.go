package roster

import (
	"io"

	"phalops/internal/fleet"
)

// Parse reads a list of workers. The list's problems are in List.Problems; err is only what r itself answered.
func Parse(r io.Reader, o Options) (List, error) {
	var list List
	names, endpoints := map[string]int{}, map[string]int{}
	d := workers()
	d.accept = func(r *row) (*mistake, bool) {
		entries, wrong := r.entries(o)
		if wrong != nil {
			return wrong, false
		}
		if len(list.Entries)+len(entries) > MaxEntries {
			return &mistake{why: fleet.Because("roster.too_many", "most", MaxEntries)}, true
		}
		if wrong := r.twice(entries, names, endpoints); wrong != nil {
			return wrong, false
		}
		list.Entries = append(list.Entries, entries...)
		return nil, false
	}
	p, err := parse(r, d)
	list.Form, list.Problems = p.form, p.finish()
	if p.hopeless {
		list.Entries = nil
	}
	return list, err
}

// twice finds an entry whose name or endpoint was there before, and remembers those of a row that is accepted.
func (r *row) twice(entries []Entry, names, endpoints map[string]int) *mistake {
	for i, e := range entries {
		if line, ok := endpoints[e.Endpoint]; ok {
			r.forget(entries[:i], names, endpoints)
			return r.cells[colEndpoint].wrong(fleet.Because("roster.twice_endpoint", "endpoint", e.Endpoint, "line", line))
		}
		if line, ok := names[e.Name]; ok {
			r.forget(entries[:i], names, endpoints)
			return r.cells[colName].wrong(fleet.Because("roster.twice_name", "name", show(e.Name), "line", line))
		}
		names[e.Name], endpoints[e.Endpoint] = e.Line, e.Line
	}
	return nil
}

func (r *row) forget(entries []Entry, names, endpoints map[string]int) {
	for _, e := range entries {
		delete(names, e.Name)
		delete(endpoints, e.Endpoint)
	}
}

func workers() dialect {
	return dialect{
		top: "workers", keys: workerKeys(), column: workerColumn, line: lineRow, labelled: true, excerpt: excerpt,
		needs: []column{colEndpoint}, needed: func() fleet.Reason { return fleet.Because("roster.no_endpoint_column") },
	}
}

// parser reads one list.
type parser struct {
	d        dialect
	form     Form
	lines    []string
	problems Problems
	count    int  // of problems, also of those that were not kept
	rows     int  // that were read
	left     int  // see row
	hopeless bool // nothing of the list can be used
}

func parse(r io.Reader, d dialect) (*parser, error) {
	p := &parser{d: d, left: 4 * MaxEntries} // names and addresses, also of rows that are refused
	lines, problems, err := readText(r)
	if err != nil || len(problems) > 0 {
		p.problems, p.count, p.hopeless = problems, len(problems), true
		return p, err
	}
	p.lines = lines
	for n, line := range lines {
		if isComment(line) {
			continue
		}
		p.body(n+1, line)
		break
	}
	if p.rows == 0 && !p.failed() {
		p.problems, p.count, p.hopeless = whole(fleet.Because("roster.empty")), 1, true
	}
	return p, nil
}

// body reads the list from its first line with content on, which shows the form.
func (p *parser) body(first int, line string) {
	if isYAML(line) {
		p.form = FormYAML
		p.yaml()
		return
	}
	if len(line) <= MaxLine {
		if h, all := p.d.header(line); h != nil {
			p.form = FormTable
			p.table(first, h, all)
			return
		}
	}
	p.form = FormLines
	for n := first; n <= len(p.lines); n++ {
		if text := p.lines[n-1]; uncommented(text).text != "" && !p.take(n, text, p.d.line) {
			return
		}
	}
}

// take reads one line and hands over its row; false: enough.
func (p *parser) take(n int, text string, read func(string) (*row, *mistake)) bool {
	if len(text) > MaxLine {
		p.report(n, &mistake{why: fleet.Because("roster.long_line", "most", MaxLine)})
		return true
	}
	r, wrong := read(text)
	if wrong == nil && r == nil {
		return true
	}
	if wrong != nil {
		p.report(n, wrong)
		return true
	}
	return p.accept(n, r)
}

func (p *parser) accept(n int, r *row) bool {
	p.rows++
	r.line, r.left = n, &p.left
	wrong, full := p.d.accept(r)
	if wrong != nil {
		p.report(n, wrong)
	}
	p.hopeless = p.hopeless || full
	return !full
}

// report tells a mistake, on line n where it does not say another; lines that are not there mean the whole list.
func (p *parser) report(n int, m *mistake) {
	if p.count++; p.count > MaxProblems {
		return
	}
	if m.line != 0 {
		n = m.line
	}
	problem := Problem{Reason: m.why}
	if p.d.guard != nil {
		problem.Reason = p.d.guard(m.why)
	}
	if n >= 1 && n <= len(p.lines) {
		problem.Line, problem.Column, problem.Excerpt = n, m.column, p.d.excerpt(p.lines[n-1])
	}
	p.problems = append(p.problems, problem)
}

func (p *parser) failed() bool { return p.count > 0 }

func (p *parser) finish() Problems {
	out := p.problems.sorted()
	if p.count > MaxProblems {
		out = append(out, Problem{Reason: fleet.Because("roster.more", "count", p.count-MaxProblems)})
	}
	return out
}
