package roster_test

import (
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// TestOneFormForAnEndpoint: whatever way an endpoint is written, two that mean the same are found to be the same.
func TestOneFormForAnEndpoint(t *testing.T) {
	for want, same := range map[string][]string{
		"http://192.168.2.1:8000":    {"192.168.2.1", "192.168.2.1:8000", "http://192.168.2.1:8000", "http://192.168.2.1:8000/", "HTTP://192.168.2.1:8000//", "[::ffff:192.168.2.1]"},
		"http://gpu-1.lan:8000":      {"GPU-1.lan", "gpu-1.LAN.:8000", "http://Gpu-1.lan:8000/"},
		"http://[fd00::1]:8000":      {"fd00::1", "[fd00::1]", "[FD00:0:0:0::1]:8000", "http://[fd00:0::1]:8000"},
		"https://gpu:8443/worker/1":  {"https://gpu:8443/worker/1", "https://gpu:8443/worker/1/"},
		"http://worker_1.compose:80": {"worker_1.compose:80"},
	} {
		for _, s := range same {
			got, why := roster.Endpoint(s)
			if got != want || !why.IsZero() {
				t.Errorf("Endpoint(%q) = %q %s, want %q", s, got, why, want)
			}
			if again, _ := roster.Endpoint(got); again != got {
				t.Errorf("%q becomes %q", got, again)
			}
		}
	}
	for _, s := range []string{"", "http://", "http://:8000", "192.168.2", "1.2.3.4.5", "a b", "a..b", "-a", "http://a:0", "a:08", "http://a:8000#x", "224.0.0.1", "::", "255.255.255.255", "[::1", "::1]", "[a]", "[::1]8000", "a:b:c", "file:///etc/passwd"} {
		if got, why := roster.Endpoint(s); why.IsZero() || got != "" {
			t.Errorf("Endpoint(%q) = %q", s, got)
		}
	}
}

// TestKey: bridges write endpoints in their own way, and take what is none.
func TestKey(t *testing.T) {
	for s, want := range map[string]string{
		"http://192.168.2.1:8000/": "http://192.168.2.1:8000", "http://gpu/": "http://gpu:80", "https://GPU": "https://gpu:443", " http://a:1 ": "http://a:1",
		"http://[fd00::1]/": "http://[fd00::1]:80", "": "", "http://:8000": "http://:8000", "192.168.2.1:8000": "192.168.2.1:8000", "http://a b": "http://a b", "unix:///x": "unix:///x",
	} {
		if got := roster.Key(s); got != want {
			t.Errorf("Key(%q) = %q, want %q", s, got, want)
		}
	}
}

// TestStakeIsExact to the last of twelve decimals.
func TestStakeIsExact(t *testing.T) {
	for s, want := range map[string]string{
		"10": "10000000000000", "10.5": "10500000000000", "10.5 PHA": "10500000000000", "10pha": "10000000000000", "0": "0", "0.000000000001": "1",
		"1000000000": "1000000000000000000000", "1000000000000": "1000000000000", "5000000000000001": "5000000000000001", "007": "7000000000000",
		"1000000000000000000000": "1000000000000000000000",
	} {
		got, why := roster.Stake(s)
		if got.String() != want || !why.IsZero() {
			t.Errorf("Stake(%q) = %s %s, want %s", s, got, why, want)
		}
	}
	for s, code := range map[string]string{
		"": "roster.bad_stake", "ten": "roster.bad_stake", "-1": "roster.bad_stake", "1e3": "roster.bad_stake", "1,000": "roster.bad_stake", "10.": "roster.bad_stake", ".5": "roster.bad_stake",
		"PHA": "roster.bad_stake", "10 KSM": "roster.bad_stake", "0.0000000000001": "roster.stake_decimals", "1000000001": "roster.stake_range", "999999999999": "roster.stake_range",
		"1000000000000 PHA": "roster.stake_range", "1000000000000.5": "roster.stake_range", "1000000000000000000001": "roster.stake_range", "99999999999999999999999999999999999999999": "roster.stake_range",
	} {
		if got, why := roster.Stake(s); why.Code != code || got != (fleet.Amount{}) {
			t.Errorf("Stake(%q) = %s %s, want %s", s, got, why, code)
		}
	}
}

// TestStakeTooSmall: what ends v2's lifecycle manager is only a worker that never starts elsewhere, and v3 takes it.
func TestStakeTooSmall(t *testing.T) {
	small, enough := fleet.NewAmount(1e12-1), fleet.PHA(1)
	for _, c := range []struct {
		version string
		stake   fleet.Amount
		enabled bool
		want    bool
	}{{"v0", small, true, true}, {"v2", small, true, true}, {"v2", small, false, false}, {"v3", small, true, false}, {"v2", enough, true, false}} {
		if got := roster.StakeTooSmall(c.version, c.stake, c.enabled); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
