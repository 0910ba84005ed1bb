package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"phalops/internal/fleet"
)

// maxHosts bounds the machines of a file: a typing error in a range must not stand for millions.
const maxHosts = 10_000

var rangePattern = regexp.MustCompile(`\[([0-9]{1,9})-([0-9]{1,9})\]`)

// expand turns "w-[001-100]" into w-001 … w-100; leading zeros are kept, so both ends must then be equally long. Text
// without a range stands for itself. It fails for a range that goes backwards, for more than one, and beyond maxHosts.
func expand(s string) ([]string, bool) {
	found := rangePattern.FindAllStringSubmatchIndex(s, 2)
	if len(found) == 0 {
		return []string{s}, true
	}
	at := found[0]
	low, high := s[at[2]:at[3]], s[at[4]:at[5]]
	from, _ := strconv.Atoi(low) // nine digits at most
	to, _ := strconv.Atoi(high)
	width := 0
	if low[0] == '0' && len(low) > 1 || high[0] == '0' && len(high) > 1 {
		width = len(low)
	}
	if len(found) > 1 || from > to || to-from >= maxHosts || width > 0 && len(low) != len(high) {
		return nil, false
	}
	out := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf("%s%0*d%s", s[:at[0]], width, i, s[at[1]:]))
	}
	return out, true
}

// inStep reads one text for all hosts of a range: with a range of the same length, each gets its own.
func inStep(into []string, parse parser[string]) func(value) {
	return func(v value) {
		s, ok := v.text()
		if !ok {
			return
		}
		all, ok := expand(s)
		switch {
		case !ok:
			v.problem(fleet.Because("config.bad_range", "value", showText(s), "limit", maxHosts))
			return
		case len(all) != len(into):
			v.problem(fleet.Because("config.range_length", "hosts", len(into), "values", len(all)))
			return
		}
		for i, one := range all {
			got, why := parse(one)
			if !why.IsZero() {
				v.problem(why)
				return
			}
			into[i] = got
		}
	}
}

// folder accepts an absolute path: the daemon's working directory is not the operator's.
func folder(s string) (string, fleet.Reason) {
	if !filepath.IsAbs(s) {
		return "", fleet.Because("config.relative_path", "value", showText(s))
	}
	return filepath.Clean(s), fleet.Reason{}
}
