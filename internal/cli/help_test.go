package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// TestHelp holds the help of the whole command tree in both languages against golden files.
func TestHelp(t *testing.T) {
	for _, lang := range i18n.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			var all strings.Builder
			for _, cmd := range commands(t, lang) {
				args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
				r := shell{lang: lang}.run(t, args...)
				if r.code != exitDone || r.err != "" {
					t.Errorf("%v: exit %d, %s", args, r.code, r.err)
				}
				fmt.Fprintf(&all, "$ %s --help\n%s\n", cmd.CommandPath(), r.out)
			}
			golden(t, lang, "help", all.String())
		})
	}
}

// TestEveryCommandExplainsItself wants a sentence and an example of its own from every command that does something.
func TestEveryCommandExplainsItself(t *testing.T) {
	for _, lang := range i18n.Langs() {
		for _, cmd := range commands(t, lang) {
			switch {
			case cmd.Short == "":
				t.Errorf("%s: %s has no line in its parent's help", lang, cmd.CommandPath())
			case cmd.HasAvailableSubCommands():
			case !strings.Contains(cmd.Long, "\n  "+cmd.CommandPath()):
				t.Errorf("%s: the help of %s shows no example of it", lang, cmd.CommandPath())
			}
		}
	}
}

// TestExamplesAreRight parses every command line that a help text or a message shows.
func TestExamplesAreRight(t *testing.T) {
	catalog := loaded(t)
	for _, lang := range i18n.Langs() {
		seen := 0
		for _, cmd := range commands(t, lang) {
			for _, line := range commandLines(cmd.Long) {
				seen++
				if err := parses(catalog, line); err != nil {
					t.Errorf("%s: help of %s: %s: %v", lang, cmd.CommandPath(), line, err)
				}
			}
		}
		if seen < 30 {
			t.Errorf("%s: only %d examples were found", lang, seen)
		}
	}
}

var (
	placeholder = regexp.MustCompile(`\{([a-z_0-9]+)(\|[^}]*)?\}`)
	toldCommand = regexp.MustCompile(`phalops((?: +[!-~]+)+)`)
)

// toldCommands are the command lines within a sentence: in Chinese whatever is not Chinese after the program's name.
func toldCommands(sentence string) (out []string) {
	for _, m := range toldCommand.FindAllStringSubmatch(placeholder.ReplaceAllString(sentence, "$1"), -1) {
		line := strings.TrimSpace(m[1])
		for _, end := range []string{";", ",", ")", "(", ". ", "`"} {
			line, _, _ = strings.Cut(line, end)
		}
		if words := strings.Fields(strings.TrimRight(line, ".:")); len(words) > 0 && words[0][0] >= 'a' && words[0][0] <= 'z' {
			out = append(out, strings.Join(words, " "))
		}
	}
	return out
}

// TestToldCommandsExist holds what sentences tell people to run against the program: every command of a Chinese sentence exists,
// with its flags (what they are given to may be left to the reader), and the English sentence names it as well.
func TestToldCommandsExist(t *testing.T) {
	catalog := loaded(t)
	seen := 0
	for code, text := range sentences(t) {
		zh, en := text["zh"], text["en"]
		if strings.Contains(zh, "\n  phalops ") {
			continue // TestExamplesAreRight looks at these
		}
		for _, line := range toldCommands(zh) {
			seen++
			if err := parses(catalog, line); err != nil && fleet.ReasonOf(err).Code != "cli.missing_argument" && !strings.Contains(err.Error(), "needs an argument") {
				t.Errorf("%s: phalops %s: %v", code, line, err)
			}
			if !strings.Contains(placeholder.ReplaceAllString(en, "$1"), "phalops "+strings.Fields(line)[0]) {
				t.Errorf("%s: phalops %s is told in Chinese only", code, line)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d commands were found", seen)
	}
}

// sentences are the whole catalogue, as it is written.
func sentences(t *testing.T) map[string]map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "internal/i18n/catalog/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no catalogue", err)
	}
	all := map[string]map[string]string{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &all); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return all
}

