package world

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a chat robot of DingTalk allows. Sources: its documentation (20 messages a minute, 20,000 bytes, a clock within an
// hour) and operators' reports of what it really answers.
const (
	robotPerMinute = 20
	robotThrottle  = 10 * time.Minute
	robotSkew      = time.Hour
	robotSize      = 20000
)

const robotMore = ", more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"

// RobotDown says how a chat service fails its callers.
type RobotDown string

// Ways of being down.
const (
	RobotUp    RobotDown = ""      // it is not
	Robot5xx   RobotDown = "5xx"   // its gateway answers 503
	RobotHangs RobotDown = "hangs" // it takes the request and never answers
	RobotAfter RobotDown = "after" // it delivers the message and then answers 503: the caller cannot know
)

// RobotOptions is what the owner of a chat group configured. A robot with neither Secret nor Keywords accepts whoever
// knows its token.
type RobotOptions struct {
	Token    string
	Secret   string   // messages must be signed with it
	Keywords []string // a message must contain one of them
}

// Robot is a chat robot in a DingTalk group.
type Robot struct {
	Name string
	Down RobotDown

	w         *World
	opt       RobotOptions
	accepted  []time.Time // of the last minute
	throttled time.Time   // until when everything is refused
	received  []RobotMessage
	refused   map[int]int
}

// Options is what its owner configured, secrets included: whoever configures phalops for this world needs them.
func (r *Robot) Options() RobotOptions { return r.opt }

// RobotRequest is one message on its way to a robot, with what its sender proves himself by.
type RobotRequest struct {
	Token     string
	Timestamp string // milliseconds; "" when the sender gave none
	Sign      string // "" when the sender gave none
	Type      string // text or markdown
	Title     string
	Text      string
	Mobiles   []string // whom to wake
	Size      int      // bytes of the whole request body
}

// RobotMessage is a message that arrived in the group.
type RobotMessage struct {
	At    time.Time
	Title string
	Text  string
	Woken []string // mobile numbers that really rang: in markdown only those whose "@number" stands in the text too
}

// RobotReply is what a robot answers; Code 0 is success.
type RobotReply struct {
	Code int
	Text string
}

// AddRobot puts a robot into the world. It panics when the name is taken.
func (w *World) AddRobot(name string, opt RobotOptions) *Robot {
	if w.robots[name] != nil {
		panic("world: two robots named " + name)
	}
	r := &Robot{Name: name, w: w, opt: opt, refused: map[int]int{}}
	w.robots[name] = r
	return r
}

// Robot finds a robot; nil when there is none of that name.
func (w *World) Robot(name string) *Robot { return w.robots[name] }

// Robots are all robots in the order of their names.
func (w *World) Robots() []*Robot {
	return slices.SortedFunc(maps.Values(w.robots), func(a, b *Robot) int { return strings.Compare(a.Name, b.Name) })
}

// Messages are the messages that arrived, oldest first.
func (r *Robot) Messages() []RobotMessage { return slices.Clone(r.received) }

// Refused is how many messages were answered with an error code.
func (r *Robot) Refused(code int) int { return r.refused[code] }

// Receive takes or refuses a message. Down is not looked at: whoever carries the message has to.
func (r *Robot) Receive(q RobotRequest) RobotReply {
	reply := r.judge(q)
	if reply.Code != 0 {
		r.refused[reply.Code]++
		return reply
	}
	r.accepted = append(r.accepted, r.w.now)
	r.received = append(r.received, RobotMessage{At: r.w.now, Title: q.Title, Text: q.Text, Woken: woken(q)})
	return RobotReply{Text: "ok"}
}

func (r *Robot) judge(q RobotRequest) RobotReply {
	switch {
	case q.Token != r.opt.Token:
		return RobotReply{300001, "token is not exist"}
	case q.Size > robotSize:
		return RobotReply{460101, "message too long, exceed 20000 bytes"}
	case q.Type != "text" && q.Type != "markdown":
		return RobotReply{40035, "不合法的参数 msgtype"}
	case q.Text == "" || (q.Type == "markdown" && q.Title == ""):
		return RobotReply{40035, "缺少参数 json"}
	}
	if text := r.security(q); text != "" {
		return RobotReply{310000, text + robotMore}
	}
	if r.tooFast() {
		return RobotReply{130101, "send too fast, exceed 20 times per minute"}
	}
	return RobotReply{}
}

// security is "" for a message that passes every check that the owner switched on.
func (r *Robot) security(q RobotRequest) string {
	if r.opt.Secret != "" {
		ms, err := strconv.ParseInt(q.Timestamp, 10, 64)
		if err != nil || r.w.now.Sub(time.UnixMilli(ms)).Abs() > robotSkew {
			return "invalid timestamp"
		}
		mac := hmac.New(sha256.New, []byte(r.opt.Secret))
		mac.Write([]byte(q.Timestamp + "\n" + r.opt.Secret))
		if q.Sign != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			return "sign not match"
		}
	}
	said := func(word string) bool { return strings.Contains(q.Title+"\n"+q.Text, word) }
	if len(r.opt.Keywords) > 0 && !slices.ContainsFunc(r.opt.Keywords, said) {
		return "keywords not in content"
	}
	return ""
}

// tooFast refuses the 21st message within a minute and everything in the ten minutes that follow.
func (r *Robot) tooFast() bool {
	now := r.w.now
	if now.Before(r.throttled) {
		return true
	}
	r.accepted = slices.DeleteFunc(r.accepted, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	if len(r.accepted) >= robotPerMinute {
		r.throttled = now.Add(robotThrottle)
		return true
	}
	return false
}

func woken(q RobotRequest) []string {
	var w []string
	for _, m := range q.Mobiles {
		if q.Type == "text" || strings.Contains(q.Text, "@"+m) {
			w = append(w, m)
		}
	}
	return w
}

// Take is Receive of a message that needs no proof of its sender: whoever carries it did not go through the service's door.
func (r *Robot) Take(title, text string) RobotReply {
	if r.tooFast() {
		r.refused[130101]++
		return RobotReply{130101, "send too fast, exceed 20 times per minute"}
	}
	r.accepted = append(r.accepted, r.w.now)
	r.received = append(r.received, RobotMessage{At: r.w.now, Title: title, Text: text})
	return RobotReply{Text: "ok"}
}
