package decide_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every rule about a network, a stake pool, and what the chain says of a worker is in the document, and the document names no other.
func TestChainRulesAreDocumented(t *testing.T) {
	name := regexp.MustCompile(`"((?:network|stakepool)\.[a-z_.]+)"`)
	texts := regexp.MustCompile(`Because\("[a-z_.]+"`)
	kind := regexp.MustCompile(`differ[A-Z]\w+ += "([a-z_]+)"`)
	used, kinds := map[string]bool{}, map[string]bool{}
	for _, file := range []string{"network.go", "network_shared.go", "network_seen.go", "pool.go", "worker_chain.go", "worker_chain_differ.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllSubmatch(texts.ReplaceAll(source, nil), -1) {
			rule := string(m[1])
			if strings.HasSuffix(rule, ".chain.") {
				rule += "KIND"
			}
			used[rule] = true
		}
		for _, m := range kind.FindAllSubmatch(source, -1) {
			if !slices.Contains([]string{"stake", "disabled"}, string(m[1])) { // only differences
				kinds[string(m[1])] = true
			}
		}
	}
	if len(used) < 15 || len(kinds) != 8 {
		t.Fatalf("found %v and %v", used, kinds)
	}
	doc, err := os.ReadFile("../../docs/chain-alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile("`((?:network|stakepool)\\.[a-zA-Z_.]+|[a-z_]+)`").FindAllSubmatch(doc, -1) {
		told = append(told, string(m[1]))
	}
	for rule := range used {
		if !slices.Contains(told, rule) {
			t.Errorf("%s is not in docs/chain-alerts.md", rule)
		}
	}
	for k := range kinds {
		if !slices.Contains(told, k) {
			t.Errorf("the kind %s is not in docs/chain-alerts.md", k)
		}
	}
	for _, rule := range told {
		if strings.Contains(rule, ".") && !used[rule] {
			t.Errorf("docs/chain-alerts.md names %s, which no code has", rule)
		}
	}
}
