package roster_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// TestListed: a list that added workers chooses them again, at every generation, and nobody who only has the name.
func TestListed(t *testing.T) {
	fleetNow := []fleet.WorkerStatus{
		{ID: "id-1", Name: "w-1", Endpoint: "http://192.168.2.1:8000"},
		{ID: "id-2", Name: "w-2", Endpoint: "http://192.168.2.2:8000/"},
		{ID: "id-3", Name: "192.168.2.3", Endpoint: "http://gpu-3/"},
		{ID: "id-4", Name: "w-1", Endpoint: "http://192.168.2.4:8000"},
	}
	for name, c := range map[string]struct{ text, want string }{
		"pid:ip:name":           {"83:192.168.2.1:w-1\n83:192.168.2.2:w-2\n", "id-1 id-2"},
		"a range":               {"192.168.2.[1-2]\n", "id-1 id-2"},
		"v3's list":             {"w-1, http://192.168.2.1:8000, 10, 83\n", "id-1"},
		"a table":               {"name,ip\nw-1,192.168.2.2\n", "id-2"},
		"a table without one":   {"worker,bridge\nw-1,prb-a\n", "id-1 id-4"},
		"YAML":                  {"- {name: w-1, ip: 192.168.2.2}\n- w-2\n", "id-2"},
		"names, with a range":   {"w-[1-2]\n", "id-1 id-2 id-4"},
		"an id":                 {"\ufeffid-4 # the last\r\n", "id-4"},
		"called by its address": {"192.168.2.3\n", "id-3"},
		"a URL":                 {"http://gpu-3:80\nhttp://192.168.2.2:8000/\n", "id-2 id-3"},
		"a host with its port":  {"gpu-3:80", "id-3"},
		"another pool's":        {"83:192.168.2.3", ""},
	} {
		t.Run(name, func(t *testing.T) {
			listed, problems, err := roster.ParseListed(strings.NewReader(c.text))
			if err != nil || len(problems) > 0 {
				t.Fatal(err, problems)
			}
			var got []string
			for _, w := range fleetNow {
				if (fleet.Selector{Listed: listed}).Match("", nil, w, time.Time{}) {
					got = append(got, w.ID)
				}
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%s %q", diff, listed)
			}
		})
	}
	for text, code := range map[string]string{
		"": "roster.empty", "w-1,w-2": "roster.four_fields", "83:192.168.2.3:8000": "roster.port_or_name", "name,pid\n,83\n": "roster.nobody", "pid\n83\n": "roster.no_endpoint_column",
		"w-[9-1]": "roster.range_backwards", "192.168.2.[9-1]": "roster.range_backwards", "http://gpu-3": "roster.no_port", "name,ip\nw,1.2.3.4.5\n": "roster.bad_address",
	} {
		_, problems, err := roster.ParseListed(strings.NewReader(text))
		if err != nil || len(problems) != 1 || problems[0].Reason.Code != code {
			t.Errorf("%q: %v %v, want %s", text, err, problems, code)
		}
	}
}

func FuzzParseListed(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		listed, problems, err := roster.ParseListed(strings.NewReader(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		sound(t, problems, data)
		for _, s := range listed {
			if s == "" {
				t.Fatal("nothing chooses nobody")
			}
		}
	})
}
