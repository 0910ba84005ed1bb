package i18n

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for _, tc := range []struct {
		d      time.Duration
		zh, en string
	}{
		{0, "0 秒", "0 s"},
		{350 * time.Millisecond, "350 毫秒", "350 ms"},
		{45 * time.Second, "45 秒", "45 s"},
		{59*time.Second + 600*time.Millisecond, "1 分钟", "1 min"},
		{5 * time.Minute, "5 分钟", "5 min"},
		{90 * time.Second, "1 分 30 秒", "1 min 30 s"},
		{time.Hour, "1 小时", "1 h"},
		{80 * time.Minute, "1 小时 20 分", "1 h 20 min"},
		{59*time.Minute + 59*time.Second, "59 分 59 秒", "59 min 59 s"},
		{23*time.Hour + 59*time.Minute + 40*time.Second, "1 天", "1 d"},
		{51 * time.Hour, "2 天 3 小时", "2 d 3 h"},
		{72 * time.Hour, "3 天", "3 d"},
		{-5 * time.Minute, "-5 分钟", "-5 min"},
	} {
		if got := Duration(ZH, tc.d); got != tc.zh {
			t.Errorf("%v in zh: %q, want %q", tc.d, got, tc.zh)
		}
		if got := Duration(EN, tc.d); got != tc.en {
			t.Errorf("%v in en: %q, want %q", tc.d, got, tc.en)
		}
	}
}

func TestAgo(t *testing.T) {
	for _, tc := range []struct {
		d      time.Duration
		zh, en string
	}{
		{-3 * time.Second, "刚刚", "just now"},
		{999 * time.Millisecond, "刚刚", "just now"},
		{5 * time.Minute, "5 分钟前", "5 min ago"},
	} {
		if zh, en := Ago(ZH, tc.d), Ago(EN, tc.d); zh != tc.zh || en != tc.en {
			t.Errorf("%v: %q and %q, want %q and %q", tc.d, zh, en, tc.zh, tc.en)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tc := range []struct {
		n    int64
		want string
	}{{0, "0"}, {999, "999"}, {1000, "1,000"}, {-1234567, "-1,234,567"}, {123456, "123,456"}} {
		if got := Number(ZH, tc.n); got != tc.want {
			t.Errorf("%d: %q, want %q", tc.n, got, tc.want)
		}
	}
	for in, want := range map[string]string{
		"12345.678901":                         "12,345.678901",
		"340282366920938463463374607431768211": "340,282,366,920,938,463,463,374,607,431,768,211",
		"-100":                                 "-100", "ten": "ten", "": "", "-": "-", ".5": ".5", "1e9": "1e9",
	} {
		if got := group(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestDetectLang(t *testing.T) {
	for _, tc := range []struct {
		all, messages, lang string
		want                Lang
	}{
		{"", "", "", EN},
		{"", "", "zh_CN.UTF-8", ZH},
		{"", "", "zh_TW", ZH},
		{"", "en_US.UTF-8", "zh_CN.UTF-8", EN},
		{"zh_CN.UTF-8", "en_US.UTF-8", "en_US.UTF-8", ZH},
		{"C", "", "zh_CN.UTF-8", EN},
		{"", "", "de_DE.UTF-8", EN},
	} {
		env := map[string]string{"LC_ALL": tc.all, "LC_MESSAGES": tc.messages, "LANG": tc.lang}
		if got := DetectLang(func(k string) string { return env[k] }); got != tc.want {
			t.Errorf("%v: %s, want %s", env, got, tc.want)
		}
	}
}

func TestParseLang(t *testing.T) {
	for s, want := range map[string]bool{"zh": true, "en": true, "": false, "zh_CN": false, "EN": false} {
		if _, ok := ParseLang(s); ok != want {
			t.Errorf("%q accepted: %v, want %v", s, ok, want)
		}
	}
	for _, l := range Langs() {
		if got, ok := ParseLang(string(l)); !ok || got != l {
			t.Errorf("%q is read as %q, %v", l, got, ok)
		}
	}
}
