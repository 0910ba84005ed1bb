package config

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
	"phalops/internal/secret"
)

// text is what stands at v. Numbers count as text, as they are written; booleans must be quoted to be text.
func (v value) text() (string, bool) {
	switch {
	case v.n.Kind != yaml.ScalarNode:
		v.problem(fleet.Because("config.want_value"))
	case v.isNull():
		v.problem(fleet.Because("config.no_value"))
	case v.n.Tag == "!!bool", v.n.Tag == "!!binary":
		v.problem(fleet.Because("config.want_text"))
	default:
		if showText(v.n.Value) == v.n.Value {
			v.show()
		}
		return v.n.Value, true
	}
	return "", false
}

// parser turns the text of a scalar into a T, or tells why it cannot.
type parser[T any] func(string) (T, fleet.Reason)

// read is the scalar at v; not ok after a problem.
func read[T any](v value, parse parser[T]) (got T, ok bool) {
	s, ok := v.text()
	if !ok {
		return got, false
	}
	got, why := parse(s)
	if !why.IsZero() {
		v.problem(why)
		return got, false
	}
	return got, true
}

// scalar reads one value into its place, which keeps its default after a problem.
func scalar[T any](into *T, parse parser[T]) func(value) {
	return func(v value) {
		if got, ok := read(v, parse); ok {
			*into = got
		}
	}
}

// list reads a list of values; each, when given, is told of every good one.
func list[T any](into *[]T, parse parser[T], each ...func(T, value)) func(value) {
	return func(v value) {
		*into = nil
		v.items(func(_ int, item value) {
			one, ok := read(item, parse)
			if !ok {
				return
			}
			*into = append(*into, one)
			for _, tell := range each {
				tell(one, item)
			}
		})
	}
}

// oneOf accepts the allowed words; known are words of the full product that this version does not support yet.
func oneOf(allowed []string, known ...string) parser[string] {
	return func(s string) (string, fleet.Reason) {
		switch {
		case slices.Contains(allowed, s):
			return s, fleet.Reason{}
		case slices.Contains(known, s):
			return "", fleet.Because("config.unsupported_value", "value", s, "allowed", strings.Join(allowed, ", "))
		}
		return "", fleet.Because("config.not_one_of", "value", showText(s), "allowed", strings.Join(allowed, ", "))
	}
}

// nameText accepts what can name a thing of the fleet: letters of any script, digits, dot, dash and underscore.
func nameText(s string) (string, fleet.Reason) {
	if s == "" {
		return "", fleet.Because("config.no_value")
	}
	if !namePattern.MatchString(s) {
		return "", fleet.Because("config.bad_name", "value", showText(s))
	}
	return s, fleet.Reason{}
}

var namePattern = regexp.MustCompile(`^[\pL\p{Nd}][\pL\pM\p{Nd}._-]{0,63}$`)

// dockerText accepts the name of a container or of a compose project.
func dockerText(s string) (string, fleet.Reason) {
	if !dockerPattern.MatchString(s) {
		return "", fleet.Because("config.bad_container", "value", showText(s))
	}
	return s, fleet.Reason{}
}

var dockerPattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)

// labelText accepts any short printable text.
func labelText(s string) (string, fleet.Reason) {
	if utf8.RuneCountInString(s) > 120 || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return "", fleet.Because("config.bad_label")
	}
	return s, fleet.Reason{}
}

func integer(least, most int) parser[int] {
	return func(s string) (int, fleet.Reason) {
		n, err := strconv.Atoi(s)
		switch {
		case errors.Is(err, strconv.ErrSyntax):
			return 0, fleet.Because("config.bad_number", "value", showText(s))
		case err != nil || n < least || n > most:
			return 0, fleet.Because("config.number_range", "value", showText(s), "min", least, "max", most)
		}
		return n, fleet.Reason{}
	}
}

// share accepts "10%" or 0.1: more than nothing, at most everything.
func share(s string) (float64, fleet.Reason) {
	number, percent := strings.CutSuffix(s, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x > 0 && x <= 1) {
		return 0, fleet.Because("config.bad_share", "value", showText(s))
	}
	return x, fleet.Reason{}
}

func speed(s string) (float64, fleet.Reason) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x > 0 && x <= 100_000) {
		return 0, fleet.Because("config.bad_speed", "value", showText(s))
	}
	return x, fleet.Reason{}
}

func moment(s string) (time.Time, fleet.Reason) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fleet.Because("config.bad_time", "value", showText(s))
	}
	return t.UTC(), fleet.Reason{}
}

const day = 24 * time.Hour

// duration accepts Go's syntax and days: "90s", "1h30m", "14d", "1d12h"; "0" needs no unit.
func duration(least, most time.Duration) parser[time.Duration] {
	return func(s string) (time.Duration, fleet.Reason) {
		d, ok := parseDuration(s)
		switch {
		case !ok && unitless.MatchString(s):
			return 0, fleet.Because("config.no_unit", "value", showText(s))
		case !ok:
			return 0, fleet.Because("config.bad_duration", "value", showText(s))
		case d < least || d > most:
			return 0, fleet.Because("config.duration_range", "value", showText(s), "min", least, "max", most)
		}
		return d, fleet.Reason{}
	}
}

var (
	unitless = regexp.MustCompile(`^[0-9.]+$`)
	withDays = regexp.MustCompile(`^([0-9]{1,5})d(.*)$`)
)

func parseDuration(s string) (time.Duration, bool) {
	var days time.Duration
	if m := withDays.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		days = time.Duration(n) * day
		if s = m[2]; s == "" {
			return days, true
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > math.MaxInt64-days {
		return 0, false
	}
	return days + d, true
}

// formatDuration is the short form of d that parseDuration reads: "5m", "6h", "1h30m", "14d".
func formatDuration(d time.Duration) string {
	if d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// orOff accepts 0 besides what parse does.
func orOff(parse parser[time.Duration]) parser[time.Duration] {
	return func(s string) (time.Duration, fleet.Reason) {
		if d, ok := parseDuration(s); ok && d == 0 {
			return 0, fleet.Reason{}
		}
		return parse(s)
	}
}

// flag reads yes or no.
func flag(into *bool) func(value) {
	return func(v value) {
		if v.n.Kind != yaml.ScalarNode || v.n.Tag != "!!bool" || v.n.Decode(into) != nil {
			v.problem(fleet.Because("config.want_bool"))
			return
		}
		v.show()
	}
}

// secretRef reads a reference to a secret. Whatever is none is neither repeated nor quoted: it may be the secret.
func secretRef(into *secret.Ref) func(value) {
	return func(v value) {
		if v.n.Kind != yaml.ScalarNode {
			v.problem(fleet.Because("config.want_value"))
			return
		}
		if v.isNull() {
			v.problem(fleet.Because("config.no_value"))
			return
		}
		ref := secret.Ref(v.n.Value)
		if err := ref.Check(); err != nil {
			v.problem(fleet.ReasonOf(err))
			return
		}
		if ref.IsZero() {
			v.problem(fleet.Because("config.no_value"))
			return
		}
		v.show()
		*into = ref
	}
}
