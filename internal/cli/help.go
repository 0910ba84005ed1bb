package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// localiseHelp puts our help, in the reader's language, in the place of cobra's.
func (a *app) localiseHelp(root *cobra.Command) {
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(a.completionCmd(root))
	root.SetHelpCommand(&cobra.Command{
		Use: "help", Short: a.say("cli.help_cmd"), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return a.unknownVerb(found, rest[0])
			}
			return found.Help()
		},
	})
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(cmd) })
	a.eachCommand(root, func(cmd *cobra.Command) {
		cmd.DisableFlagsInUseLine = true
		cmd.InitDefaultHelpFlag()
		cmd.Flags().Lookup("help").Usage = a.say("cli.help_flag")
		if cmd.ValidArgs == nil {
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
	})
}

func (a *app) eachCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, c := range cmd.Commands() {
		a.eachCommand(c, do)
	}
}

// help prints what a command does, how it is used and its flags.
func (a *app) help(cmd *cobra.Command) {
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	usage := cmd.UseLine() + " " + a.say("cli.help_some_flags")
	if cmd.HasAvailableSubCommands() {
		usage = cmd.CommandPath() + " " + a.say("cli.help_command")
	}
	fmt.Fprintf(a.Stdout, "%s\n\n%s\n  %s\n", about, a.say("cli.help_usage"), usage)
	if cmd.HasAvailableSubCommands() {
		var rows [][2]string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				rows = append(rows, [2]string{c.Name(), c.Short})
			}
		}
		a.helpRows(a.say("cli.help_commands"), rows)
	}
	a.helpRows(a.say("cli.help_flags"), a.flagRows(cmd.LocalFlags()))
	a.helpRows(a.say("cli.help_global"), a.flagRows(cmd.InheritedFlags()))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(a.Stdout, "\n%s\n", a.say("cli.help_more", "cmd", cmd.CommandPath()))
	}
}

// helpRows prints names with their descriptions; where the terminal's width is known, descriptions are wrapped to it.
func (a *app) helpRows(title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	wide := 0
	for _, r := range rows {
		wide = max(wide, text.StringWidth(r[0]))
	}
	fmt.Fprintf(a.Stdout, "\n%s\n", title)
	for _, r := range rows {
		about := r[1]
		if room := a.Width - wide - 5; room >= 20 {
			about = strings.ReplaceAll(wrapped(about, room), "\n", "\n"+strings.Repeat(" ", wide+5))
		}
		for line := range strings.Lines(fmt.Sprintf("  %s   %s\n", pad(r[0], wide), about)) {
			fmt.Fprintln(a.Stdout, strings.TrimRight(line, " \n"))
		}
	}
}

func (a *app) flagRows(flags *pflag.FlagSet) [][2]string {
	var rows [][2]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		if v := valueName(f); v != "" {
			name += " " + v
		}
		about := f.Usage
		switch f.DefValue {
		case "", "false", "0", "0s", "[]":
		default:
			about += a.say("cli.help_default", "value", strings.TrimSuffix(f.DefValue, "0m0s"))
		}
		rows = append(rows, [2]string{name, about})
	})
	return rows
}

// valueName is what stands for a flag's value in its help: the same in every language.
func valueName(f *pflag.Flag) string {
	switch f.Name {
	case "config", "out", "write-config", "scenario", "file":
		return "FILE"
	case "lang", "output":
		return "WORD"
	case "listen":
		return "ADDR"
	case "label":
		return "K=V"
	case "endpoint":
		return "HOST|CIDR"
	case "message":
		return "REGEXP"
	case "pool":
		return "PID"
	case "rpc":
		return "URL"
	case "at":
		return "HEIGHT|HASH"
	case "target":
		return "REF"
	}
	switch f.Value.Type() {
	case "bool":
		return ""
	case "duration":
		return "DUR"
	case "string", "stringSlice":
		return strings.ToUpper(f.Name)
	default:
		return "N"
	}
}

func (a *app) completionCmd(root *cobra.Command) *cobra.Command {
	shells := map[string]func(io.Writer) error{
		"bash":       func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":        root.GenZshCompletion,
		"fish":       func(w io.Writer) error { return root.GenFishCompletion(w, true) },
		"powershell": root.GenPowerShellCompletionWithDesc,
	}
	return &cobra.Command{
		Use: "completion SHELL", Short: a.say("cli.completion"), Long: a.say("cli.completion_long"), Args: a.args(cobra.ExactArgs(1)),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(_ *cobra.Command, args []string) error {
			write, known := shells[args[0]]
			if !known {
				return usage("cli.bad_shell", "shell", args[0])
			}
			return write(a.Stdout)
		},
	}
}
