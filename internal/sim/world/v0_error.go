package world

import (
	"fmt"
	"strconv"
	"strings"
)

// v0Exception is a serialised JavaScript exception.
type v0Exception struct {
	Name    string     `json:"name,omitempty"`
	Code    string     `json:"code,omitempty"`
	Timings *v0Timings `json:"timings,omitempty"`
	Event   string     `json:"event,omitempty"`
	Message string     `json:"message"`
	Stack   string     `json:"stack"`
}

type v0Timings struct {
	Start  int64    `json:"start"`
	Socket int64    `json:"socket"`
	Error  int64    `json:"error"`
	Phases v0Phases `json:"phases"`
}

type v0Phases struct {
	Wait  int64 `json:"wait"`
	Total int64 `json:"total"`
}

// errorText makes the text of S_ERROR out of one of the short names of ErrorText, or of url, dns and json: an exception, or
// what a pRuntime answered, as JSON. Any other text is used as it is.
func (c *V0Context) errorText(name string) string {
	now, address := c.b.w.now.UnixMilli(), c.address()
	host, _, _ := strings.Cut(address, ":")
	request := func(class, code, message string, took int64) v0Exception {
		return v0Exception{Name: class, Code: code, Message: message, Stack: stack("RequestError", message, "ClientRequest.<anonymous>"),
			Timings: &v0Timings{Start: now - took - 1, Socket: now - took, Error: now, Phases: v0Phases{1, took + 1}}}
	}
	var e v0Exception
	switch name {
	case "refused":
		e = request("RequestError", "ECONNREFUSED", "connect ECONNREFUSED "+address, 0)
	case "unreachable":
		e = request("RequestError", "EHOSTUNREACH", "connect EHOSTUNREACH "+address, 0)
	case "dns":
		e = request("RequestError", "ENOTFOUND", "getaddrinfo ENOTFOUND "+host, 0)
	case "reset":
		e = request("RequestError", "ECONNRESET", "socket hang up", 1)
	case "timeout", "blob", "etimedout":
		e = request("TimeoutError", "ETIMEDOUT", "Timeout awaiting 'request' for 30000ms", 30000)
		e.Event = "request"
	case "500":
		e = request("HTTPError", "ERR_NON_2XX_3XX_RESPONSE", "Response code 500 (Internal Server Error)", 1)
		e.Stack = stack("HTTPError", e.Message, "Request.<anonymous>")
	case "url":
		return fmt.Sprintf(`{"input":%s,"code":"ERR_INVALID_URL","name":"TypeError","message":"Invalid URL","stack":%s}`,
			plainJSON(address+"/prpc/PhactoryAPI.GetInfo"), plainJSON(stack("TypeError [ERR_INVALID_URL]", "Invalid URL", "new NodeError")))
	case "json":
		e = v0Exception{Name: "SyntaxError", Message: "Unexpected token I in JSON at position 0"}
		e.Stack = stack(e.Name, e.Message, "JSON.parse")
	case "pool":
		e = v0Exception{Name: "Error", Message: "Worker is assigned to other pool!"}
		e.Stack = stack(e.Name, e.Message, "onStarting")
	case "trader":
		e = v0Exception{Name: "Error", Message: "Trader is down!"}
		e.Stack = stack(e.Name, e.Message, "dispatchTx")
	case "tx":
		return strconv.Quote("Error: Tx failed: phalaStakePool.InsufficientFreeStake:  The free stake in the pool is not enough.")
	case "txtimeout":
		return strconv.Quote("TxTimeOutError: Timeout!")
	default:
		return ErrorText(name, address)
	}
	return string(plainJSON(e))
}

func stack(class, message, frame string) string {
	return class + ": " + message + "\n    at " + frame + " (node:internal)"
}
