package roster

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

// FromWorker is the entry that adds a worker again as it is. A stake that is no number and pool 0, which is what bridges
// make of a mistake, are left out.
func FromWorker(w fleet.WorkerStatus) Entry {
	e := Entry{Name: w.Name, Endpoint: Key(w.Endpoint), Enabled: &w.Enabled, SyncOnly: &w.SyncOnly, Bridge: w.Ref.Parent().Name(), PublicKey: w.PublicKey}
	if w.PID > 0 {
		e.PID = &w.PID
	}
	if w.StakeOK {
		e.Stake = &w.Stake
	}
	return e
}

// Write writes entries so that Parse reads the same: FormTable as CSV, FormYAML as a YAML list. Line and PublicKey are not
// written, nor are labels without a value. Its error is w's own, or that form is neither.
func Write(w io.Writer, form Form, entries []Entry) error {
	out := bufio.NewWriter(w)
	var err error
	switch form {
	case FormTable:
		writeTable(out, entries)
	case FormYAML:
		err = writeYAML(out, entries)
	default:
		err = fmt.Errorf("no list is written as %q", form)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	return nil
}

// fields are the texts of an entry by their names, without its labels; "" is not said.
func (e *Entry) fields() []string {
	return []string{e.Name, e.Endpoint, textOf(e.PID, func(n uint64) string { return strconv.FormatUint(n, 10) }), textOf(e.Stake, stakeText),
		textOf(e.Enabled, strconv.FormatBool), textOf(e.SyncOnly, strconv.FormatBool), e.Bridge}
}

func fieldNames() []string {
	return []string{"name", "endpoint", "pid", "stake", "enabled", "sync_only", "bridge"}
}

func textOf[T any](v *T, text func(T) string) string {
	if v == nil {
		return ""
	}
	return text(*v)
}

// stakeText names the unit where the number alone would be read as the smallest one.
func stakeText(a fleet.Amount) string {
	if a.Cmp(fleet.PHA(mostPHA)) > 0 {
		return a.PHA() + " PHA"
	}
	return a.PHA()
}

func writeTable(out *bufio.Writer, entries []Entry) {
	keys := map[string]bool{}
	for _, e := range entries {
		for k := range e.Labels {
			keys[k] = true
		}
	}
	labels := slices.Sorted(maps.Keys(keys))
	line := fieldNames()
	for _, k := range labels {
		line = append(line, labelPrefixes()[0]+k)
	}
	writeLine(out, line)
	for _, e := range entries {
		line = e.fields()
		for _, k := range labels {
			line = append(line, e.Labels[k])
		}
		writeLine(out, line)
	}
}

// writeLine writes one line of a table; a broken out tells so when it is flushed.
func writeLine(out *bufio.Writer, texts []string) {
	for i, s := range texts {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		if strings.ContainsAny(s, ",\"\r\n") || s != strings.TrimSpace(s) || strings.HasPrefix(s, "#") {
			s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
		_, _ = out.WriteString(s)
	}
	_ = out.WriteByte('\n')
}

func writeYAML(out io.Writer, entries []Entry) error {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, e := range entries {
		item := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for i, s := range e.fields() {
			if s != "" {
				item.Content = append(item.Content, plain(fieldNames()[i]), valueNode(i, s))
			}
		}
		labels := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle}
		for _, k := range slices.Sorted(maps.Keys(e.Labels)) {
			if e.Labels[k] != "" {
				labels.Content = append(labels.Content, text(k), text(e.Labels[k]))
			}
		}
		if len(labels.Content) > 0 {
			item.Content = append(item.Content, plain("labels"), labels)
		}
		list.Content = append(list.Content, item)
	}
	if len(entries) == 0 {
		list.Style = yaml.FlowStyle
	}
	d, err := yaml.NewDumper(out, yaml.WithIndent(2), yaml.WithLineWidth(-1), yaml.WithUnicode(true))
	if err != nil {
		return err
	}
	if err := d.Dump(list); err != nil {
		return err
	}
	return d.Close()
}

// valueNode is a field's value: numbers and switches stand plain, everything else is quoted where it must be.
func valueNode(field int, s string) *yaml.Node {
	if field >= 2 && field <= 5 {
		return plain(s)
	}
	return text(s)
}

func plain(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
