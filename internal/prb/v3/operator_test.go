package v3

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

const (
	mnemonic = "file midnight since bad orchard lunar violin gospel toast umbrella quantum fossil"
	hexKey   = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
)

func TestSetOperator(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		o, err := c.SetOperator(t.Context(), OperatorSpec{PID: 8, Key: secret.NewValue("//Alice"), Type: Seed, Proxied: "45Owner"})
		if err != nil || o.PID != 8 || o.Account != "45Of7" || o.Proxied != "45Owner" {
			t.Errorf("got %+v, %v", o, err)
		}
		if got := m.body("SetPoolOperator"); got != `{"SetPoolOperator":{"account":"//Alice","account_type":"Seed","pid":8,"proxied_account_id":"45Owner"}}` {
			t.Errorf("sent %s", got)
		}
		o, err = c.SetOperator(t.Context(), OperatorSpec{PID: 8, Key: secret.NewValue(hexKey), Type: SecretKey, Account: "45Of128"})
		if err != nil || o.Account != "45Of128" || o.Proxied != "" || !strings.Contains(m.body("SetPoolOperator"), `"proxied_account_id":null`) {
			t.Errorf("got %+v, %v", o, err)
		}
		_, err = c.SetOperator(t.Context(), OperatorSpec{PID: 8, Key: secret.NewValue("//Bob"), Type: Seed, Account: "45Another"})
		if fleet.ReasonOf(err).Code != "prb3.not_as_asked" || prb.IsAmbiguous(err) {
			t.Errorf("the key gives another account: %v", err)
		}
		for _, s := range []OperatorSpec{{PID: 8, Type: Seed}, {PID: 8, Key: secret.NewValue("x"), Type: "Mnemonic"}} {
			if _, err := c.SetOperator(t.Context(), s); fleet.ReasonOf(err).Code != "prb3.bad_key" {
				t.Errorf("%+v: %v", s, err)
			}
		}
	})
}

func TestUnclearAnswersToSetOperator(t *testing.T) {
	cases := map[string]struct {
		answer    func(http.ResponseWriter, func()) bool
		spec      OperatorSpec
		ambiguous bool
	}{
		"done, changed":              {hangUp(true), OperatorSpec{}, false},
		"done, as expected":          {hangUp(true), OperatorSpec{Account: "45Of5"}, false},
		"not done":                   {hangUp(false), OperatorSpec{}, true},
		"not done, another expected": {hangUp(false), OperatorSpec{Account: "45Of5"}, true},
		"empty, done":                {doneBut(200, ""), OperatorSpec{}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := newManager(t, V32)
			m.fault["SetPoolOperator"] = tc.answer
			s := tc.spec
			s.PID, s.Key, s.Type = 7, secret.NewValue("//Bob"), Seed
			o, err := newClient(t, Options{URL: m.URL, Clock: hands()}).SetOperator(t.Context(), s)
			if prb.IsAmbiguous(err) != tc.ambiguous || (err == nil) == tc.ambiguous || err == nil && o.Account != "45Of5" || m.count("SetPoolOperator") != 1 {
				t.Errorf("got %+v, %v, sent %d times", o, err, m.count("SetPoolOperator"))
			}
		})
	}
}

// However the upstream quotes the key back, no word of it is in an error, in any form of the error.
func TestNoKeyComesBack(t *testing.T) {
	for _, key := range []string{mnemonic, hexKey, "0x" + hexKey, "//Topsecret//1", mnemonic + "///hunter22"} {
		typ := Seed
		if key == hexKey {
			typ = SecretKey
		}
		for name, quote := range map[string]func(body string) (int, string){
			"ServerError": func(b string) (int, string) { return failed("cannot parse " + b) },
			"upper case":  func(b string) (int, string) { return failed(strings.ToUpper(b)) },
			"half of it":  func(b string) (int, string) { return failed("at " + key[len(key)/3:len(key)/3+14]) },
			"ApiError": func(b string) (int, string) {
				return 400, `{"error":true,"code":` + quoted("Bad("+b+")") + `,"message":""}`
			},
			"refused":       func(b string) (int, string) { return 422, "invalid value: " + b },
			"syntax":        func(b string) (int, string) { return 400, b },
			"page":          func(b string) (int, string) { return 502, "<html>" + b },
			"echo":          func(b string) (int, string) { return 200, b },
			"text":          func(b string) (int, string) { return 200, "got " + b },
			"redirect":      func(b string) (int, string) { return 307, b },
			"wrong account": func(b string) (int, string) { return 200, `{"pid":8,"operator_account_id":null}` },
			"panic":         func(b string) (int, string) { return 500, "thread panicked: " + b },
		} {
			for _, proxied := range []bool{false, true} {
				m := newManager(t, V32)
				m.fault["SetPoolOperator"] = func(w http.ResponseWriter, _ func()) bool {
					status, text := quote(m.bodies["SetPoolOperator"])
					return say(status, text)(w, nil)
				}
				o := Options{URL: m.URL, Clock: hands()}
				if proxied {
					o.Proxy = newProxy(t).URL
				}
				s := OperatorSpec{PID: 8, Key: secret.NewValue(key), Type: typ}
				_, err := newClient(t, o).SetOperator(t.Context(), s)
				if err == nil {
					t.Fatalf("%s: no error", name)
				}
				texts := fmt.Sprintf("%v|%+v|%#v|%s|%v", err, err, err, fleet.ReasonOf(err), s)
				for e := err; e != nil; e = errors.Unwrap(e) {
					texts += fmt.Sprintf("|%v|%+v", e, e)
				}
				for _, piece := range append(strings.Fields(key), key[len(key)/3:len(key)/3+9]) {
					if strings.Contains(strings.ToLower(texts), strings.ToLower(piece)) {
						t.Errorf("%s, proxied %v: %q is in %s", name, proxied, piece, texts)
					}
				}
			}
		}
	}
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

// What does not quote the key is told: it says what is wrong.
func TestHarmlessTextsStay(t *testing.T) {
	m := newManager(t, V32)
	m.fault["SetPoolOperator"] = say(500, `{"error":true,"code":"ServerError","message":"Invalid checksum"}`)
	_, err := newClient(t, Options{URL: m.URL}).SetOperator(t.Context(), OperatorSpec{PID: 8, Key: secret.NewValue(mnemonic), Type: Seed})
	if fleet.ReasonOf(err).Args["message"] != "Invalid checksum" {
		t.Errorf("got %v", err)
	}
}
