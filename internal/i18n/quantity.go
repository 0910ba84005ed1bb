package i18n

import (
	"strconv"
	"strings"
	"time"
)

// TimeLayout is how a moment is shown to people: month, day and the time to the second. The year is never in doubt.
const TimeLayout = "01-02 15:04:05"

// Duration is d for people, in its largest unit and, where it says something, the next smaller one, rounded to the last
// unit shown: "45 秒", "5 分钟", "1 小时 20 分", "2 天 3 小时"; "45 s", "5 min", "1 h 20 min", "2 d 3 h". Below a second it is
// milliseconds.
func Duration(lang Lang, d time.Duration) string {
	if d < 0 {
		return "-" + Duration(lang, -d)
	}
	if d > 0 && d < time.Second {
		return join(lang, d.Milliseconds(), "毫秒", "ms")
	}
	d = d.Round(time.Second)
	if d >= time.Hour {
		d = d.Round(time.Minute)
	}
	if d >= day {
		d = d.Round(time.Hour)
	}
	switch {
	case d < time.Minute:
		return join(lang, int64(d/time.Second), "秒", "s")
	case d < time.Hour:
		return two(lang, int64(d/time.Minute), int64(d%time.Minute/time.Second), minutes, seconds)
	case d < day:
		return two(lang, int64(d/time.Hour), int64(d%time.Hour/time.Minute), hours, minutes)
	default:
		return two(lang, int64(d/day), int64(d%day/time.Hour), days, hours)
	}
}

const day = 24 * time.Hour

// unit has a Chinese name when it stands alone and a shorter one beside another unit.
type unit struct{ alone, beside, en string }

var (
	seconds = unit{"秒", "秒", "s"}
	minutes = unit{"分钟", "分", "min"}
	hours   = unit{"小时", "小时", "h"}
	days    = unit{"天", "天", "d"}
)

func two(lang Lang, big, small int64, b, s unit) string {
	if small == 0 {
		return join(lang, big, b.alone, b.en)
	}
	return join(lang, big, b.beside, b.en) + " " + join(lang, small, s.beside, s.en)
}

func join(lang Lang, n int64, zh, en string) string {
	if lang == ZH {
		return strconv.FormatInt(n, 10) + " " + zh
	}
	return strconv.FormatInt(n, 10) + " " + en
}

// Ago is how long something has been past: "5 分钟前", "5 min ago"; "刚刚", "just now" below a second and for a moment that a
// clock slightly ahead of ours puts into the future.
func Ago(lang Lang, d time.Duration) string {
	switch {
	case d < time.Second && lang == ZH:
		return "刚刚"
	case d < time.Second:
		return "just now"
	case lang == ZH:
		return Duration(lang, d) + "前"
	default:
		return Duration(lang, d) + " ago"
	}
}

// Number is n with its thousands grouped, "12,345,678": both languages write it so.
func Number(_ Lang, n int64) string { return group(strconv.FormatInt(n, 10)) }

// group puts commas into the whole part of a decimal number of any size. Anything else comes back as it is.
func group(s string) string {
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return s
	}
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	for i, d := range []byte(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(d)
	}
	if point {
		b.WriteString("." + frac)
	}
	return b.String()
}
