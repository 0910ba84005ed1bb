// Package cli is the command line: one file per noun, each of which parses, calls and prints. stdout carries the answer,
// stderr the talk. It holds no business rules.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/view"
)

// Exit codes, a contract with scripts.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2 // wrong usage or invalid input
	exitPartly      = 3
	exitRefused     = 4 // refused for safety
	exitLocked      = 5 // locked by another operation
	exitInterrupted = 130
)

// Env is everything that the command line takes from its process.
type Env struct {
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Getenv  func(string) string
	User    string // who is asking, for the audit
	Version string
	TTY     bool            // stdout is a terminal: colours and live lines are welcome
	Width   int             // columns of the terminal; 0: unknown
	Reload  <-chan struct{} // SIGHUP
	Zone    *time.Location  // how times are shown
	Clock   clock.Clock     // nil: the configuration's
}

// app is one run of the command line.
type app struct {
	Env
	catalog *i18n.Catalog
	lang    i18n.Lang
	flags   globals
	log     *slog.Logger

	// firstLook is when this command began to look by itself; zero: the daemon looked. What "has been so since" a moment
	// after it may have been so for ever.
	firstLook time.Time
}

// globals are the flags of every command.
type globals struct {
	config  string
	lang    string
	output  string
	dryRun  bool
	yes     bool
	verbose bool
	noColor bool
	timeout time.Duration
}

// exitError ends the program with a code and without another word: what there was to say has been said.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// Main runs one command line and returns its exit code. It never ends the process itself.
func Main(ctx context.Context, env Env) int {
	catalog, err := i18n.Load()
	if err != nil {
		fmt.Fprintln(env.Stderr, "phalops:", err)
		return exitFailed
	}
	if env.Zone != nil {
		catalog = catalog.In(env.Zone)
	}
	a := &app{Env: env, catalog: catalog, lang: langOf(env)}
	root := a.root()
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	return a.exit(ctx, root.ExecuteContext(ctx))
}

// langOf looks for --lang before the flags are parsed, because help and usage errors want the reader's language too.
func langOf(env Env) i18n.Lang {
	for i, arg := range env.Args {
		value, ok := strings.CutPrefix(arg, "--lang=")
		if arg == "--lang" && i+1 < len(env.Args) {
			value, ok = env.Args[i+1], true
		}
		if ok {
			if lang, known := i18n.ParseLang(value); known {
				return lang
			}
		}
	}
	return i18n.DetectLang(env.Getenv)
}

// exit turns an error into words on stderr and an exit code.
func (a *app) exit(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(a.Stderr, a.say("cli.interrupted"))
		return exitInterrupted
	}
	code := exitDone
	for _, e := range parts(err) {
		var quiet exitError
		c := exitCode(e)
		switch {
		case errors.As(e, &quiet):
			c = quiet.code
		case a.flags.timeout > 0 && errors.Is(e, context.DeadlineExceeded):
			c = exitFailed
			a.complain(fleet.Because("cli.timed_out", "timeout", a.flags.timeout))
		default:
			a.complain(fleet.ReasonOf(e))
		}
		if code == exitDone {
			code = c
		}
	}
	return code
}

func (a *app) complain(why fleet.Reason) {
	fmt.Fprintln(a.Stderr, a.paint(red, a.say("cli.error"))+a.text(why))
}

// parts takes joined errors apart, so that each is told.
func parts(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, parts(e)...)
	}
	return out
}

// exitCode is the contract with scripts.
func exitCode(err error) int {
	switch fleet.KindOf(err) {
	case fleet.Invalid, fleet.NotFound:
		return exitUsage
	case fleet.Refused:
		return exitRefused
	case fleet.Locked:
		return exitLocked
	default:
		return exitFailed
	}
}

// say is the sentence of a code with arguments as in fleet.Because.
func (a *app) say(code string, args ...any) string { return a.text(fleet.Because(code, args...)) }

// text is a Reason in the reader's language.
func (a *app) text(r fleet.Reason) string { return a.catalog.Text(a.lang, r.Code, r.Args) }

// words is text for package view.
func (a *app) words() view.Words { return a.text }

// usage is a wrong use of the command line: exit 2.
func usage(code string, args ...any) error {
	return fleet.Fail(fleet.Invalid, fleet.Because(code, args...))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "phalops",
		Short:         a.say("cli.root"),
		Long:          a.say("cli.root_long"),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          a.noUnknownVerb,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.prepare(cmd)
		},
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.config, "config", "c", "", a.say("cli.flag_config"))
	f.StringVar(&a.flags.lang, "lang", "", a.say("cli.flag_lang"))
	f.StringVarP(&a.flags.output, "output", "o", "table", a.say("cli.flag_output"))
	f.BoolVar(&a.flags.dryRun, "dry-run", false, a.say("cli.flag_dry_run"))
	f.BoolVarP(&a.flags.yes, "yes", "y", false, a.say("cli.flag_yes"))
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, a.say("cli.flag_verbose"))
	f.BoolVar(&a.flags.noColor, "no-color", false, a.say("cli.flag_no_color"))
	f.DurationVar(&a.flags.timeout, "timeout", 0, a.say("cli.flag_timeout"))
	root.SetFlagErrorFunc(badFlag)
	root.AddCommand(a.demoCmd(), a.runCmd(), a.statusCmd(), a.configCmd(), a.nodeCmd(), a.bridgeCmd(), a.poolCmd(), a.workerCmd(),
		a.incidentCmd(), a.auditCmd(), a.planCmd(), a.maintenanceCmd(), a.chainCmd(), a.estimateCmd(), a.simCmd(), a.versionCmd())
	a.localiseHelp(root)
	return root
}

// prepare checks the global flags once they are parsed.
func (a *app) prepare(*cobra.Command) error {
	if a.flags.lang != "" {
		lang, ok := i18n.ParseLang(a.flags.lang)
		if !ok {
			return usage("cli.bad_lang", "lang", a.flags.lang)
		}
		a.lang = lang
	}
	switch a.flags.output {
	case "table", "json", "yaml", "csv":
	default:
		return usage("cli.bad_output", "output", a.flags.output)
	}
	level := slog.LevelWarn
	if a.flags.verbose {
		level = slog.LevelDebug
	}
	a.log = a.logger(level)
	return nil
}

// noun is a command that only groups others: called alone it shows its help, with an unknown word it says so.
func (a *app) noun(name, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: name, Short: a.say(short), Args: a.noUnknownVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// noUnknownVerb refuses words that are no command, and names the nearest one or else all.
func (a *app) noUnknownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return a.unknownVerb(cmd, args[0])
}

func (a *app) unknownVerb(cmd *cobra.Command, verb string) error {
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(verb); len(near) > 0 {
		return usage("cli.unknown_verb_near", "verb", verb, "noun", cmd.CommandPath(), "word", near[0])
	}
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	return usage("cli.unknown_verb", "verb", verb, "noun", cmd.CommandPath(), "known", strings.Join(known, ", "))
}

// args wraps a count check so that its message is ours.
func (a *app) args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check(cmd, args) == nil {
			return nil
		}
		if len(args) == 0 {
			return usage("cli.missing_argument", "usage", cmd.UseLine())
		}
		if cmd.Flags().Lookup("name") != nil {
			return usage("cli.not_a_name", "argument", args[0])
		}
		return usage("cli.extra_argument", "usage", cmd.UseLine(), "argument", args[len(args)-1])
	}
}

// withTimeout bounds a command as --timeout says.
func (a *app) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.flags.timeout > 0 {
		return context.WithTimeout(ctx, a.flags.timeout)
	}
	return context.WithCancel(ctx)
}
