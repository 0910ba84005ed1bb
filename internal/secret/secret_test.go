package secret_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
	"phalops/internal/secret"
)

const hidden = "SECd41d8cd98f00b204"

func TestRefCheck(t *testing.T) {
	for _, c := range []struct {
		ref  secret.Ref
		code string
	}{
		{"", ""},
		{"env:DING_TOKEN", ""},
		{"env:_x9", ""},
		{"env:", "secret.bad_env"},
		{"env:9X", "secret.bad_env"},
		{"env:A-B", "secret.bad_env"},
		{"env:${X}", "secret.bad_env"},
		{"file:/etc/phalops/x", ""},
		{"file:x", "secret.bad_path"},
		{"file:", "secret.bad_path"},
		{"file:/a\nb", "secret.bad_path"},
		{"age:/etc/phalops/x.age", ""},
		{"age:../x", "secret.bad_path"},
		{"cred:ding-token", ""},
		{"cred:../../etc/shadow", "secret.bad_cred"},
		{"cred:..", "secret.bad_cred"},
		{"cred:", "secret.bad_cred"},
		{hidden, "secret.not_a_reference"},
		{"ENV:X", "secret.not_a_reference"},
		{" env:X", "secret.not_a_reference"},
		{"vault:x", "secret.not_a_reference"},
	} {
		err := c.ref.Check()
		if got := fleet.ReasonOf(err).Code; got != c.code {
			t.Errorf("%q: %q, want %q", string(c.ref), got, c.code)
		}
		if err != nil && strings.Contains(err.Error(), string(c.ref)) && len(c.ref) > 5 {
			t.Errorf("%q: the error repeats it: %v", string(c.ref), err)
		}
		if err != nil && c.ref.String() != "<secret>" {
			t.Errorf("%q prints as %s", string(c.ref), c.ref)
		}
	}
}

func TestValueNeverPrints(t *testing.T) {
	v := secret.NewValue(hidden)
	type holder struct {
		Open   secret.Value
		closed secret.Value
		ptr    *secret.Value
	}
	h := holder{v, v, &v}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb+"\n", v)
		fmt.Fprintf(&out, verb+"\n", &v)
		fmt.Fprintf(&out, verb+"\n", h)
		fmt.Fprintf(&out, verb+"\n", []any{v, map[string]secret.Value{"a": v}})
	}
	fmt.Fprintln(&out, v, fmt.Errorf("failed: %v", v))
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v, "h", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v, "h", h)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		for _, in := range []any{v, map[string]any{"v": v}, struct{ V secret.Value }{v}} {
			b, err := marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(b, []byte("secret>")) && !bytes.Contains(b, []byte(`secret\u003e`)) {
				t.Errorf("%T: %s", in, b)
			}
			out.Write(b)
		}
	}
	text, err := v.MarshalText()
	if err != nil || string(text) != "<secret>" {
		t.Errorf("MarshalText: %s, %v", text, err)
	}
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%d", []byte(hidden))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret is in:\n%s", out.String())
		}
	}
	if v.Reveal() != hidden || v.IsZero() || !(secret.Value{}).IsZero() || (secret.Value{}).Reveal() != "" {
		t.Error("Reveal or IsZero is wrong")
	}
}

func TestResolveEnv(t *testing.T) {
	r := secret.NewMap(map[string]string{"A": hidden, "EMPTY": ""})
	expect(t, r, "env:A", hidden, "")
	expect(t, r, "env:B", "", "secret.env_unset")
	expect(t, r, "env:EMPTY", "", "secret.empty")
	expect(t, r, "", "", "secret.empty")
	expect(t, r, hidden, "", "secret.not_a_reference")
	expect(t, secret.Resolver{}, "env:A", "", "secret.env_unset")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Resolve(ctx, "env:A"); err == nil {
		t.Error("a done context resolves")
	}
}

func TestResolveFile(t *testing.T) {
	r := secret.Resolver{}
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) secret.Ref {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return secret.Ref("file:" + path)
	}
	expect(t, r, file("plain", hidden, 0o600), hidden, "")
	expect(t, r, file("newline", hidden+"\n", 0o400), hidden, "")
	expect(t, r, file("windows", hidden+"\r\n", 0o600), hidden, "")
	expect(t, r, file("two", hidden+"\n\n", 0o600), hidden+"\n", "")
	expect(t, r, file("empty", "\n", 0o600), "", "secret.empty")
	for _, mode := range []os.FileMode{0o640, 0o604, 0o700, 0o620, 0o644} {
		err := expect(t, r, file("open", hidden, mode), "", "secret.open_mode")
		if got := fleet.ReasonOf(err).Args["mode"]; got != fmt.Sprintf("%04o", mode) {
			t.Errorf("mode %s", got)
		}
	}
	expect(t, r, file("limit", strings.Repeat("x", 64<<10), 0o600), strings.Repeat("x", 64<<10), "")
	expect(t, r, file("large", strings.Repeat("x", 64<<10+1), 0o600), "", "secret.too_large")
	expect(t, r, secret.Ref("file:"+dir), "", "secret.not_regular")
	expect(t, r, secret.Ref("file:"+dir+"/none"), "", "secret.no_file")
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, r, secret.Ref("file:"+fifo), "", "secret.not_regular") // and does not hang
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "open"), link); err != nil {
		t.Fatal(err)
	}
	expect(t, r, secret.Ref("file:"+link), "", "secret.open_mode") // the target counts
}

