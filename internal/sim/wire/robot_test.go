package wire

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
)

const robotMarkdown = `{"msgtype":"markdown","markdown":{"title":"告警","text":"node-1 @13800000000"},"at":{"atMobiles":["13800000000"],"isAtAll":false}}`

func robotFace(down world.RobotDown) (*world.Robot, http.Handler) {
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	w := world.New(start, 1)
	r := w.AddRobot("ding", world.RobotOptions{Token: "t"})
	r.Down = down
	return r, newRobotHandler(NewFace(w, clock.NewVirtual(start)), "ding")
}

func TestRobotAnswersAsDingTalkDoes(t *testing.T) {
	for name, tc := range map[string]struct {
		method, url, body string
		down              world.RobotDown
		status            int
		answer            string
		arrived           int
	}{
		"markdown":        {"POST", "/robot/send?access_token=t", robotMarkdown, "", 200, `{"errcode":0,"errmsg":"ok"}`, 1},
		"text":            {"POST", "/robot/send?access_token=t", `{"msgtype":"text","text":{"content":"a"}}`, "", 200, `{"errcode":0,"errmsg":"ok"}`, 1},
		"refusal is 200":  {"POST", "/robot/send?access_token=u", robotMarkdown, "", 200, `{"errcode":300001,"errmsg":"token is not exist"}`, 0},
		"no token":        {"POST", "/robot/send", robotMarkdown, "", 200, `{"errcode":300001,"errmsg":"token is not exist"}`, 0},
		"not JSON":        {"POST", "/robot/send?access_token=t", "hello", "", 200, `{"errcode":40035,"errmsg":"缺少参数 json"}`, 0},
		"empty":           {"POST", "/robot/send?access_token=t", "", "", 200, `{"errcode":40035,"errmsg":"缺少参数 json"}`, 0},
		"GET":             {"GET", "/robot/send?access_token=t", "", "", 200, `{"errcode":43002,"errmsg":"需要POST请求"}`, 0},
		"too large":       {"POST", "/robot/send?access_token=t", `{"msgtype":"text","text":{"content":"` + strings.Repeat("a", 20000) + `"}}`, "", 200, `{"errcode":460101,"errmsg":"message too long, exceed 20000 bytes"}`, 0},
		"gateway down":    {"POST", "/robot/send?access_token=t", robotMarkdown, world.Robot5xx, 503, "503 Service Temporarily Unavailable\n", 0},
		"down afterwards": {"POST", "/robot/send?access_token=t", robotMarkdown, world.RobotAfter, 503, "503 Service Temporarily Unavailable\n", 1},
		"elsewhere":       {"POST", "/robot/other", robotMarkdown, "", 404, "404 page not found\n", 0},
	} {
		robot, handler := robotFace(tc.down)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(tc.method, tc.url, strings.NewReader(tc.body)))
		if rec.Code != tc.status || rec.Body.String() != tc.answer {
			t.Errorf("%s: %d %q, want %d %q", name, rec.Code, rec.Body, tc.status, tc.answer)
		}
		if got := len(robot.Messages()); got != tc.arrived {
			t.Errorf("%s: %d messages arrived, want %d", name, got, tc.arrived)
		}
	}
}

func TestRobotThatHangsEndsWithItsCaller(t *testing.T) {
	robot, handler := robotFace(world.RobotHangs)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, "/robot/send?access_token=t", strings.NewReader(robotMarkdown)).WithContext(ctx)
	handler.ServeHTTP(rec, req)
	if rec.Body.Len() != 0 || len(robot.Messages()) != 0 {
		t.Errorf("a hanging robot answered %q and took %d messages", rec.Body, len(robot.Messages()))
	}
}
