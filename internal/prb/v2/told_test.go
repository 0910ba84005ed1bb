package v2

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// What was told before is not read again, and every change of it is.
func TestTheSameInventoryIsTheSameReading(t *testing.T) {
	m := newMonitor(t)
	c := newClient(t, Options{URL: m.URL, Clock: hasty{}})
	const one = `{"uuid":"w1","pid":"83","name":"one","endpoint":"http://10.0.0.1:8000","enabled":true,"stake":"10000000000000"}`
	pool := func(syncOnly string) func() (int, string) {
		return ok(`{"pools":[{"uuid":"p1","pid":"83","name":"pool","syncOnly":` + syncOnly + `}]}`)
	}
	steps := []struct {
		name            string
		pools, workers  func() (int, string)
		want            int // workers
		counted         int // of the pool
		syncOnly, fresh bool
		lost            bool // the reply to ListWorker
	}{
		{name: "first", pools: pool("false"), workers: ok(`{"workers":[` + one + `]}`), want: 1, counted: 1},
		{name: "the same", want: 1, counted: 1},
		{name: "a pool changed", pools: pool("true"), want: 1, counted: 1, syncOnly: true},
		{name: "a worker more", workers: ok(`{"workers":[` + one + `,` + strings.Replace(one, "w1", "w2", 1) + `]}`), want: 2, counted: 2, syncOnly: true},
		{name: "the same words, but the reply was lost", workers: reply(200, `{"data":{"workers":[`+one+`]},"hasError":false,"meta":{}}`), lost: true},
		{name: "and come again", workers: ok(`{"workers":[` + one + `]}`), want: 1, counted: 1, syncOnly: true},
		{name: "none", workers: ok(`{}`)},
		{name: "none again"},
	}
	var before prb.Reading
	for _, s := range steps {
		if s.pools != nil {
			m.set("QmLM/ListPool", s.pools)
		}
		if s.workers != nil {
			m.set("QmLM/ListWorker", s.workers)
		}
		r := c.Read(t.Context())
		if s.lost {
			if r.InventoryErr == nil || faultOf(r.InventoryErr) != faultLost {
				t.Errorf("%s: %v", s.name, r.InventoryErr)
			}
			continue
		}
		if err := errors.Join(r.MonitorErr, r.InventoryErr, r.StatesErr); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if len(r.Workers) != s.want || len(r.Pools) != 1 || r.Pools[0].Workers != s.counted {
			t.Errorf("%s: %d workers, pools %+v", s.name, len(r.Workers), r.Pools)
		}
		for _, w := range r.Workers {
			if w.SyncOnly != s.syncOnly || w.Stake != fleet.PHA(10) {
				t.Errorf("%s: %+v", s.name, w)
			}
		}
		if strings.Contains(s.name, "the same") {
			if diff := cmp.Diff(before, r, cmp.AllowUnexported(fleet.Amount{})); diff != "" {
				t.Errorf("%s: %s", s.name, diff)
			}
		}
		before = r
		for i := range r.Workers { // a reading is its reader's own
			r.Workers[i].Name, r.Pools[0].Name = "scribbled", "scribbled"
		}
		before.Workers, before.Pools = slices.Clone(before.Workers), slices.Clone(before.Pools)
		for i := range before.Workers {
			before.Workers[i].Name = "one"
		}
		for i := range before.Pools {
			before.Pools[i].Name = "pool"
		}
	}
}

// A lost reply may say the same words: its meta tells.
func TestAnEchoIsStillALostReply(t *testing.T) {
	var last echo
	parsers := new(prb.Parsers)
	ask := func(body string) (*prb.Doc, error) {
		return decodeReply(parsers, 200, []byte(body), question{peer: "Qm", method: "ListPool", last: &last})
	}
	good := `{"data":{"pools":[]},"hasError":false,"meta":{"createdAt":"1","nonce":"a"}}`
	for i, want := range []struct {
		body  string
		again bool
		fault fault
	}{
		{good, false, ""},
		{strings.Replace(good, `"a"`, `"b"`, 1), true, ""},
		{`{"data":{"pools":[]},"hasError":false,"meta":{}}`, false, faultLost},
		{good, false, ""}, // what was lost was not heard
		{good, true, ""},
		{strings.Replace(good, "[]", "[ ]", 1), false, ""},
		{`{"data":{"pools":[ ]},"hasError":false,"meta":{"createdAt":"1"}`, false, faultGarbage},
		{`{"hasError":true,"error":{"type":2,"message":"x"},"meta":{"createdAt":"1"}}`, false, faultPeer},
		{`{"hasError":true,"error":{"type":2,"message":"x"},"meta":{"createdAt":"1"}}`, false, faultPeer},
		{`{"hasError":false,"meta":{"createdAt":"1"},"data":{"pools":[]}}`, false, ""}, // nothing was told before the meta
		{`{"hasError":false,"meta":{"createdAt":"2"},"data":{"pools":[1]}}`, false, ""},
	} {
		doc, err := ask(want.body)
		if faultOf(err) != want.fault || last.again != want.again || (err == nil && doc.Absent() != want.again) {
			t.Errorf("reply %d: again %v, %v", i, last.again, err)
		}
		doc.Free()
	}
}
