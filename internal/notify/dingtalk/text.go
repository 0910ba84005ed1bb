package dingtalk

import (
	"bytes"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"phalops/internal/fleet"
	"phalops/internal/notify"
)

// Bounds of a message, in bytes.
const (
	maxBody  = 20000 // DingTalk's, for the whole JSON
	maxLine  = 2000  // of one line, so that one long error text does not push out everything else
	maxTitle = 300   // of the title, which the phone shows as one line
)

type message struct {
	Type     string `json:"msgtype"`
	Markdown struct {
		Title string `json:"title"`
		Text  string `json:"text"`
	} `json:"markdown"`
	At struct {
		Mobiles []string `json:"atMobiles"`
		All     bool     `json:"isAtAll"`
	} `json:"at"`
}

// body is the alert as JSON of at most maxBody bytes. The title, the note on what is missing and the mentions always stay.
func (s *Sender) body(a notify.Alert) ([]byte, error) {
	lines := layout(a)
	mobiles := s.mentions(a)
	encode := func(kept int) ([]byte, error) {
		var m message
		m.Type = "markdown"
		m.Markdown.Title = clip(oneLine(a.Title), maxTitle)
		m.Markdown.Text = s.text(lines, kept, mobiles)
		m.At.Mobiles = mobiles
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		err := enc.Encode(m)
		return bytes.TrimRight(b.Bytes(), "\n"), err
	}
	whole, err := encode(len(lines))
	if err != nil || len(whole) <= maxBody {
		return whole, err
	}
	left := 1 + sort.Search(len(lines)-1, func(n int) bool {
		b, err := encode(len(lines) - 1 - n)
		return err == nil && len(b) <= maxBody
	})
	return encode(len(lines) - left)
}

// layout is the alert's markdown, line by line.
func layout(a notify.Alert) []string {
	out := []string{"#### " + line(a.Title)}
	for _, it := range a.Items {
		if len(a.Items) > 1 {
			out = append(out, "", "**"+line(it.Title)+"**", "")
		} else {
			out = append(out, "")
		}
		for _, l := range it.Lines {
			out = append(out, "- "+line(l))
		}
	}
	return out
}

func (s *Sender) text(lines []string, kept int, mobiles []string) string {
	out := slices.Clone(lines[:kept])
	if left := len(lines) - kept; left > 0 {
		note := fleet.Because("notify.dingtalk.cut", "count", left)
		out = append(out, "", line(s.o.Catalog.Text(s.o.Lang, note.Code, note.Args)))
	}
	if len(mobiles) > 0 {
		out = append(out, "", "@"+strings.Join(mobiles, " @"))
	}
	return strings.Join(out, "\n")
}

// mentions are whom the alert wakes.
func (s *Sender) mentions(a notify.Alert) []string {
	m := slices.Clone(a.Mention)
	if a.Severity == string(fleet.Critical) && !a.Resolved {
		m = append(m, s.o.At...)
	}
	slices.Sort(m)
	return slices.Compact(m)
}

// markdown's own signs, and "<", which would begin a tag, stand for themselves in names and foreign texts.
var escape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "<", `\<`)

func line(s string) string { return escape.Replace(clip(oneLine(s), maxLine)) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// clip shortens s to at most n bytes between two characters and shows that it did.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	end := n - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
