package world

import (
	"fmt"
	"strconv"
	"strings"
)

// ErrorText makes a lastMessage of S_ERROR out of a short name:
//
//	refused · unreachable · etimedout · timeout (default) · blob · reset · 500 · pool · tx · txtimeout · trader
//
// or of what a pRuntime answers, for example BlockNumberMismatch or HeaderHashMismatch: a word that begins with a capital.
// Any other text is used as it is.
func ErrorText(name, address string) string {
	switch name {
	case "refused":
		return errorJSON("connect ECONNREFUSED " + address)
	case "unreachable":
		return errorJSON("connect EHOSTUNREACH " + address)
	case "etimedout":
		return errorJSON("connect ETIMEDOUT " + address)
	case "", "timeout":
		return errorJSON("timeout of 60000ms exceeded")
	case "blob":
		return errorJSON("timeout of 150000ms exceeded")
	case "reset":
		return errorJSON("socket hang up")
	case "500":
		return errorJSON("Request failed with status code 500")
	case "pool":
		return errorJSON("Worker is assigned to other pool!")
	case "tx":
		return errorJSON("Tx failed: phalaStakePoolv2.InsufficientFreeStake:  The free stake in the pool is not enough.")
	case "txtimeout":
		return strconv.Quote("TxTimeOutError: Timeout!")
	case "trader":
		return errorJSON("Trader is down!")
	}
	if name[0] >= 'A' && name[0] <= 'Z' && !strings.ContainsAny(name, "\" :") {
		return fmt.Sprintf(`{"payload":{"message":"%s"},"signature":"%s","status":"error","isRuntimeReturnedError":true}`,
			name, strings.Repeat("ab", 64))
	}
	return name
}