// english is what cobra and pflag say by themselves.
var english = regexp.MustCompile(`(?i)\b(usage|flags|available|unknown|invalid|argument|default|accepts|required|examples?|additional|strings|duration|uints)\b`)

func TestNoEnglishInChinese(t *testing.T) {
	t.Parallel()
	zh := shell{lang: i18n.ZH}
	wrong := [][]string{
		{"nod"}, {"worker", "lst"}, {"worker", "xyz"}, {"plan", "show"}, {"plan", "show", "a", "b"}, {"worker", "why", "w-07"}, {"status", "--nope"},
		{"status", "-Z"}, {"worker", "list", "--condition"}, {"worker", "list", "--pool", "a"}, {"audit", "list", "--since", "soon"},
		{"demo", "--speed", "x"}, {"demo", "--workers", "1.5"}, {"status", "--yes=perhaps"}, {"help", "nod"}, {"completion"}, {"status", "-o", "xml"},
		{"status", "--lang", "fr"}, {"worker", "list", "--name", "["}, {"worker", "list", "--message", "("}, {"worker", "list", "--label", "x"},
		{"worker", "restart"}, {"node", "list", "--name", "["}, {"bridge", "restart", "--bridge", "["}, {"node", "restart"}, {"worker", "list", "--condition", "Sad"}, {"run", "--dry-run"}, {"status", "-c", "/nonexistent/phalops.yaml"},
		{"demo", "--speed", "0"}, {"demo", "--workers", "0"}, {"worker", "list", "--unresponsive-for", "5"},
	}
	for _, args := range wrong {
		r := zh.run(t, args...)
		if r.code != exitUsage {
			t.Errorf("%v: exit %d, want %d", args, r.code, exitUsage)
		}
		if r.out != "" || !strings.HasPrefix(r.err, "错误：") {
			t.Errorf("%v: stdout %q, stderr %q", args, r.out, r.err)
		}
		if w := english.FindString(strings.NewReplacer("--help", "", "phalops.yaml", "", "Unknown,", "").Replace(r.err)); w != "" {
			t.Errorf("%v says %q in Chinese: %s", args, w, r.err)
		}
	}
	for _, cmd := range commands(t, i18n.ZH) {
		r := zh.run(t, append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		if w := english.FindString(r.out); w != "" {
			t.Errorf("the Chinese help of %s says %q", cmd.CommandPath(), w)
		}
	}
}

func loaded(t *testing.T) *i18n.Catalog {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

// commands is the whole tree, parents first.
func commands(t *testing.T, lang i18n.Lang) []*cobra.Command {
	t.Helper()
	a := &app{Env: Env{Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer)}, catalog: loaded(t), lang: lang}
	var out []*cobra.Command
	a.eachCommand(a.root(), func(cmd *cobra.Command) {
		if !cmd.Hidden {
			out = append(out, cmd)
		}
	})
	return out
}

// commandLines are the indented lines of a text that begin with phalops, without what a shell does with them.
func commandLines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		indented := strings.HasPrefix(line, "  ")
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "phalops ")
		if !ok || !indented {
			continue
		}
		line, _, _ = strings.Cut(line, "  ")
		for _, sep := range []string{" >", " |", " &", " #"} {
			line, _, _ = strings.Cut(line, sep)
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

// parses reports whether a command line names a command that exists, with flags that it has and values that they take.
func parses(catalog *i18n.Catalog, line string) error {
	a := &app{Env: Env{Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer)}, catalog: catalog, lang: i18n.EN}
	root := a.root()
	cmd, args, err := root.Find(strings.Fields(strings.NewReplacer("'", "", `"`, "").Replace(line)))
	if err != nil {
		return err
	}
	if cmd == root || cmd.HasAvailableSubCommands() && len(args) > 0 {
		return fmt.Errorf("there is no such command")
	}
	if err := cmd.ParseFlags(args); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}
