package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// localiseHelp puts cobra's own words into the reader's language.
func (a *app) localiseHelp(root *cobra.Command) {
	root.SetUsageTemplate(fmt.Sprintf(`%s
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}

%s{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

%s
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

%s
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

%s{{end}}
`, a.say("cli.help_usage"), a.say("cli.help_commands"), a.say("cli.help_flags"), a.say("cli.help_global"),
		a.say("cli.help_more", "cmd", "{{.CommandPath}}")))
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(a.completionCmd(root))
	root.SetHelpCommand(&cobra.Command{
		Use: "help", Short: a.say("cli.help_cmd"), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, _, err := cmd.Root().Find(args)
			if err != nil {
				return usage("cli.usage", "err", err)
			}
			return found.Help()
		},
	})
	a.eachCommand(root, func(cmd *cobra.Command) {
		cmd.DisableFlagsInUseLine = true
		cmd.InitDefaultHelpFlag()
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				f.Usage = a.say("cli.help_flag")
			}
		})
	})
}

func (a *app) eachCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, c := range cmd.Commands() {
		a.eachCommand(c, do)
	}
}

func (a *app) completionCmd(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "completion SHELL", Short: a.say("cli.completion"), Long: a.say("cli.completion_long"), Args: a.args(cobra.ExactArgs(1)),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(_ *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.Stdout)
			case "fish":
				return root.GenFishCompletion(a.Stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.Stdout)
			default:
				return usage("cli.bad_shell", "shell", args[0])
			}
		},
	}
}
