package dingtalk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/notify"
	"phalops/internal/secret"
	"phalops/internal/sim/world"
	"phalops/internal/wire"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// cable is the way to a simulated robot, without sockets.
type cable struct {
	robot *world.Robot
	asked []wire.Request
	reply *wire.Response // instead of the robot's
	err   error
}

func (c *cable) Do(_ context.Context, r wire.Request) (*wire.Response, error) {
	c.asked = append(c.asked, r)
	if c.err != nil || c.reply != nil {
		return c.reply, c.err
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, err
	}
	var m message
	if err := json.Unmarshal(r.Body, &m); err != nil {
		return nil, err
	}
	got := c.robot.Receive(world.RobotRequest{
		Token: u.Query().Get("access_token"), Timestamp: u.Query().Get("timestamp"), Sign: u.Query().Get("sign"),
		Type: m.Type, Title: m.Markdown.Title, Text: m.Markdown.Text, Mobiles: m.At.Mobiles, Size: len(r.Body),
	})
	return answer(got.Code, got.Text), nil
}

func answer(code int, text string) *wire.Response {
	body, _ := json.Marshal(map[string]any{"errcode": code, "errmsg": text}) // a map of these two always marshals
	return &wire.Response{Status: 200, Body: body}
}

const token, key = "b7a1-token", "SECkey"

func sender(t *testing.T, c *cable) *Sender {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	if c.robot == nil {
		c.robot = world.New(start, 1).AddRobot("ding", world.RobotOptions{Token: token, Secret: key})
	}
	return New(Options{
		Token: secret.NewValue(token), Secret: secret.NewValue(key), At: []string{"13800000000"}, HTTP: c, Catalog: catalog, Lang: i18n.ZH,
	})
}

func alert(lines ...string) notify.Alert {
	return notify.Alert{Title: "【严重】节点 node_1：高度停滞", Severity: "critical", Items: []notify.Item{{Title: "x", Lines: lines}}}
}

func TestTheRobotTakesASignedAlertAndWakes(t *testing.T) {
	c := &cable{}
	if retry, err := sender(t, c).Send(t.Context(), alert("高度 *2761100*", "a\nb <c>"), start); err != nil || retry {
		t.Fatal(retry, err)
	}
	got := c.robot.Messages()[0]
	want := "#### 【严重】节点 node\\_1：高度停滞\n\n- 高度 \\*2761100\\*\n- a b \\<c>\n\n@13800000000"
	if got.Title != "【严重】节点 node_1：高度停滞" || got.Text != want {
		t.Errorf("arrived %q\n%q\nwant\n%q", got.Title, got.Text, want)
	}
	if len(got.Woken) != 1 {
		t.Errorf("woke %v", got.Woken)
	}
	r := c.asked[0]
	if !strings.HasPrefix(r.URL, DefaultURL+"?") || r.Timeout != 15*time.Second || r.MaxBody != 64<<10 {
		t.Errorf("asked %s within %v, at most %d bytes", wire.Display(r.URL), r.Timeout, r.MaxBody)
	}
}

func TestOnlyCriticalTroubleWakes(t *testing.T) {
	for name, change := range map[string]func(*notify.Alert){
		"a warning":  func(a *notify.Alert) { a.Severity = "warning" },
		"a recovery": func(a *notify.Alert) { a.Resolved = true },
	} {
		c := &cable{}
		a := alert("x")
		change(&a)
		if _, err := sender(t, c).Send(t.Context(), a, start); err != nil {
			t.Fatal(err)
		}
		if got := c.robot.Messages()[0]; len(got.Woken) != 0 || strings.Contains(got.Text, "@") {
			t.Errorf("%s woke %v: %s", name, got.Woken, got.Text)
		}
	}
}

func TestALargeAlertIsCutAtALine(t *testing.T) {
	for _, length := range []int{0, 1, 150, 199, 3000} {
		for _, count := range []int{1, 7, 300} {
			c := &cable{}
			var lines []string
			for n := range count {
				lines = append(lines, fmt.Sprintf("%d:%s", n, strings.Repeat("停", length)))
			}
			if _, err := sender(t, c).Send(t.Context(), alert(lines...), start); err != nil {
				t.Fatalf("%d lines of %d: %v", count, length, err)
			}
			text := c.robot.Messages()[0].Text
			kept := strings.Count(text, "\n- ")
			noted := 0
			if _, note, ok := strings.Cut(text, "（消息过长，略去 "); ok {
				if _, err := fmt.Sscanf(strings.ReplaceAll(note, ",", ""), "%d", &noted); err != nil {
					t.Fatal(err)
				}
			}
			if kept+noted != count {
				t.Errorf("%d lines of %d: %d kept, %d noted", count, length, kept, noted)
			}
			if size := len(c.asked[0].Body); noted > 0 && size < maxBody-maxLine*3 {
				t.Errorf("%d lines of %d: cut down to %d bytes", count, length, size)
			}
			if !strings.HasSuffix(text, "@13800000000") || strings.Contains(text, "�") {
				t.Errorf("%d lines of %d: the end is %q", count, length, text[len(text)-40:])
			}
		}
	}
}

