// Package i18n holds every sentence that a person reads, in Chinese and English, under a stable code.
package i18n

import "strings"

// Lang is a language of the catalogue.
type Lang string

// Languages.
const (
	ZH Lang = "zh"
	EN Lang = "en"
)

// Langs lists the languages of the catalogue, the first one first.
func Langs() []Lang { return []Lang{ZH, EN} }

// ParseLang reads what people write in the configuration and after --lang: exactly "zh" or "en".
func ParseLang(s string) (Lang, bool) {
	l := Lang(s)
	return l, l == ZH || l == EN
}

// DetectLang reads the locale as POSIX orders it: the first of LC_ALL, LC_MESSAGES and LANG that is set decides. Every
// Chinese locale is ZH, everything else EN.
func DetectLang(env func(string) string) Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "zh") {
				return ZH
			}
			return EN
		}
	}
	return EN
}
