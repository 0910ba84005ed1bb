package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
)

func TestSecretsInAddressesStayOutOfErrors(t *testing.T) {
	dead := raw(t, func(net.Conn) {})
	c := newClient(t, Options{Redact: func(s string) string { return strings.ReplaceAll(s, "bot123", "<secret>") }})
	for _, url := range []string{
		strings.Replace(dead, "//", "//ops:s3cret@", 1) + "/bot123/send?access_token=s3cret&x=1#s3cret",
		"http://ops:s3cret@127.0.0.1:1/?access_token=s3cret",
		"http://127.0.0.1:bad/?access_token=s3cret",
		"gopher://x/?access_token=s3cret",
		"://s3cret",
	} {
		_, err := c.Do(t.Context(), Request{URL: url})
		if err == nil {
			t.Fatalf("%s: no error", url)
		}
		for _, text := range []string{err.Error(), fleet.ReasonOf(err).String(), errors.Unwrap(err).Error()} {
			if strings.Contains(text, "s3cret") || strings.Contains(text, "bot123") {
				t.Errorf("the secret is in %q", text)
			}
		}
	}
}

func TestOnlyLoopbackMayBeDialled(t *testing.T) {
	c := newClient(t, Options{Resolver: nameServer(t, netip.MustParseAddr("10.1.2.3"))})
	for _, host := range []string{"10.1.2.3", "192.168.2.1", "0.0.0.0", "[::1]", "[::ffff:10.1.2.3]", "169.254.169.254", "innocent.test"} {
		_, err := c.Do(t.Context(), Request{URL: "http://" + host + ":9944/", Timeout: 2 * time.Second})
		if ClassOf(err) != Forbidden || IsAmbiguous(err) {
			t.Errorf("%s: got %v, want forbidden", host, err)
		}
	}
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	back := newClient(t, Options{Resolver: nameServer(t, netip.MustParseAddr("127.0.0.1"))})
	if _, err := back.Do(t.Context(), Request{URL: strings.Replace(url, "127.0.0.1", "innocent.test", 1)}); err != nil {
		t.Errorf("a name of a loopback address: %v", err)
	}
	if _, err := c.Do(t.Context(), Request{URL: strings.Replace(url, "127.0.0.1", "[::ffff:127.0.0.1]", 1)}); err != nil {
		t.Errorf("a mapped loopback address: %v", err)
	}
}

// nameServer resolves every name to a.
func nameServer(t *testing.T, a netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if n < 12 {
				continue
			}
			end := 12
			for end < n && buf[end] != 0 {
				end += int(buf[end]) + 1
			}
			question := buf[12 : end+5]
			reply := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
			if binary.BigEndian.Uint16(question[len(question)-4:]) == 1 { // an A record was asked for
				reply[7] = 1
				reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4)
				reply = append(reply, a.AsSlice()...)
			}
			_, _ = conn.WriteTo(reply, from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
