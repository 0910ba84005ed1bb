package prb

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// A keystore stays out of a text in whatever depth of quoting it comes, and without the words around it.
func TestRedactTakesKeysOut(t *testing.T) {
	const key = "MFMCAQEwBQYDK2VwBCIEICCJJxAAAAsecretAAAAAAAAAAAAAAAAAAAAAAAA=="
	keystore := `{"encoded":"` + key + `","encoding":{"content":["pkcs8","sr25519"],"type":["none"],"version":"3"}}`
	texts := map[string]string{"bare": key, "keystore": keystore, "encrypted": strings.Repeat("0a10secret", 20)}
	for range 4 {
		quoted, err := json.Marshal(keystore)
		if err != nil {
			t.Fatal(err)
		}
		keystore = string(quoted)
		texts["quoted "+keystore[:min(20, len(keystore))]] = "Duplicated key 'pid' in pool item {\"owner\":{\"polkadotJson\":" + keystore + "}}"
		texts["nameless "+keystore[:min(20, len(keystore))]] = "x " + keystore
	}
	texts["mnemonic"] = `{"mnemonic":"secret words in here"}`
	for name, text := range texts {
		clean := Redact(text)
		if strings.Contains(clean, "secret") || strings.Contains(clean, key[:12]) || Redact(clean) != clean {
			t.Errorf("%s: %q became %q", name, text, clean)
		}
	}
	if plain := "BlockNumberMismatch at 0x" + strings.Repeat("ab", 64); Redact(plain) != plain {
		t.Errorf("a hash was taken out: %q", Redact(plain))
	}
}

func TestAmbiguous(t *testing.T) {
	base := errors.New("x")
	if Ambiguous(nil) != nil || IsAmbiguous(nil) || IsAmbiguous(base) || !IsAmbiguous(Ambiguous(base)) || !errors.Is(Ambiguous(base), base) {
		t.Error("Ambiguous marks and changes nothing else")
	}
}
