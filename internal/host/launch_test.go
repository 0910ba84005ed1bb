package host

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQuote: a shell takes the line apart into exactly the words, whatever bytes they have.
func TestQuote(t *testing.T) {
	word := rapid.Map(rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 20), func(b []byte) string { return string(b) })
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(word, 1, 20).Draw(rt, "words")
		out, err := exec.Command("sh", "-c", Quote(append([]string{"/usr/bin/printf", `%s\0`}, words...))).Output()
		if want := strings.Join(words, "\x00") + "\x00"; err != nil || string(out) != want {
			rt.Fatalf("%q became %q, %v", want, out, err)
		}
	})
}

// TestStartMark: whatever a login prints before it and however it is cut into pieces, the output is the command's own.
func TestStartMark(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		before := rapid.SampledFrom([]string{"", "Welcome\n", "no newline ", "\n\n\n", strings.Repeat("x", 5000) + "\n", "phalops-7c1f\n"}).Draw(rt, "before")
		after := rapid.SampledFrom([]string{"", "out\n", "\n\n", "phalops-7c1f-started:1\n", "\x00\xff"}).Draw(rt, "after")
		l := NewLaunch(Command{Argv: []string{"true"}}, Root{}, time.Second)
		text := []byte(before + startMark + "4711\n" + after)
		for len(text) > 0 {
			n := rapid.IntRange(1, len(text)).Draw(rt, "piece")
			if m, err := l.Writer().Write(text[:n]); m != n || err != nil {
				rt.Fatalf("%d, %v", m, err)
			}
			text = text[n:]
		}
		if got, _ := l.Stdout.Bytes(); string(got) != after || l.Started() != 4711 {
			rt.Fatalf("%q, process %d", got, l.Started())
		}
	})
}

// TestLaunchEndsByItself: with nobody left to kill it, a command ends when its time is over.
func TestLaunchEndsByItself(t *testing.T) {
	l := NewLaunch(Command{Argv: []string{"sleep", "100"}}, Root{}, 200*time.Millisecond)
	cmd := exec.CommandContext(t.Context(), l.Argv[0], l.Argv[1:]...)
	cmd.Stdin, cmd.Stdout = bytes.NewReader(l.Stdin), l.Writer()
	began := time.Now()
	_ = cmd.Run()
	if took := time.Since(began); l.Started() == 0 || cmd.ProcessState.ExitCode() != 124 || took > 20*time.Second {
		t.Errorf("exit code %d after %s", cmd.ProcessState.ExitCode(), took)
	}
}

// TestHalfAFile: content that arrives incomplete, as when the connection breaks, replaces nothing and leaves nothing.
func TestHalfAFile(t *testing.T) {
	dir := t.TempDir()
	if err := exec.Command("sh", "-c", "echo old >"+dir+"/f").Run(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", writeScript, "sh", dir+"/f", "", "100")
	cmd.Stdin = strings.NewReader("half of it")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "incomplete") {
		t.Errorf("%s, %v", out, err)
	}
	if out, err := exec.Command("sh", "-c", "ls -A "+dir+"; cat "+dir+"/f").Output(); err != nil || string(out) != "f\nold\n" {
		t.Errorf("in the folder: %q, %v", out, err)
	}
}

func FuzzStat(f *testing.F) {
	f.Add([]byte("81a4 12 0 0 1700000000\nrest"))
	f.Add([]byte("41ed 4096 1000 1000 1700000000\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, out []byte) {
		info, rest, err := parseStat(out)
		if err != nil && (info != FileInfo{} || rest != nil) || len(rest) > len(out) {
			t.Errorf("%+v %q %v", info, rest, err)
		}
	})
}

func TestLastLine(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "\n": "", "a\nb\n\n": "b", "a\x1b[31mred\a": "a[31mred", "\xff\xfeb": "b", strings.Repeat("x", 400): strings.Repeat("x", 300),
	} {
		if got := LastLine([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
