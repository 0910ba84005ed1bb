package roster

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// Stake reads an amount in PHA: "10", "10.5", "10.5 PHA", with at most 12 decimal places, exactly. A whole number from
// 10¹² on is in the chain's smallest unit, as lists for v3's own script write it: nobody stakes a thousand times all PHA
// there is. What is neither (more than 10⁹ PHA) is refused.
func Stake(s string) (fleet.Amount, fleet.Reason) {
	number, unit := s, false
	if at := len(s) - len("pha"); at > 0 && strings.EqualFold(s[at:], "pha") {
		number, unit = strings.TrimRight(s[:at], " \t"), true
	}
	whole, frac, point := strings.Cut(number, ".")
	switch {
	case !isDigits(whole) || point && !isDigits(frac):
		return fleet.Amount{}, fleet.Because("roster.bad_stake", "value", show(s))
	case len(frac) > fleet.PHADecimals:
		return fleet.Amount{}, fleet.Because("roster.stake_decimals", "value", show(s), "most", fleet.PHADecimals)
	}
	if small, err := fleet.ParseAmount(number); err == nil && !unit && !point && small.Cmp(fleet.NewAmount(1e12)) >= 0 {
		if small.Cmp(fleet.PHA(mostPHA)) > 0 {
			return fleet.Amount{}, fleet.Because("roster.stake_range", "value", show(s))
		}
		return small, fleet.Reason{}
	}
	a, err := fleet.ParsePHA(number)
	if err != nil || a.Cmp(fleet.PHA(mostPHA)) > 0 {
		return fleet.Amount{}, fleet.Because("roster.stake_range", "value", show(s))
	}
	return a, fleet.Reason{}
}

// smallest reads an amount in the chain's smallest unit, as `worker list -o json` has it.
func smallest(s string) (fleet.Amount, fleet.Reason) {
	a, err := fleet.ParseAmount(s)
	if err != nil {
		return a, fleet.Because("roster.bad_stake", "value", show(s))
	}
	return a, fleet.Reason{}
}

// mostPHA is all PHA there is.
const mostPHA = 1_000_000_000

// PID reads the number of a pool, 1 … MaxPID. Bridges store what is no number as pool 0.
func PID(s string) (uint64, fleet.Reason) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 || n > MaxPID || s[0] == '+' {
		return 0, fleet.Because("roster.bad_pid", "value", show(s))
	}
	return n, fleet.Reason{}
}

// Name accepts any printable text that bridges can keep and people can type: up to 128 characters, not blank at an end.
func Name(s string) (string, fleet.Reason) {
	if phrase.MatchString(s) {
		return "", fleet.Because("roster.phrase")
	}
	if s == "" || s != strings.TrimSpace(s) || utf8.RuneCountInString(s) > 128 || !printable(s) {
		return "", fleet.Because("roster.bad_name", "value", show(s))
	}
	return s, fleet.Reason{}
}

// Switch reads yes or no in the words that people use for it.
func Switch(s string) (bool, fleet.Reason) {
	switch strings.ToLower(s) {
	case "true", "yes", "y", "on", "1", "是":
		return true, fleet.Reason{}
	case "false", "no", "n", "off", "0", "否":
		return false, fleet.Reason{}
	}
	return false, fleet.Because("roster.bad_switch", "value", show(s))
}

// LabelKey accepts what can name a label.
func LabelKey(s string) (string, fleet.Reason) {
	if !labelKey.MatchString(s) {
		return "", fleet.Because("roster.bad_label", "value", show(s))
	}
	return s, fleet.Reason{}
}

var labelKey = regexp.MustCompile(`^[\pL\p{Nd}][\pL\pM\p{Nd}._ -]{0,62}[\pL\pM\p{Nd}]$|^[\pL\p{Nd}]$`)

// LabelValue accepts any short printable text.
func LabelValue(s string) (string, fleet.Reason) {
	if phrase.MatchString(s) {
		return "", fleet.Because("roster.phrase")
	}
	if s != strings.TrimSpace(s) || utf8.RuneCountInString(s) > 120 || !printable(s) {
		return "", fleet.Because("roster.bad_label_value")
	}
	return s, fleet.Reason{}
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
}
