package wire

import (
	"encoding/json"
	"io"
	"net/http"

	"phalops/internal/sim/world"
)

// robotBodyLimit is more than any robot accepts, so that the world and not the transport refuses what is too large.
const robotBodyLimit = 1 << 20

// newRobotHandler serves a chat robot at /robot/send as DingTalk does: whatever the outcome, the status is 200 and the
// errcode tells. Only a robot that is down answers otherwise, or not at all.
func newRobotHandler(face *Face, robot string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/robot/send", func(w http.ResponseWriter, r *http.Request) {
		req, reply := readRobotRequest(r)
		var down world.RobotDown
		face.Do(func(w *world.World) {
			ding := w.Robot(robot)
			down = ding.Down
			if reply.Code == 0 && (down == world.RobotUp || down == world.RobotAfter) {
				reply = ding.Receive(req)
			}
		})
		switch down {
		case world.RobotHangs:
			<-r.Context().Done()
		case world.Robot5xx, world.RobotAfter:
			http.Error(w, "503 Service Temporarily Unavailable", http.StatusServiceUnavailable)
		default:
			answerRobot(w, reply)
		}
	})
	return mux
}

func answerRobot(w http.ResponseWriter, reply world.RobotReply) {
	body, err := json.Marshal(struct {
		Code int    `json:"errcode"`
		Text string `json:"errmsg"`
	}{reply.Code, reply.Text})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a caller that is gone reads no answer
}

// readRobotRequest reads what the robot judges. A reply with a code says why there is nothing to judge.
func readRobotRequest(r *http.Request) (world.RobotRequest, world.RobotReply) {
	if r.Method != http.MethodPost {
		return world.RobotRequest{}, world.RobotReply{Code: 43002, Text: "需要POST请求"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, robotBodyLimit))
	if err != nil {
		return world.RobotRequest{}, world.RobotReply{Code: -1, Text: "系统繁忙"}
	}
	var m struct {
		Type string `json:"msgtype"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
		Markdown struct {
			Title string `json:"title"`
			Text  string `json:"text"`
		} `json:"markdown"`
		At struct {
			Mobiles []string `json:"atMobiles"`
		} `json:"at"`
	}
	if len(body) == 0 || json.Unmarshal(body, &m) != nil {
		return world.RobotRequest{}, world.RobotReply{Code: 40035, Text: "缺少参数 json"}
	}
	q := r.URL.Query()
	req := world.RobotRequest{
		Token: q.Get("access_token"), Timestamp: q.Get("timestamp"), Sign: q.Get("sign"),
		Type: m.Type, Title: m.Markdown.Title, Text: m.Markdown.Text, Mobiles: m.At.Mobiles, Size: len(body),
	}
	if m.Type == "text" {
		req.Title, req.Text = "", m.Text.Content
	}
	return req, world.RobotReply{}
}
