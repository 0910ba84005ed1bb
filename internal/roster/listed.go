package roster

import (
	"io"
	"net/netip"
	"slices"
	"strings"

	"phalops/internal/fleet"
)

// ParseListed reads a list that chooses workers, for fleet.Selector.Listed: any list that Parse reads, so that what was
// added with a list can be changed with it, or a name or id a line, with ranges. An entry with an address chooses by it, in
// every way in which bridges write it, and by nothing else; one without chooses by its name. With problems, nothing should
// be chosen. err is only what r itself answered.
func ParseListed(r io.Reader) (listed []string, problems Problems, err error) {
	d := workers()
	d.line, d.needs = listedRow, []column{colEndpoint, colName}
	d.accept = func(r *row) (*mistake, bool) {
		texts, wrong := r.listed()
		if wrong != nil {
			return wrong, false
		}
		if len(listed)+len(texts) > 4*MaxEntries {
			return &mistake{why: fleet.Because("roster.too_many", "most", MaxEntries)}, true
		}
		listed = append(listed, texts...)
		return nil, false
	}
	p, err := parse(r, d)
	if p.hopeless {
		listed = nil
	}
	return listed, p.finish(), err
}

// listedRow reads a line as Parse does where it has an address for sure; everything else is a name.
func listedRow(line string) (*row, *mistake) {
	c := uncommented(line)
	if strings.Contains(c.text, ",") {
		return commaRow(line)
	}
	if r, wrong := colonRow(c); strings.Contains(c.text, ":") || wrong == nil && isAddress(r.cells[colEndpoint].text) {
		return r, wrong
	}
	r := &row{}
	r.cells[colName] = c
	return r, nil
}

// isAddress reports whether s is an address and cannot be a worker's name.
func isAddress(s string) bool {
	first := rangePattern.ReplaceAllString(s, "$1")
	_, err := netip.ParseAddr(strings.Trim(first, "[]"))
	return err == nil
}

// listed are the texts by which a row chooses.
func (r *row) listed() ([]string, *mistake) {
	c := r.cells[colEndpoint]
	if c.text == "" {
		c = r.cells[colName]
	}
	all, wrong := r.expand(c)
	switch {
	case wrong != nil:
		return nil, wrong
	case c.text == "":
		return nil, r.cells[colName].wrong(fleet.Because("roster.nobody"))
	case r.cells[colEndpoint].text == "":
		return all, nil
	}
	var out []string
	for _, one := range all {
		endpoint, why := Endpoint(one)
		if !why.IsZero() {
			return nil, c.wrong(why)
		}
		if out = append(out, spellings(endpoint)...); isAddress(one) && len(r.cells[colPID].text) == 0 {
			out = append(out, one) // a worker is often called by its address
		}
	}
	return out, nil
}

// spellings are the ways in which bridges write an endpoint: v3 adds a slash, and leaves out the port that the scheme has.
func spellings(endpoint string) []string {
	out := []string{endpoint, endpoint + "/"}
	for scheme, port := range map[string]string{"http://": ":80", "https://": ":443"} {
		if short, ok := strings.CutSuffix(endpoint, port); ok && strings.HasPrefix(endpoint, scheme) {
			out = append(out, short, short+"/")
		}
	}
	slices.Sort(out)
	return out
}
