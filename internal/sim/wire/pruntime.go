package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"phalops/internal/sim/world"
)

// pruntime serves one enclave's HTTP: /prpc/…, the older /get_info, /info and /kick. Methods that only feeders and contracts
// call are not there.
type pruntime struct {
	face     *Face
	endpoint string
}

func newPruntimeHandler(face *Face, endpoint string) http.Handler { return &pruntime{face, endpoint} }

// Bodies that are accepted: 1 KiB by the methods of people, 1 MiB by the others.
const (
	prpcSmallBody = 1 << 10
	prpcBody      = 1 << 20
)

func (p *pruntime) do(f func(*world.Pruntime)) {
	p.face.Do(func(w *world.World) { f(w.Pruntime(p.endpoint)) })
}

func (p *pruntime) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var down, hung bool
	p.do(func(rt *world.Pruntime) { down, hung = rt.Down(), rt.Hung() })
	switch {
	case down:
		refuse(w)
		return
	case hung:
		<-r.Context().Done()
		return
	}
	path := "/" + strings.TrimLeft(r.URL.Path, "/") // prb asks for //prpc/…
	if method, ok := strings.CutPrefix(path, "/prpc/"); ok && (r.Method == http.MethodPost || r.Method == http.MethodGet) {
		p.prpc(w, r, method)
		return
	}
	switch r.Method + " " + path {
	case "GET /get_info":
		p.getInfo(w)
	case "POST /get_info":
		p.postGetInfo(w, r)
	case "GET /info":
		var info phactoryInfo
		p.do(func(rt *world.Pruntime) { info = showPhactory(rt) })
		rocket(w, http.StatusOK, "application/json", pretty(info))
	case "POST /kick":
		kicked := false
		p.do(func(rt *world.Pruntime) { kicked = rt.Kick() })
		if !kicked {
			rocketNotFound(w)
			return
		}
		refuse(w) // the process is gone before it answers
	default:
		rocketNotFound(w)
	}
}

// legacy is the envelope of /get_info: the payload is JSON in a string.
type legacy struct {
	Payload   string  `json:"payload"`
	Signature *string `json:"signature"`
	Status    string  `json:"status"`
}

func (p *pruntime) getInfo(w http.ResponseWriter) {
	var info phactoryInfo
	p.do(func(rt *world.Pruntime) { info = showPhactory(rt) })
	reply := legacy{Payload: string(sortedKeys(marshal(info))), Status: "ok"}
	if info.Initialized {
		s := strings.Repeat(digestOf("signature/" + reply.Payload)[:64], 2)
		reply.Signature = &s
	}
	rocket(w, http.StatusOK, "application/json", marshal(reply))
}

func (p *pruntime) postGetInfo(w http.ResponseWriter, r *http.Request) {
	body, tooLarge := readLimited(r.Body, prpcBody)
	var form struct {
		Input map[string]any `json:"input"`
		Nonce map[string]any `json:"nonce"`
	}
	switch {
	case tooLarge:
		rocketError(w, http.StatusRequestEntityTooLarge, "Payload Too Large")
	case !isJSON(r.Header.Get("Content-Type")):
		rocketNotFound(w) // no route takes another type
	case !json.Valid(body):
		rocketError(w, http.StatusBadRequest, "Bad Request")
	case json.Unmarshal(body, &form) != nil || form.Input == nil || form.Nonce == nil:
		rocketError(w, http.StatusUnprocessableEntity, "Unprocessable Entity")
	default:
		p.getInfo(w)
	}
}

// sortedKeys is JSON with the keys of every object in order, numbers untouched.
func sortedKeys(b []byte) []byte {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err) // it was made a moment ago
	}
	return marshal(v)
}

// prpc answers a call in the caller's manner: JSON by GET, with ?json=true or a JSON content type, else protobuf.
func (p *pruntime) prpc(w http.ResponseWriter, r *http.Request, method string) {
	inJSON := r.Method == http.MethodGet || r.URL.Query().Get("json") == "true" || isJSON(r.Header.Get("Content-Type"))
	name, known := strings.CutPrefix(method, "PhactoryAPI.")
	call, known2 := prpcMethods()[name]
	limit := int64(prpcBody)
	if known && known2 {
		limit = call.limit
	}
	var body []byte
	if r.Method == http.MethodPost {
		var tooLarge bool
		if body, tooLarge = readLimited(r.Body, limit); tooLarge {
			rocket(w, http.StatusRequestEntityTooLarge, "text/plain; charset=utf-8", []byte("Entity too large"))
			return
		}
	}
	reply := prpcReply{status: http.StatusNotFound, failure: `ProtoError { message: "Method Not Found" }`}
	if known && known2 {
		asked, err := call.decode(body, inJSON)
		if err != nil {
			reply = prpcReply{status: http.StatusBadRequest, failure: err.Error()}
		} else {
			p.do(func(rt *world.Pruntime) { reply = call.answer(rt, asked) })
		}
	}
	switch {
	case reply.dies:
		refuse(w)
	case inJSON && reply.failure != "":
		rocket(w, reply.status, "application/json", pretty(struct {
			Error string `json:"error"`
		}{reply.failure}))
	case inJSON:
		rocket(w, http.StatusOK, "application/json", marshal(reply.value))
	case reply.failure != "":
		rocket(w, reply.status, "application/octet-stream", protoMessage{}.text(1, reply.failure))
	default:
		rocket(w, http.StatusOK, "application/octet-stream", reply.proto)
	}
}

// rocket writes a reply with the headers of pRuntime's middleware.
func rocket(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Request-Id", strconv.FormatInt(time.Now().UnixNano(), 16))
	w.Header().Set("X-Cost-Time", "42")
	w.Header().Set("Server", "Rocket")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func rocketNotFound(w http.ResponseWriter) { rocketError(w, http.StatusNotFound, "Not Found") }

func rocketError(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, fmt.Sprintf("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n    <meta charset=\"utf-8\">\n    <title>%d %s</title>\n"+
		"</head>\n<body align=\"center\">\n    <div role=\"main\" align=\"center\">\n        <h1>%d: %s</h1>\n    </div>\n</body>\n</html>", status, text, status, text))
}
