package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"phalops/internal/sim/world"
)

// hugeReply is the length of the result of rpc.huge.
const hugeReply = 200 << 20

// garbage is what rpc.garbage answers instead of an answer.
func garbage(form string) (status int, contentType, text string) {
	const jsonType = "application/json; charset=utf-8"
	switch form {
	case world.GarbageTorn:
		return http.StatusOK, jsonType, `{"jsonrpc":"2.0","result":{"peers":40,"isSyn`
	case world.GarbageStranger:
		return http.StatusOK, jsonType, `{"jsonrpc":"2.0","result":{"peers":40,"isSyncing":false,"shouldHavePeers":true},"id":4294967295}`
	case world.GarbageEmpty:
		return http.StatusOK, jsonType, ""
	default:
		return http.StatusBadGateway, "text/html", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
	}
}

// writeHuge streams a well-formed answer to the request that is far longer than anybody expects.
func writeHuge(w io.Writer, request []byte) error {
	var q rpcRequest
	_ = json.Unmarshal(request, &q)
	if len(q.ID) == 0 {
		q.ID = json.RawMessage("null")
	}
	if _, err := fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":"0x`, q.ID); err != nil {
		return err
	}
	zeros := bytes.Repeat([]byte("0"), 64<<10)
	for range hugeReply / len(zeros) {
		if _, err := w.Write(zeros); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, `"}`)
	return err
}
