package roster

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// lineRow reads one line that is no row of a table: with commas v3's name, url, stake, pid, else ip, pid:ip, pid:ip:name.
func lineRow(line string) (*row, *mistake) {
	c := uncommented(line)
	if wrong := wideSign(c); wrong != nil {
		return nil, wrong
	}
	if strings.Contains(c.text, ",") {
		return commaRow(line)
	}
	if at := strings.IndexFunc(c.text, unicode.IsSpace); at >= 0 {
		return nil, c.at(at).wrong(fleet.Because("roster.blanks"))
	}
	return colonRow(c)
}

// wideSign finds the signs that a Chinese keyboard types for commas and colons.
func wideSign(c cell) *mistake {
	at := strings.IndexAny(c.text, "：，；、")
	if at < 0 {
		return nil
	}
	sign, _ := utf8.DecodeRuneInString(c.text[at:])
	return c.at(at).wrong(fleet.Because("roster.wide_sign", "sign", string(sign)))
}

func commaRow(line string) (*row, *mistake) {
	all, wrong := cells(line, ',', true)
	switch {
	case wrong != nil:
		return nil, wrong
	case len(all) != 4:
		return nil, &mistake{why: fleet.Because("roster.four_fields", "count", len(all))}
	}
	r := &row{}
	r.cells[colName], r.cells[colEndpoint], r.cells[colStake], r.cells[colPID] = all[0], all[1], all[2], all[3]
	return r, nil
}

// colonRow reads ip, pid:ip and pid:ip:name. The address may have a port where nobody can take it for a name, and may be a
// URL; IPv6 stands in brackets where it could be read in two ways.
func colonRow(c cell) (*row, *mistake) {
	r := &row{}
	if addr, err := netip.ParseAddr(c.text); err == nil && addr.Zone() != "" {
		return nil, c.wrong(fleet.Because("roster.zone", "value", show(c.text)))
	}
	if isIPv6(c.text) {
		if pid, rest, _ := strings.Cut(c.text, ":"); isDigits(pid) && isIPv6(rest) {
			return nil, c.wrong(fleet.Because("roster.ipv6_or_pid", "whole", "["+c.text+"]", "pid", pid+":["+rest+"]"))
		}
		r.cells[colEndpoint] = c
		return r, nil
	}
	all := parts(c)
	if len(all) > 1 && isDigits(all[0].text) {
		r.cells[colPID], all = all[0], all[1:]
	}
	switch {
	case r.cells[colPID].text == "" && isDigits(all[0].text):
		return nil, c.wrong(fleet.Because("roster.only_number", "value", show(c.text)))
	case len(all) > 1 && strings.HasPrefix(all[1].text, "//"):
		return urlRow(r, all)
	case all[0].text == "", slices.ContainsFunc(all[:len(all)-1], cell.empty), len(all) > 4:
		return nil, all[0].wrong(fleet.Because("roster.brackets"))
	case len(all) == 4 || len(all) == 3 && !isDigits(all[1].text):
		return nil, all[1].wrong(fleet.Because("roster.parts"))
	}
	last := all[len(all)-1]
	switch {
	case len(all) == 1:
		r.cells[colEndpoint] = all[0]
	case last.text == "":
		return nil, last.wrong(fleet.Because("roster.empty_part"))
	case len(all) == 3:
		r.cells[colEndpoint], r.cells[colName] = all[0].with(all[1]), last
	case r.cells[colPID].text == "" && isDigits(last.text):
		r.cells[colEndpoint] = all[0].with(last)
	case r.cells[colPID].text == "":
		return nil, last.wrong(fleet.Because("roster.name_without_pid", "value", show(last.text)))
	case isDigits(last.text):
		return nil, last.wrong(fleet.Because("roster.port_or_name", "value", show(last.text),
			"port", show(r.cells[colPID].text+":http://"+all[0].text+":"+last.text), "name", show(r.cells[colPID].text+":"+all[0].text+":"+DefaultPort+":"+last.text)))
	default:
		r.cells[colEndpoint], r.cells[colName] = all[0], last
	}
	return r, nil
}

// urlRow reads scheme, //host, port and name, which were cut at their colons.
func urlRow(r *row, all []cell) (*row, *mistake) {
	url := all[0].with(all[1])
	rest := all[2:]
	if slices.ContainsFunc(all, func(c cell) bool { return strings.Contains(c.text, "@") }) {
		return nil, url.wrong(fleet.Because("roster.url_user"))
	}
	if len(rest) > 0 && isDigits(strings.TrimRight(rest[0].text, "/")) {
		url = url.with(rest[0])
		rest = rest[1:]
	}
	if len(rest) > 1 || strings.Contains(strings.TrimRight(strings.TrimPrefix(all[1].text, "//"), "/"), "/") || len(rest) == 1 && strings.Contains(rest[0].text, "/") {
		return nil, url.wrong(fleet.Because("roster.url_in_line"))
	}
	if r.cells[colEndpoint] = url; len(rest) == 1 {
		if r.cells[colName] = rest[0]; r.cells[colName].text == "" {
			return nil, r.cells[colName].wrong(fleet.Because("roster.empty_part"))
		}
	}
	return r, nil
}

// with is two cells that a colon cut in two.
func (c cell) with(next cell) cell {
	c.text += ":" + next.text
	return c
}

func (c cell) empty() bool { return c.text == "" }
