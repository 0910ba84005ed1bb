package substrate

import (
	"context"
	"errors"
	"testing"

	"phalops/internal/fleet"
)

type gets func(url string) (int, string, error)

func (g gets) Get(_ context.Context, url string) (int, []byte, error) {
	status, body, err := g(url)
	return status, []byte(body), err
}

func value(n *Number) int64 {
	if n == nil {
		return -1
	}
	return int64(*n)
}

func TestReadCache(t *testing.T) {
	var asked string
	s, err := ReadCache(t.Context(), gets(func(url string) (int, string, error) {
		asked = url
		return 200, `{"genesis":[8325311],"recent_imported":{"header":10,"para_header":null,"storage_changes":7},
			"higest":{"header":16400000,"para_header":3000000,"storage_changes":2999999},"checked":{"header":5,"para_header":null,"storage_changes":null}}`, nil
	}), "http://127.0.0.1:8002/")
	if err != nil || asked != "http://127.0.0.1:8002/state" || len(s.Genesis) != 1 || s.Genesis[0] != 8325311 {
		t.Fatalf("%s: %+v, %v", asked, s, err)
	}
	for what, got := range map[string][2]int64{
		"imported": {value(s.Imported.Header), 10}, "imported para": {value(s.Imported.ParaHeader), -1},
		"highest": {value(s.Highest.Header), 16400000}, "highest para": {value(s.Highest.ParaHeader), 3000000},
		"highest changes": {value(s.Highest.StorageChanges), 2999999}, "checked": {value(s.Checked.Header), 5}, "checked para": {value(s.Checked.ParaHeader), -1},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", what, got[0], got[1])
		}
	}
}

func TestReadCacheSpelling(t *testing.T) {
	s, err := ReadCache(t.Context(), gets(func(string) (int, string, error) { return 200, `{"highest":{"header":3}}`, nil }), "http://127.0.0.1:8002")
	if err != nil || value(s.Highest.Header) != 3 || s.Imported.Header != nil {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestReadCacheNonsense(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
	}{{404, "not found"}, {200, ""}, {200, "[]"}, {200, "{}"}, {200, `{"higest":{"header":-4}}`}, {200, `{"higest":null}`}, {500, `{"higest":{}}`}} {
		s, err := ReadCache(t.Context(), gets(func(string) (int, string, error) { return tc.status, tc.body, nil }), "http://127.0.0.1:8002")
		if fleet.ReasonOf(err).Code != "substrate.bad_cache" {
			t.Errorf("%d %q: %+v, %v", tc.status, tc.body, s, err)
		}
	}
	down := errors.New("down")
	if _, err := ReadCache(t.Context(), gets(func(string) (int, string, error) { return 0, "", down }), "x"); !errors.Is(err, down) {
		t.Errorf("silence: %v", err)
	}
}

func FuzzCache(f *testing.F) {
	for _, s := range []string{`{"higest":{"header":1}}`, `{}`, `null`, `{"genesis":[1,"0x2"],"higest":{},"checked":{"header":1e9}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := decodeCache(200, body)
		for _, n := range []*Number{s.Imported.Header, s.Highest.Header, s.Highest.ParaHeader, s.Highest.StorageChanges, s.Checked.Header} {
			if n != nil && (err != nil || int64(*n) < 0) {
				t.Errorf("%q: %d, %v", body, *n, err)
			}
		}
	})
}