func TestResolveCredential(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ding"), []byte(hidden+"\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	r := secret.NewMap(map[string]string{"CREDENTIALS_DIRECTORY": dir})
	expect(t, r, "cred:ding", hidden, "")
	expect(t, r, "cred:other", "", "secret.no_file")
	expect(t, secret.Resolver{}, "cred:ding", "", "secret.no_credentials")
}

func TestResolveAge(t *testing.T) {
	dir := t.TempDir()
	mine, other := identity(t), identity(t)
	write := func(name string, b []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys := write("keys", []byte("# comment\n"+mine.String()+"\n"))
	sealed := seal(t, mine.Recipient(), hidden+"\n", false)
	r := secret.NewMap(map[string]string{"PHALOPS_AGE_IDENTITY": keys})
	age := func(path string) secret.Ref { return secret.Ref("age:" + path) }

	expect(t, r, age(write("a.age", sealed)), hidden, "")
	expect(t, r, age(write("b.age", seal(t, mine.Recipient(), hidden, true))), hidden, "")
	expect(t, r, age(write("c.age", seal(t, other.Recipient(), hidden, false))), "", "secret.not_opened")
	expect(t, r, age(write("d.age", []byte("no age file"))), "", "secret.not_opened")
	expect(t, r, age(write("e.age", sealed[:len(sealed)-3])), "", "secret.damaged")
	expect(t, r, age(write("f.age", seal(t, mine.Recipient(), strings.Repeat("x", 64<<10+1), false))), "", "secret.too_large")
	expect(t, r, age(filepath.Join(dir, "none")), "", "secret.no_file")
	expect(t, secret.Resolver{}, age(filepath.Join(dir, "a.age")), "", "secret.no_identity")

	bad := secret.NewMap(map[string]string{"PHALOPS_AGE_IDENTITY": write("bad", []byte("AGE-SECRET-KEY-"+hidden))})
	expect(t, bad, age(filepath.Join(dir, "a.age")), "", "secret.bad_identity")
	if err := os.Chmod(keys, 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, r, age(filepath.Join(dir, "a.age")), "", "secret.open_mode")
}

func identity(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func seal(t *testing.T, to age.Recipient, text string, armored bool) []byte {
	t.Helper()
	var out bytes.Buffer
	armour := armor.NewWriter(&out)
	w, err := age.Encrypt(&out, to)
	if armored {
		out.Reset()
		w, err = age.Encrypt(armour, to)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if armored {
		if err := armour.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// expect resolves ref and wants either the text or the code; no error may hold the secret.
func expect(t *testing.T, r secret.Resolver, ref secret.Ref, text, code string) error {
	t.Helper()
	v, err := r.Resolve(t.Context(), ref)
	if got := fleet.ReasonOf(err).Code; got != code {
		t.Errorf("%s: code %q, want %q (%v)", ref, got, code, err)
	}
	if v.Reveal() != text {
		t.Errorf("%s: revealed %d bytes, want %d", ref, len(v.Reveal()), len(text))
	}
	if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, fleet.ReasonOf(err)), hidden) {
		t.Errorf("%s: the error holds the secret: %v", ref, err)
	}
	return err
}

func FuzzRef(f *testing.F) {
	for _, s := range []string{"", "env:A", "file:/x", "age:/x", "cred:x", "cred:../x", "x"} {
		f.Add(s)
	}
	r := secret.NewMap(map[string]string{"CREDENTIALS_DIRECTORY": f.TempDir()})
	f.Fuzz(func(t *testing.T, s string) {
		ref := secret.Ref(s)
		if scheme, name, _ := strings.Cut(s, ":"); scheme == "cred" && ref.Check() == nil {
			if filepath.Base(name) != name {
				t.Errorf("%q leaves the credentials folder", s)
			}
			_, _ = r.Resolve(t.Context(), ref)
		}
		if ref.Check() != nil && ref.String() != "<secret>" {
			t.Errorf("%q prints", s)
		}
	})
}