func TestWhatEachAnswerMeans(t *testing.T) {
	const more = ", more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"
	for name, tc := range map[string]struct {
		reply *wire.Response
		code  string
		retry bool
		after time.Duration // of a sure refusal; -1: it may have been delivered
	}{
		"keyword":      {answer(310000, "keywords not in content"+more), "notify.dingtalk.keyword", false, -1},
		"keyword zh":   {answer(310000, "description:机器人发送关键词不匹配;solution:请确认消息中包含关键词;"), "notify.dingtalk.keyword", false, -1},
		"sign":         {answer(310000, "sign not match"+more), "notify.dingtalk.sign", false, -1},
		"sign zh":      {answer(310000, "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳必须都放在调用的网址中;"), "notify.dingtalk.sign", false, -1},
		"clock":        {answer(310000, "invalid timestamp"+more), "notify.dingtalk.clock", false, -1},
		"address":      {answer(310000, "ip 127.0.0.9 not in whitelist"+more), "notify.dingtalk.address", false, -1},
		"security":     {answer(310000, "?"), "notify.dingtalk.security", false, -1},
		"too fast":     {answer(130101, "send too fast, exceed 20 times per minute"), "notify.dingtalk.fast", true, time.Minute},
		"token":        {answer(300001, "token is not exist"), "notify.dingtalk.token", false, -1},
		"token 300005": {answer(300005, "token is not exist"), "notify.dingtalk.token", false, -1},
		"busy":         {answer(-1, "系统繁忙"), "notify.dingtalk.busy", true, -1},
		"too long":     {answer(460101, "message too long, exceed 20000 bytes"), "notify.dingtalk.long", false, -1},
		"other":        {answer(40035, "缺少参数 json"), "notify.dingtalk.other", false, -1},
		"gateway":      {&wire.Response{Status: 503, Body: []byte("x")}, "notify.dingtalk.status", true, -1},
		"portal":       {&wire.Response{Status: 200, Body: []byte("<html>login</html>")}, "notify.dingtalk.reply", true, -1},
		"empty object": {&wire.Response{Status: 200, Body: []byte("{}")}, "notify.dingtalk.reply", true, -1},
	} {
		retry, err := sender(t, &cable{reply: tc.reply}).Send(t.Context(), alert("x"), start)
		if retry != tc.retry || fleet.ReasonOf(err).Code != tc.code {
			t.Errorf("%s: retry %v, %v", name, retry, err)
		}
		after := time.Duration(-1)
		if refused, ok := errors.AsType[*notify.Refused](err); ok {
			after = refused.After
		}
		if after != tc.after {
			t.Errorf("%s: surely refused for %v, want %v", name, after, tc.after)
		}
	}
}

func TestNoErrorShowsASecret(t *testing.T) {
	for name, c := range map[string]*cable{
		"echo":        {reply: answer(40078, "no robot "+token+" with "+key)},
		"echoed sign": {reply: answer(310000, token)},
	} {
		_, err := sender(t, c).Send(t.Context(), alert("x"), start)
		if text := fmt.Sprintf("%v %+v %s", err, err, fleet.ReasonOf(err)); strings.Contains(text, token) || strings.Contains(text, key) {
			t.Errorf("%s: %s", name, text)
		}
	}
	bad := New(Options{URL: "https://[::1?access_token=" + token, HTTP: &cable{}})
	if _, err := bad.Send(t.Context(), alert("x"), start); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("a bad address: %v", err)
	}
	if text := fmt.Sprintf("%+v", sender(t, &cable{})); strings.Contains(text, token) || strings.Contains(text, key) {
		t.Errorf("the sender prints its secrets: %s", text)
	}
}

func TestARealClientThatReachesNobodyWasSurelyRefused(t *testing.T) {
	client := wire.New(wire.Options{})
	defer client.Close()
	s := sender(t, &cable{})
	s.o.HTTP, s.o.URL = client, "http://127.0.0.1:1/robot/send"
	retry, err := s.Send(t.Context(), alert("x"), start)
	var refused *notify.Refused
	if !retry || !errors.As(err, &refused) || strings.Contains(err.Error(), token) {
		t.Errorf("retry %v, %v", retry, err)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{`{"errcode":0,"errmsg":"ok"}`, `{"errcode":310000,"errmsg":"sign not match"}`, `{"errcode":"0"}`, ``, `null`, `[]`, `{"errcode":1e99}`} {
		f.Add([]byte(s))
	}
	s := New(Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := s.judge(&wire.Response{Status: 200, Body: body})
		var reply struct {
			Code *int `json:"errcode"`
		}
		ok := json.Unmarshal(body, &reply) == nil && reply.Code != nil && *reply.Code == 0
		if ok && err != nil {
			t.Errorf("%q: %v", body, err)
		}
		if !ok && err == nil {
			t.Errorf("%q is taken for a success", body)
		}
	})
}
