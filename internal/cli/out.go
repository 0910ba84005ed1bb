package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/lmittmann/tint"
	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// colour is a terminal colour; no information is carried by colour alone.
type colour text.Color

const (
	red    = colour(text.FgRed)
	green  = colour(text.FgGreen)
	yellow = colour(text.FgYellow)
	faint  = colour(text.Faint)
	bold   = colour(text.Bold)
)

// coloured reports whether stdout wants colours (https://no-color.org).
func (a *app) coloured() bool {
	return a.TTY && !a.flags.noColor && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}

func (a *app) paint(c colour, s string) string {
	if !a.coloured() || s == "" {
		return s
	}
	return text.Color(c).EscapeSeq() + s + text.Reset.EscapeSeq()
}

func (a *app) logger(level slog.Level) *slog.Logger {
	if a.TTY {
		return slog.New(tint.NewTextHandler(a.Stderr, &tint.Options{Level: level, TimeFormat: "15:04:05", NoColor: !a.coloured()}))
	}
	return slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: level}))
}

// grid is a table for people: a head of catalogue codes and rows of cells.
type grid struct {
	head  []string // codes of the catalogue
	rows  [][]string
	spare []string // columns that a narrow terminal goes without, the first one first
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// print answers: data for programs (-o json, yaml), the grid for people (table) and spreadsheets (csv).
func (a *app) print(data any, g grid) error {
	switch a.flags.output {
	case "json":
		enc := json.NewEncoder(a.Stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(data)
	case "yaml":
		return a.printYAML(data)
	case "csv":
		if len(g.head) == 0 {
			return usage("cli.no_csv")
		}
		return a.printCSV(g)
	default:
		a.printTable(g)
		return nil
	}
}

// printYAML goes through JSON, so that both have the same fields.
func (a *app) printYAML(data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var plain any
	if err := yaml.Unmarshal(b, &plain); err != nil {
		return err
	}
	out, err := yaml.Marshal(plain)
	if err != nil {
		return err
	}
	_, err = a.Stdout.Write(out)
	return err
}

// printCSV writes the head's codes without their prefix as column names: the same in every language.
func (a *app) printCSV(g grid) error {
	w := csv.NewWriter(a.Stdout)
	var head []string
	for _, h := range g.head {
		head = append(head, strings.TrimPrefix(h, "col."))
	}
	if err := w.Write(head); err != nil {
		return err
	}
	for _, row := range g.rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = text.StripEscape(c)
		}
		if err := w.Write(cells); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (a *app) printTable(g grid) {
	if len(g.rows) == 0 {
		fmt.Fprintln(a.Stderr, a.say("cli.nothing"))
		return
	}
	g = a.fit(g)
	t := table.NewWriter()
	t.SetStyle(table.StyleDefault)
	style := t.Style()
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	head := table.Row{}
	for _, h := range g.head {
		head = append(head, a.paint(bold, a.say(h)))
	}
	t.AppendHeader(head)
	for _, row := range g.rows {
		cells := make(table.Row, len(row))
		for i, c := range row {
			cells[i] = c
		}
		t.AppendRow(cells)
	}
	if a.Width > 0 {
		last := len(g.head)
		t.SetColumnConfigs([]table.ColumnConfig{{Number: last, WidthMax: max(minLast, a.Width-a.widthBefore(g)), WidthMaxEnforcer: wrapped}})
	}
	for line := range strings.Lines(t.Render() + "\n") {
		fmt.Fprintln(a.Stdout, strings.TrimRight(line, " \n"))
	}
}

// wrapped breaks a text to a width. The library lets a Chinese letter stick out by half where the width is odd.
func wrapped(value string, width int) string {
	out := text.WrapSoft(value, width)
	for line := range strings.Lines(out) {
		if text.StringWidthWithoutEscSequences(strings.TrimRight(line, " \n")) > width {
			return text.WrapSoft(value, width-1)
		}
	}
	return out
}

// minLast is the room that the last column needs: it alone is wrapped to the terminal.
const minLast = 24

// fit leaves out columns that a narrow terminal has no room for, and says so.
func (a *app) fit(g grid) grid {
	if a.Width == 0 {
		return g
	}
	var left []string
	for _, code := range g.spare {
		if a.widthBefore(g)+min(minLast, a.width(g, len(g.head)-1)) <= a.Width {
			break
		}
		if at := slices.Index(g.head, code); at >= 0 {
			left = append(left, a.say(code))
			g = g.without(at)
		}
	}
	if len(left) > 0 {
		fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.left_out", "columns", strings.Join(left, ", "))))
	}
	return g
}

// without is the grid less one column.
func (g grid) without(at int) grid {
	out := grid{head: slices.Delete(slices.Clone(g.head), at, at+1), spare: g.spare}
	for _, row := range g.rows {
		out.rows = append(out.rows, slices.Delete(slices.Clone(row), at, at+1))
	}
	return out
}

// widthBefore is the width of all columns but the last.
func (a *app) widthBefore(g grid) int {
	total := 0
	for col := range len(g.head) - 1 {
		total += a.width(g, col) + 2
	}
	return total
}

func (a *app) width(g grid, col int) int {
	wide := text.StringWidth(a.say(g.head[col]))
	for _, row := range g.rows {
		wide = max(wide, text.StringWidthWithoutEscSequences(row[col]))
	}
	return wide
}

// csv reports whether the cells are for programs: then they hold the fleet's own words, RFC 3339 and seconds.
func (a *app) csv() bool { return a.flags.output == "csv" }

// word is a state or condition: prefix and value are its code.
func (a *app) word(prefix, value string) string {
	if a.csv() {
		return value
	}
	return a.text(fleet.Reason{Code: prefix + value})
}

// took shows a duration.
func (a *app) took(d time.Duration) string {
	if a.csv() {
		return strconv.FormatInt(int64(d.Round(time.Second)/time.Second), 10)
	}
	return i18n.Duration(a.lang, d)
}

// when shows a moment in the reader's zone, "" for never.
func (a *app) when(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case a.csv():
		return t.UTC().Format(time.RFC3339)
	}
	return t.In(a.zone()).Format(i18n.TimeLayout)
}

func (a *app) zone() *time.Location {
	if a.Zone == nil {
		return time.Local
	}
	return a.Zone
}

// lasting shows how long something has lasted, "" for never, "–" where nobody looked before.
func (a *app) lasting(t, now time.Time) string {
	switch {
	case t.IsZero(), a.csv() && a.onlyNow(t):
		return ""
	case a.onlyNow(t):
		return "–"
	}
	return a.took(now.Sub(t))
}

// ago shows how long ago something happened, "" for never, "–" where nobody looked before.
func (a *app) ago(t, now time.Time) string {
	if t.IsZero() || a.onlyNow(t) || a.csv() {
		return a.lasting(t, now)
	}
	return i18n.Ago(a.lang, now.Sub(t))
}

// onlyNow reports whether a moment is only when this command looked first.
func (a *app) onlyNow(t time.Time) bool { return !a.firstLook.IsZero() && !t.Before(a.firstLook) }

// number shows a known number, "–" for an unknown one.
func number(v int64, known bool) string {
	if !known {
		return "–"
	}
	return fmt.Sprint(v)
}

// firstLine cuts foreign text (a worker's message may hold a stack) to one line of at most n characters.
func firstLine(s string, n int) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return text.Snip(s, n, "…")
}
