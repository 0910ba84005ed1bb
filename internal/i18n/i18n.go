// Package i18n holds every sentence that a person reads, in Chinese and English, under a stable code.
package i18n

// Lang is a language of the catalogue.
type Lang string

// Languages.
const (
	ZH Lang = "zh"
	EN Lang = "en"
)
