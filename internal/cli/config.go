package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"phalops/internal/config"
	"phalops/internal/i18n"
)

func langNamed(name string, otherwise i18n.Lang) i18n.Lang {
	if lang, ok := i18n.ParseLang(name); ok {
		return lang
	}
	return otherwise
}

func (a *app) configCmd() *cobra.Command {
	var out string
	initCmd := &cobra.Command{
		Use: "init", Short: a.say("cli.config_init"), Long: a.say("cli.config_init_long"), Args: a.args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			starter := config.Starter(string(a.lang))
			if out == "" || a.flags.dryRun {
				_, err := a.Stdout.Write(starter)
				return err
			}
			if err := config.WriteNew(out, starter); err != nil {
				return err
			}
			fmt.Fprintln(a.Stderr, a.say("cli.config_written", "file", out))
			return nil
		},
	}
	initCmd.Flags().StringVar(&out, "out", "", a.say("cli.flag_out"))
	check := &cobra.Command{
		Use: "check", Short: a.say("cli.config_check"), Long: a.say("cli.config_check_long"), Args: a.args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.checkConfig() },
	}
	showCmd := &cobra.Command{
		Use: "show", Short: a.say("cli.config_show"), Long: a.say("cli.config_show_long"), Args: a.args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cfg, _, err := a.loadConfig()
			if err != nil {
				return err
			}
			text, err := config.Show(cfg)
			if err != nil {
				return err
			}
			if a.flags.output == "table" {
				_, err = a.Stdout.Write(text)
				return err
			}
			var plain any
			if err := yaml.Unmarshal(text, &plain); err != nil {
				return err
			}
			return a.print(plain, grid{})
		},
	}
	return a.noun("config", "cli.config", initCmd, check, showCmd)
}

func (a *app) checkConfig() error {
	path, err := a.configPath()
	if err != nil {
		return err
	}
	cfg, problems, err := config.Load(path)
	if err != nil {
		return err
	}
	if a.flags.output != "table" {
		if problems == nil {
			problems = config.Problems{}
		}
		g := grid{head: []string{"col.line", "col.column", "col.path", "col.what"}}
		for _, p := range problems {
			g.add(fmt.Sprint(p.Line), fmt.Sprint(p.Column), p.Path, a.text(p.Reason))
		}
		if err := a.print(problems, g); err != nil {
			return err
		}
	} else {
		a.printProblems(path, problems)
	}
	if len(problems) > 0 {
		return exitError{exitUsage}
	}
	nodes, bridges := 0, 0
	for _, s := range cfg.Sites {
		nodes, bridges = nodes+len(s.Nodes), bridges+len(s.Bridges)
	}
	fmt.Fprintln(a.Stderr, a.paint(green, a.say("cli.config_ok", "file", path, "sites", len(cfg.Sites), "nodes", nodes, "bridges", bridges)))
	return nil
}

// printProblems shows every problem with its line and a caret under the place.
func (a *app) printProblems(path string, problems config.Problems) {
	for _, p := range problems {
		place := fmt.Sprintf("%s:%d:%d", path, p.Line, p.Column)
		if p.Path != "" {
			place += " " + p.Path
		}
		fmt.Fprintf(a.Stderr, "%s\n  %s\n", a.paint(bold, place), a.text(p.Reason))
		if p.Excerpt != "" {
			fmt.Fprintf(a.Stderr, "%s\n", a.paint(faint, indent(p.Excerpt+"\n"+p.Caret())))
		}
	}
	if len(problems) > 0 {
		fmt.Fprintln(a.Stderr, a.paint(red, a.say("cli.config_problems", "n", len(problems), "file", path)))
	}
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }
