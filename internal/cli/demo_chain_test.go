package cli

import (
	"bytes"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// TestDemoShowsTheChain: the demo ends with what the chain says of the network and of its pools; a network that was never read is
// left out.
func TestDemoShowsTheChain(t *testing.T) {
	for _, lang := range i18n.Langs() {
		var out bytes.Buffer
		a := &app{Env: Env{Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" }, Zone: time.UTC}, catalog: loaded(t).In(time.UTC), lang: lang}
		a.flags.output = "table"
		a.chainSummary([]fleet.ChainView{chainOfTheNight(), {Ref: fleet.NetworkRef("phala")}})
		golden(t, lang, "demo_chain", out.String())
	}
}
