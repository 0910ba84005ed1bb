package world

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var robotStart = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func robotSign(secret string, at time.Time) (timestamp, sign string) {
	timestamp = strconv.FormatInt(at.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "\n" + secret))
	return timestamp, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestRobotChecksItsSenders(t *testing.T) {
	ts, sign := robotSign("SEC1", robotStart)
	early, earlySign := robotSign("SEC1", robotStart.Add(-61*time.Minute))
	_, otherSign := robotSign("SEC2", robotStart)
	good := RobotRequest{Token: "t", Timestamp: ts, Sign: sign, Type: "markdown", Title: "告警", Text: "node-1 停滞"}
	for name, tc := range map[string]struct {
		opt    RobotOptions
		change func(*RobotRequest)
		code   int
		text   string
	}{
		"signed":          {RobotOptions{Token: "t", Secret: "SEC1"}, func(*RobotRequest) {}, 0, "ok"},
		"unsigned":        {RobotOptions{Token: "t", Secret: "SEC1"}, func(q *RobotRequest) { q.Sign, q.Timestamp = "", "" }, 310000, "invalid timestamp"},
		"wrong secret":    {RobotOptions{Token: "t", Secret: "SEC1"}, func(q *RobotRequest) { q.Sign = otherSign }, 310000, "sign not match"},
		"old clock":       {RobotOptions{Token: "t", Secret: "SEC1"}, func(q *RobotRequest) { q.Timestamp, q.Sign = early, earlySign }, 310000, "invalid timestamp"},
		"wrong token":     {RobotOptions{Token: "u"}, func(*RobotRequest) {}, 300001, "token is not exist"},
		"keyword there":   {RobotOptions{Token: "t", Keywords: []string{"phalops", "停滞"}}, func(*RobotRequest) {}, 0, "ok"},
		"keyword missing": {RobotOptions{Token: "t", Keywords: []string{"phalops"}}, func(*RobotRequest) {}, 310000, "keywords not in content"},
		"largest":         {RobotOptions{Token: "t"}, func(q *RobotRequest) { q.Size = 20000 }, 0, "ok"},
		"too large":       {RobotOptions{Token: "t"}, func(q *RobotRequest) { q.Size = 20001 }, 460101, "exceed 20000 bytes"},
		"no text":         {RobotOptions{Token: "t"}, func(q *RobotRequest) { q.Text = "" }, 40035, "缺少参数"},
		"odd type":        {RobotOptions{Token: "t"}, func(q *RobotRequest) { q.Type = "poem" }, 40035, "msgtype"},
	} {
		r := New(robotStart, 1).AddRobot("ding", tc.opt)
		q := good
		tc.change(&q)
		got := r.Receive(q)
		if got.Code != tc.code || !strings.Contains(got.Text, tc.text) {
			t.Errorf("%s: %+v, want %d %q", name, got, tc.code, tc.text)
		}
		if arrived := len(r.Messages()) == 1; arrived != (tc.code == 0) {
			t.Errorf("%s: arrived: %v", name, arrived)
		}
	}
}

func TestRobotThrottlesForTenMinutes(t *testing.T) {
	w := New(robotStart, 1)
	r := w.AddRobot("ding", RobotOptions{Token: "t"})
	send := func() int { return r.Receive(RobotRequest{Token: "t", Type: "text", Text: "x"}).Code }
	for i := range 20 {
		if code := send(); code != 0 {
			t.Fatalf("message %d: %d", i+1, code)
		}
		w.Advance(w.Now().Add(time.Second))
	}
	w.Advance(robotStart.Add(time.Minute)) // the first one leaves the window
	if code := send(); code != 0 {
		t.Fatalf("a minute later: %d", code)
	}
	if code := send(); code != 130101 {
		t.Fatalf("21st within a minute: %d", code)
	}
	w.Advance(w.Now().Add(9*time.Minute + 59*time.Second))
	if code := send(); code != 130101 {
		t.Fatalf("while throttled: %d", code)
	}
	w.Advance(w.Now().Add(time.Second))
	if code := send(); code != 0 {
		t.Fatalf("after ten minutes: %d", code)
	}
	if got := r.Refused(130101); got != 2 {
		t.Errorf("refused %d, want 2", got)
	}
}

func TestRobotWakesOnlyWhomTheMarkdownNames(t *testing.T) {
	r := New(robotStart, 1).AddRobot("ding", RobotOptions{Token: "t"})
	r.Receive(RobotRequest{Token: "t", Type: "markdown", Title: "a", Text: "b @13800000001", Mobiles: []string{"13800000000", "13800000001"}})
	r.Receive(RobotRequest{Token: "t", Type: "text", Text: "b", Mobiles: []string{"13800000000"}})
	for i, want := range [][]string{{"13800000001"}, {"13800000000"}} {
		if got := r.Messages()[i].Woken; !slices.Equal(got, want) {
			t.Errorf("message %d woke %v, want %v", i, got, want)
		}
	}
}
