package pruntime

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// errOtherForm: an answer came, in no form that is understood here (protobuf from a server that does not know JSON, a page
// of a proxy, …).
var errOtherForm = errors.New("not an answer of this form")

// record is a JSON object whose fields are read one by one: versions lack fields, and a field of another type than expected
// is an unknown field.
type record map[string]json.RawMessage

func (r record) text(key string) string {
	var s string
	if json.Unmarshal(r[key], &s) == nil {
		return clip(s, 200)
	}
	var list []int // bytes are arrays of integers in this API
	if json.Unmarshal(r[key], &list) != nil || len(list) > 64 {
		return ""
	}
	raw := make([]byte, len(list))
	for i, n := range list {
		if n < 0 || n > 255 {
			return ""
		}
		raw[i] = byte(n)
	}
	return hex.EncodeToString(raw)
}

// hex is text as far as it is hex, without 0x.
func (r record) hex(key string) string {
	s := strings.ToLower(strings.TrimPrefix(r.text(key), "0x"))
	if strings.Trim(s, "0123456789abcdef") != "" {
		return ""
	}
	return s
}

// number is a whole number ≥ 0, also when it is written as text.
func (r record) number(key string) (int64, bool) {
	s := strings.Trim(string(r[key]), `"`)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return n, true
	}
	return 0, false
}

// count is number, 0 when it is not there.
func (r record) count(key string) int64 {
	n, _ := r.number(key)
	return n
}

func (r record) flag(key string) *bool {
	var v *bool
	if json.Unmarshal(r[key], &v) != nil {
		return nil
	}
	return v
}

func (r record) part(key string) record {
	var part record
	_ = json.Unmarshal(r[key], &part)
	return part
}

// done is the height below the next number that pRuntime wants; -1 when it wants the first.
func (r record) done(key string) fleet.Height {
	next, ok := r.number(key)
	if !ok || next > math.MaxUint32 {
		return fleet.Height{}
	}
	return fleet.Height{Value: next - 1, Known: true}
}

func (r record) height(key string) fleet.Height {
	n, known := r.number(key)
	return fleet.Height{Value: n, Known: known}
}

// isInfo reports whether this can be a PhactoryInfo: every version has these two.
func (r record) isInfo() bool {
	_, ok := r.number("blocknum")
	return ok && r.flag("initialized") != nil
}

// fill reads a PhactoryInfo. What moved into `system` in 2022-09 is taken from there when it is there.
func (r record) fill(s *fleet.PruntimeStatus) {
	system := r.part("system")
	s.Initialized, s.Registered = r.flag("initialized"), r.flag("registered")
	if v := system.flag("registered"); v != nil {
		s.Registered = v
	}
	if v := r.flag("dev_mode"); v != nil {
		s.DevMode = *v
	}
	s.PublicKey, s.ECDHKey, s.GenesisHash = r.hex("public_key"), r.hex("ecdh_public_key"), r.hex("genesis_block_hash")
	if s.PublicKey == "" {
		s.PublicKey = system.hex("public_key")
	}
	if s.ECDHKey == "" {
		s.ECDHKey = system.hex("ecdh_public_key")
	}
	s.Version, s.Revision = r.text("version"), r.text("git_revision")
	s.Relay, s.ParaHeader, s.Para = r.done("headernum"), r.done("para_headernum"), r.done("blocknum")
	s.Pending, s.Score = r.height("pending_messages"), r.count("score")
	m := r.part("memory_usage")
	s.Memory = fleet.Memory{Used: m.count("rust_used"), Peak: m.count("rust_peak_used"), TotalPeak: m.count("total_peak_used"), Free: m.count("free")}
	s.Waiting, s.FastSync = r.flag("waiting_for_paraheaders"), r.flag("can_load_chain_state")
	s.SafeMode = r.count("safe_mode_level")
	if ms := r.count("current_block_time"); ms > 0 && ms < 1<<47 { // the latter is beyond the year 6000
		s.BlockTime = time.UnixMilli(ms).UTC()
	}
	gatekeeper := r.part("gatekeeper")
	if in := system.part("gatekeeper"); in != nil {
		gatekeeper = in
	}
	s.Gatekeeper = gatekeeper.count("role")
	s.Consensus = system.height("max_supported_consensus_version")
	var methods []string
	if json.Unmarshal(r["supported_attestation_methods"], &methods) == nil {
		for _, m := range methods[:min(len(methods), 10)] {
			s.Attests = append(s.Attests, clip(m, 40))
		}
	}
}

