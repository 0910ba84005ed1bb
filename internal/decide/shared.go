package decide

import (
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// Spans and numbers of a shared cause.
const (
	clusterWindow  = 5 * time.Minute  // turned bad within
	clusterLeast   = 3                // at least this many
	clusterShare   = 5                // and at least one in this many
	clusterHold    = 2 * time.Minute  // the parent must be seen healthy this long before the children are taken one by one
	segmentHold    = 10 * time.Minute // … when what they share is a network segment, which nobody here can look at
	afterTreatment = 10 * time.Minute // who turns bad so soon after a restart is no new symptom of the parent
)

// cluster is a group of workers that turned bad together and whose own actions wait.
type cluster struct {
	members map[int]bool // positions in Status.Workers
	total   int          // enabled workers with a context
	until   time.Time    // when they are taken one by one
	since   time.Time    // when the first of them turned bad
	segment string       // network prefix that all of them share, when the way to them is what fails
	names   []string
}

type badWorker struct {
	at    int
	since time.Time
}

// together are the enabled workers with a context that are bad, the longest bad first, and how many there are in all. One
// that turned bad so soon after its own treatment is no symptom of anything shared.
func (j *judge) together(found []finding) (bad []badWorker, total int) {
	for i := range j.Status.Workers {
		w := &j.Status.Workers[i]
		if !w.Enabled || !w.Running {
			continue
		}
		total++
		f := &found[i]
		if !f.bad {
			continue
		}
		if t := j.treated(w.Ref); !t.IsZero() && f.since.Before(t.Add(afterTreatment)) && !f.since.Before(t) {
			continue
		}
		bad = append(bad, badWorker{i, f.since})
	}
	slices.SortStableFunc(bad, func(a, b badWorker) int { return a.since.Compare(b.since) })
	return bad, total
}

// shared looks for workers that turned bad within one window and whose parent was not yet seen healthy for long enough
// since then. settled is since when the parent is healthy.
func (j *judge) shared(found []finding, settled time.Time) *cluster {
	bad, total := j.together(found)
	least := max(clusterLeast, (total+clusterShare-1)/clusterShare)

	c := &cluster{members: map[int]bool{}, total: total}
	from := 0
	for to := range bad {
		for bad[to].since.Sub(bad[from].since) > clusterWindow {
			from++
		}
		window := bad[from : to+1]
		if len(window) < least {
			continue
		}
		if last := latest(bad[to].since.Add(segmentHold), bad[to].since.Add(clusterHold), settled.Add(clusterHold)); !last.After(j.Now) {
			continue // long over, whatever they share
		}
		segment := j.segment(found, window)
		until := latest(bad[to].since, settled).Add(clusterHold)
		if segment != "" {
			until = latest(until, bad[to].since.Add(segmentHold))
		}
		if !until.After(j.Now) {
			continue
		}
		for _, b := range window {
			c.members[b.at] = true
		}
		if c.since.IsZero() || window[0].since.Before(c.since) {
			c.since = window[0].since
		}
		c.until, c.segment = latest(c.until, until), segment
	}
	if len(c.members) == 0 {
		return nil
	}
	for i := range j.Status.Workers {
		if c.members[i] {
			c.names = append(c.names, j.Status.Workers[i].Name)
		}
	}
	return c
}

// segment is the network prefix (/24, or /64 of IPv6) of the workers' endpoints when all of them fail on the way there
// and no other prefix is concerned; else "".
func (j *judge) segment(found []finding, bad []badWorker) string {
	common := ""
	for _, b := range bad {
		if !found[b.at].network {
			return ""
		}
		p := prefixOf(j.Status.Workers[b.at].Endpoint)
		if p == "" || (common != "" && p != common) {
			return ""
		}
		common = p
	}
	return common
}

func prefixOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return ""
	}
	bits := 64
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(ip, bits).Masked().String()
}
