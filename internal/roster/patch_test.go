package roster_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/roster"
)

func TestParsePatch(t *testing.T) {
	stake, pid, name, endpoint, yes, no := fleet.PHA(10), uint64(84), "w 1", "http://192.168.2.1:8000", true, false
	for _, c := range []struct {
		args []string
		want roster.Patch
	}{
		{[]string{"stake=10"}, roster.Patch{Stake: &stake}},
		{[]string{"stake=10 PHA", "pool=84"}, roster.Patch{Stake: &stake, PID: &pid}},
		{[]string{"pid = 84", "name= w 1 ", "endpoint=192.168.2.1"}, roster.Patch{PID: &pid, Name: &name, Endpoint: &endpoint}},
		{[]string{"enabled=false", "sync-only=true"}, roster.Patch{Enabled: &no, SyncOnly: &yes}},
		{[]string{"sync_only=是", "label.customer=a=b", "label.the_rack="}, roster.Patch{SyncOnly: &yes, Labels: map[string]string{"customer": "a=b", "the_rack": ""}}},
	} {
		got, err := roster.ParsePatch(c.args)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(fleet.Amount{})); err != nil || diff != "" || got.Empty() {
			t.Errorf("%q: %v %s", c.args, err, diff)
		}
	}
	if !(roster.Patch{}).Empty() {
		t.Error("the zero Patch changes nothing")
	}
}

func TestPatchMistakes(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		arg, want string
	}{
		{"stkae=10", "stkae: there is no such key: did you mean stake?"},
		{"endpiont=x", "endpiont: there is no such key: did you mean endpoint?"},
		{"syncnly=true", "syncnly: there is no such key: did you mean sync-only?"},
		{"gatekeeper=true", "gatekeeper: there is no such key; there are stake, pool, name, endpoint, enabled, sync-only, label.K"},
		{"stake", "stake is not KEY=VALUE, for example stake=10.5"},
		{"stake=", "stake: … is no stake: write PHA, for example 10 or 10.5"},
		{"stake=0.0000000000001", "stake: 0.0000000000001 has more than 12 decimal places, which PHA does not have"},
		{"pool=0", "pool: 0 is no pool: a pool is a positive whole number such as 83"},
		{"endpoint=http://192.168.2.1", "endpoint: the URL has no port (which would mean 80 or 443): a pRuntime is usually at http://192.168.2.1:8000"},
		{"enabled=maybe", "enabled: maybe must be true or false"},
		{"name=", "name: … cannot be a name: 1 to 128 printable characters, no blank at an end"},
		{"label.=x", "label.: … cannot name a label: use letters, digits, dots, dashes and underscores"},
		{"name=abandon ability able about above absent absorb abstract absurd abuse access accident", "name: this looks like a mnemonic, which must not stand in a list: take it out of the file now"},
		{"abandon ability able about above absent absorb=1", "…: there is no such key; there are stake, pool, name, endpoint, enabled, sync-only, label.K"},
	} {
		_, err := roster.ParsePatch([]string{c.arg})
		r := fleet.ReasonOf(err)
		if got := catalog.Text(i18n.EN, r.Code, r.Args); got != c.want || fleet.KindOf(err) != fleet.Invalid {
			t.Errorf("%s: %q (%s), want %q", c.arg, got, fleet.KindOf(err), c.want)
		}
	}
	for args, code := range map[[2]string]string{{"stake=10", "stake=11"}: "roster.patch_twice", {"sync-only=1", "sync_only=1"}: "roster.patch_twice", {"pool=1", "pid=2"}: "roster.patch_twice"} {
		_, err := roster.ParsePatch(args[:])
		if e, ok := errors.AsType[*fleet.Error](err); !ok || e.Reason.Code != code {
			t.Errorf("%q: %v", args, err)
		}
	}
	if _, err := roster.ParsePatch(nil); fleet.ReasonOf(err).Code != "roster.patch_empty" {
		t.Error(err)
	}
}