// decodeRPC reads the answer of a method in JSON mode.
func decodeRPC(status int, body []byte, q question) (record, error) {
	r, err := decodeCall(status, body, q)
	if err == nil && !r.isInfo() {
		return nil, garbage(q, errOtherForm)
	}
	return r, err
}

func decodeCall(status int, body []byte, q question) (record, error) {
	if status/100 != 2 {
		return nil, refusal(status, body, q)
	}
	var r record
	if json.Unmarshal(body, &r) != nil || r == nil {
		return nil, garbage(q, errOtherForm)
	}
	return r, nil
}

// decodeEnvelope reads the older answer: {"payload":"<JSON text>","signature":…,"status":"ok"|"error"}.
func decodeEnvelope(status int, body []byte, q question) (record, error) {
	envelope, err := decodeCall(status, body, q)
	if err != nil {
		return nil, err
	}
	var payload string
	if json.Unmarshal(envelope["payload"], &payload) != nil {
		return nil, garbage(q, errOtherForm)
	}
	var r record
	read := json.Unmarshal([]byte(payload), &r) == nil
	if envelope.text("status") == "error" {
		if said := r.text("message"); said != "" {
			payload = said
		}
		return nil, explain(payload, q)
	}
	if !read || !r.isInfo() {
		return nil, garbage(q, errOtherForm)
	}
	return r, nil
}

// decodeInfo reads /info, which tells of a lock that it cannot get in broken JSON and with status 200.
func decodeInfo(status int, body []byte, q question) (record, error) {
	if status == http.StatusOK && bytes.HasPrefix(bytes.TrimSpace(body), []byte(`{"error": "Failed to lock`)) {
		return nil, explain("Failed to lock Phactory", q)
	}
	return decodeRPC(status, body, q)
}

func garbage(q question, cause error) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("pruntime.garbage", "method", q.method, "url", q.url), cause)
}

// refusal reads an answer with another status than 200: {"error":"…"} in JSON mode, the word of a proxy otherwise.
func refusal(status int, body []byte, q question) error {
	var said struct {
		Error *string `json:"error"`
	}
	worded := json.Unmarshal(body, &said) == nil && said.Error != nil
	switch {
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusUnsupportedMediaType:
		return fleet.FailWith(fleet.Unavailable, fleet.Because("pruntime.no_method", "method", q.method, "url", q.url), ErrNoMethod)
	case status == http.StatusForbidden:
		return fleet.FailWith(fleet.Refused, fleet.Because("pruntime.forbidden", "method", q.method, "url", q.url), ErrForbidden)
	case worded:
		return explain(*said.Error, q)
	}
	return fleet.Fail(fleet.Unavailable, fleet.Because("pruntime.http_status", "method", q.method, "url", q.url, "status", status))
}

// wrapped is how the server prints an error that has no text of its own.
var wrapped = regexp.MustCompile(`^\w+ \{ message: "(.*)" \}$`)

// explain turns an error text into an error.
func explain(text string, q question) error {
	if m := wrapped.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	text = clip(text, 500)
	lower := strings.ToLower(text)
	switch {
	case lower == "method not found":
		return fleet.FailWith(fleet.Unavailable, fleet.Because("pruntime.no_method", "method", q.method, "url", q.url), ErrNoMethod)
	case strings.Contains(lower, "rcu in progress"), strings.Contains(lower, "failed to lock"):
		return fleet.FailWith(fleet.Unavailable, fleet.Because("pruntime.busy", "method", q.method, "url", q.url), ErrBusy)
	case strings.Contains(lower, "in safe mode"):
		return fleet.FailWith(fleet.Refused, fleet.Because("pruntime.safe_mode", "method", q.method, "url", q.url), ErrSafeMode)
	case strings.Contains(lower, "runtime not initialized"), strings.Contains(lower, "uninitiated runtime info"), strings.Contains(lower, "system is uninitialized"):
		return fleet.FailWith(fleet.Failed, fleet.Because("pruntime.uninitialized", "method", q.method, "url", q.url), ErrUninitialized)
	}
	return fleet.Fail(fleet.Failed, fleet.Because("pruntime.error", "method", q.method, "url", q.url, "message", text))
}

// clip bounds a foreign text and makes it valid UTF-8.
func clip(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
