// Package dingtalk sends alerts to a group robot of DingTalk.
//
// What the protocol says: POST of a JSON message to the robot's address with access_token and, where the robot wants
// signatures, timestamp (ms) and sign = base64(HMAC-SHA256(secret, timestamp "\n" secret)); at most 20 messages a minute,
// else refusals for about ten minutes; at most 20,000 bytes; the status is 200 whatever happened and errcode tells. In
// markdown somebody is woken only when "@mobile" stands in the text too.
package dingtalk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/notify"
	"phalops/internal/secret"
	"phalops/internal/wire"
)

// DefaultURL is the service's own address.
const DefaultURL = "https://oapi.dingtalk.com/robot/send"

const (
	timeout  = 15 * time.Second
	maxReply = 64 << 10
)

// HTTP is what the Sender needs of a client; *wire.Client has it.
type HTTP interface {
	Do(ctx context.Context, r wire.Request) (*wire.Response, error)
}

// Options describe one robot.
type Options struct {
	URL     string       // default DefaultURL
	Token   secret.Value // access_token; may be empty when URL carries it
	Secret  secret.Value // signing secret; zero: the robot wants keywords or knows our address
	At      []string     // mobile numbers to wake for critical alerts
	HTTP    HTTP
	Catalog *i18n.Catalog // for the note on a text that was cut
	Lang    i18n.Lang
}

// Sender is one robot. It is safe for concurrent use.
type Sender struct{ o Options }

var _ notify.Sender = (*Sender)(nil)

// New makes a Sender.
func New(o Options) *Sender {
	if o.URL == "" {
		o.URL = DefaultURL
	}
	return &Sender{o: o}
}

// Limit is DingTalk's: 20 messages a minute and robot.
func (s *Sender) Limit() (messages int, per time.Duration) { return 20, time.Minute }

// Send delivers one alert; now signs it and must be within an hour of DingTalk's clock. An alert that is too large is cut
// at a line and says how much is missing.
func (s *Sender) Send(ctx context.Context, a notify.Alert, now time.Time) (retry bool, err error) {
	address, err := s.address(now)
	if err != nil {
		return false, err
	}
	body, err := s.body(a)
	if err != nil {
		return false, fmt.Errorf("encode a DingTalk message: %w", err)
	}
	reply, err := s.o.HTTP.Do(ctx, wire.Request{
		Method: http.MethodPost, URL: address, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body: body, Timeout: timeout, MaxBody: maxReply,
	})
	if err != nil {
		if !wire.IsAmbiguous(err) {
			err = &notify.Refused{Err: err}
		}
		return true, err
	}
	return s.judge(reply)
}

func (s *Sender) address(now time.Time) (string, error) {
	u, err := url.Parse(s.o.URL)
	if err != nil {
		// The parser's error repeats the address, which may carry the token.
		return "", fleet.Fail(fleet.Invalid, fleet.Because("wire.bad_url", "url", wire.Display(s.o.URL)))
	}
	q := u.Query()
	if !s.o.Token.IsZero() {
		q.Set("access_token", s.o.Token.Reveal())
	}
	if !s.o.Secret.IsZero() {
		ms := strconv.FormatInt(now.UnixMilli(), 10)
		q.Set("timestamp", ms)
		q.Set("sign", sign(s.o.Secret.Reveal(), ms))
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func sign(secret, ms string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(ms + "\n" + secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// judge reads the service's answer.
func (s *Sender) judge(r *wire.Response) (retry bool, err error) {
	if r.Status != http.StatusOK {
		// A gateway between us and the robot; whether the message went through, nobody knows.
		return true, fleet.Fail(fleet.Unavailable, fleet.Because("notify.dingtalk.status", "status", r.Status))
	}
	var reply struct {
		Code *int   `json:"errcode"`
		Text string `json:"errmsg"`
	}
	if err := json.Unmarshal(r.Body, &reply); err != nil || reply.Code == nil {
		return true, fleet.Fail(fleet.Unavailable, fleet.Because("notify.dingtalk.reply"))
	}
	if *reply.Code == 0 {
		return false, nil
	}
	return s.refusal(*reply.Code, s.scrub(reply.Text))
}

// throttled is how long to leave the robot alone after it said "too fast". It stays angry for about ten minutes, but not
// always.
const throttled = time.Minute

// refusal says what an errcode means. An unknown one is useless to repeat: that is DingTalk's own advice for all but -1.
func (s *Sender) refusal(code int, text string) (retry bool, err error) {
	fail := func(reason fleet.Reason) *fleet.Error { return fleet.Fail(fleet.Failed, reason) }
	switch code {
	case -1:
		return true, fail(fleet.Because("notify.dingtalk.busy"))
	case 130101, 90018, 90030:
		return true, &notify.Refused{Err: fail(fleet.Because("notify.dingtalk.fast", "code", code)), After: throttled}
	case 300001, 300005, 40014:
		return false, fail(fleet.Because("notify.dingtalk.token", "code", code))
	case 310000:
		return false, fail(security(text))
	case 460101, 101002:
		return false, fail(fleet.Because("notify.dingtalk.long", "code", code))
	default:
		return false, fail(fleet.Because("notify.dingtalk.other", "code", code, "text", text))
	}
}

// security tells the three checks of errcode 310000 apart by its text, which exists in an English and a Chinese edition. The
// Chinese one about signatures mentions the time stamp too, so it comes first.
func security(text string) fleet.Reason {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(strings.ToLower(text), w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("keyword", "关键词", "关键字"):
		return fleet.Because("notify.dingtalk.keyword")
	case has("sign not match", "签名不匹配"):
		return fleet.Because("notify.dingtalk.sign")
	case has("timestamp", "时间戳"):
		return fleet.Because("notify.dingtalk.clock")
	case has("whitelist", "white list", "白名单", "ip "):
		return fleet.Because("notify.dingtalk.address")
	default:
		return fleet.Because("notify.dingtalk.security", "text", text)
	}
}

// maxText bounds a foreign error text.
const maxText = 300

// scrub makes a foreign text fit to be shown: short, on one line, without our secrets.
func (s *Sender) scrub(text string) string {
	for _, v := range []secret.Value{s.o.Token, s.o.Secret} {
		if !v.IsZero() {
			text = strings.ReplaceAll(text, v.Reveal(), v.String())
		}
	}
	return clip(strings.Join(strings.Fields(text), " "), maxText)
}
