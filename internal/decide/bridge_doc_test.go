package decide_test

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// Every rule about a bridge's own parts is in the document, and the document names no other.
func TestBridgeRulesAreDocumented(t *testing.T) {
	name := regexp.MustCompile("\"bridge\\.(?:healthy|unseen|blind|no_lifecycle|starved)[a-z_.]*\"")
	texts := regexp.MustCompile("Because\\(\"bridge\\.[a-z_.]+\"")
	used := map[string]bool{}
	for _, file := range []string{"bridge.go", "parts.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAll(texts.ReplaceAll(source, nil), -1) {
			used[string(m[1:len(m)-1])] = true
		}
	}
	doc, err := os.ReadFile("../../docs/bridge-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile("`(bridge\\.[a-z_.]+)`").FindAllSubmatch(doc, -1) {
		told = append(told, string(m[1]))
	}
	for rule := range used {
		if !slices.Contains(told, rule) {
			t.Errorf("%s is not in docs/bridge-rules.md", rule)
		}
	}
	for _, rule := range told {
		if !used[rule] {
			t.Errorf("docs/bridge-rules.md names %s, which no code has", rule)
		}
	}
}
