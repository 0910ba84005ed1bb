package wire

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// v0Shapes are the values that differ from run to run, and what they must look like.
var v0Shapes = map[string]*regexp.Regexp{
	"createdAt": regexp.MustCompile(`^\d{12,13}$`), "nonce": uuidShape, "nonceRef": uuidShape, "ss58Phala": shapes["ss58Phala"],
	"ss58Polkadot": shapes["ss58Polkadot"], "publicKey": shapes["publicKey"], "minerAccountId": shapes["workerAccountId"],
	"address": shapes["ss58Phala"], "encoded": regexp.MustCompile(`^[A-Za-z0-9+/=]{156}$`), "stack": regexp.MustCompile(`(?s)^\w+.*: .+\n +at `),
}

const nobody = "3zcnkmF6XjEogm8vAyPiL2ykPZHpeVtcfDcwTWJ2teqdSvjq" // the zero account

// v0Secrets are the parts of an error text that hold an account.
var v0Secrets = regexp.MustCompile(`MFMC[A-Za-z0-9+/=]{152}|\b[14][1-9A-HJ-NP-Za-km-z]{46,47}\b`)

// v0Diff tells the first difference between a reply and the recorded one that means something.
func v0Diff(t *testing.T, key string, got, want any) string {
	switch want := want.(type) {
	case []pair:
		got, ok := got.([]pair)
		keys := func(o []pair) (all []string) {
			for _, p := range o {
				all = append(all, p.key)
			}
			return all
		}
		if !ok || strings.Join(keys(got), " ") != strings.Join(keys(want), " ") {
			return fmt.Sprintf("%s: keys %v, want %v", key, keys(got), keys(want))
		}
		for i, p := range want {
			if p.key == "timings" { // what a request went through differs
				continue
			}
			if d := v0Diff(t, p.key, got[i].value, p.value); d != "" {
				return d
			}
		}
		return ""
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return fmt.Sprintf("%s: %d elements, want %d", key, len(got), len(want))
		}
		for i := range want {
			if d := v0Diff(t, key, got[i], want[i]); d != "" {
				return fmt.Sprintf("%d: %s", i, d)
			}
		}
		return ""
	case json.Number:
		n, ok := got.(json.Number)
		height := strings.HasPrefix(key, "parent") || strings.HasPrefix(key, "para") && key != "paraId"
		invented := height && ((n == "-1") == (want == "-1") || key == "paraArchivedHeight")
		if !ok || n != want && !invented {
			return fmt.Sprintf("%s: %v, want %v", key, got, want)
		}
		return ""
	case string:
		s, ok := got.(string)
		if !ok {
			return fmt.Sprintf("%s: %v, want %q", key, got, want)
		}
		return v0TextDiff(t, key, s, want)
	}
	if got != want {
		return fmt.Sprintf("%s: %v, want %v", key, got, want)
	}
	return ""
}

func v0TextDiff(t *testing.T, key, got, want string) string {
	value := regexp.MustCompile(`: ("[^"]*"|-?\d+)(,?)`)
	switch {
	case key == "lastMessage":
		stamp := regexp.MustCompile(`^(\d{12,13}) - (.*)$`)
		g, w := stamp.FindStringSubmatch(got), stamp.FindStringSubmatch(want)
		if g == nil || strings.HasPrefix(w[2], "{") != strings.HasPrefix(g[2], "{") {
			return fmt.Sprintf("lastMessage %q, want %q", got, want)
		}
		if strings.HasPrefix(w[2], "{") {
			return v0Diff(t, "", ordered(t, []byte(g[2])), ordered(t, []byte(w[2])))
		}
		got, want = g[2], w[2]
	case key == "polkadotJson":
		return v0Diff(t, "", ordered(t, []byte(got)), ordered(t, []byte(want)))
	case key == "minerInfoJson":
		state := regexp.MustCompile(`"state": "\w+"`)
		if strings.Join(state.FindAllString(got, -1), "") != strings.Join(state.FindAllString(want, -1), "") {
			return fmt.Sprintf("minerInfoJson %s, want %s", state.FindString(got), state.FindString(want))
		}
		got, want = value.ReplaceAllString(got, ": _$2"), value.ReplaceAllString(want, ": _$2")
	case key == "minerAccountId" && (got == nobody || want == nobody):
	case v0Shapes[key] != nil:
		if v0Shapes[key].MatchString(got) {
			return ""
		}
	case key == "extra":
		got, want = v0Secrets.ReplaceAllString(got, "_"), v0Secrets.ReplaceAllString(want, "_")
	}
	if got != want {
		return fmt.Sprintf("%s: %q, want %q", key, got, want)
	}
	return ""
}
