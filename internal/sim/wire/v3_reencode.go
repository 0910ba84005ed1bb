package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// jsValue writes the next value of d the way JSON.stringify does: members in their order, the last of two equal names.
func jsValue(d *json.Decoder, out *bytes.Buffer) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return jsMembers(d, out)
		}
		return jsElements(d, out)
	case json.Number:
		out.WriteString(jsNumber(t))
	default:
		out.Write(marshal(t))
	}
	return nil
}

func jsElements(d *json.Decoder, out *bytes.Buffer) error {
	out.WriteByte('[')
	for first := true; d.More(); first = false {
		if !first {
			out.WriteByte(',')
		}
		if err := jsValue(d, out); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	_, err := d.Token()
	return err
}

func jsMembers(d *json.Decoder, out *bytes.Buffer) error {
	var names []string
	values := map[string]string{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // a member's name is nothing else
		if _, twice := values[name]; !twice {
			names = append(names, name)
		}
		var value bytes.Buffer
		if err := jsValue(d, &value); err != nil {
			return err
		}
		values[name] = value.String()
	}
	out.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(marshal(name))
		out.WriteByte(':')
		out.WriteString(values[name])
	}
	out.WriteByte('}')
	_, err := d.Token()
	return err
}

// jsNumber is a number as JavaScript prints it, after a float64 has held it.
func jsNumber(n json.Number) string {
	f, err := n.Float64()
	switch size := math.Abs(f); {
	case err != nil || math.IsInf(f, 0):
		return "null"
	case f == 0:
		return "0"
	case size >= 1e21 || size < 1e-6:
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
		return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
