package cli

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// badFlag says in the reader's language what is wrong with a flag. The flag library's own sentences are English only.
func badFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var value *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			name = "-" + unknown.GetSpecifiedName()
		}
		return usage("cli.no_flag", "cmd", cmd.CommandPath(), "flag", name)
	case errors.As(err, &bare):
		return usage("cli.flag_needs_value", "cmd", cmd.CommandPath(), "flag", "--"+bare.GetFlag().Name)
	case errors.As(err, &value):
		return usage("cli.bad_value", "flag", "--"+value.GetFlag().Name, "value", strconv.Quote(value.GetValue()), "want", wanted(value.GetFlag()))
	default:
		return usage("cli.bad_flag", "cmd", cmd.CommandPath(), "err", err)
	}
}

// wanted is the code of the sentence that says what a flag's value must look like.
func wanted(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "duration":
		return "cli.want_duration"
	case "bool":
		return "cli.want_bool"
	case "float64":
		return "cli.want_number"
	case "stringSlice":
		return "cli.want_list"
	default:
		return "cli.want_whole"
	}
}
