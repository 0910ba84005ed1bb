package v2

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

// table is what a monitor knows of its peers. It fills a few seconds after the monitor's start and is never pruned: a
// stopped peer stays listed.
type table struct {
	providers []peer
	managers  []peer
	at        time.Time
}

type peer struct{ ID, Hostname, Addr string }

// peers returns the table, from memory while it is young and complete.
func (c *Client) peers(ctx context.Context) (*table, error) {
	c.mu.Lock()
	t := c.table
	c.mu.Unlock()
	if t != nil {
		if age := c.clock.Now().Sub(t.at); age >= 0 && age < tableAge {
			return t, nil
		}
	}
	resp, err := c.http.Do(ctx, wire.Request{
		Method: http.MethodPost, URL: c.base + "/ptp/discover", Serial: c.base, Timeout: discoverTimeout,
	})
	if err != nil {
		return nil, wireFailure("discover", err)
	}
	t, err = c.decodeTable(resp)
	if err != nil {
		return nil, err
	}
	t.at = c.clock.Now()
	_, managed := c.manager(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.table = nil
	if managed == nil && len(t.providers) > 0 { // else it is still filling
		c.table = t
	}
	return t, nil
}

// forget makes the next question begin with discover.
func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.table = nil
}

func (c *Client) forgetOn(err error) {
	switch faultOf(err) {
	case faultUnknownPeer, faultDial, faultFrozen, faultWire:
		c.forget()
	}
}

func (c *Client) decodeTable(resp *wire.Response) (*table, error) {
	type entry struct {
		PeerID     prb.Text `json:"peerId"`
		Hostname   prb.Text `json:"hostname"`
		RemoteAddr prb.Text `json:"remoteAddr"`
	}
	var body struct {
		DataProviders     *[]entry `json:"dataProviders"`
		LifecycleManagers *[]entry `json:"lifecycleManagers"`
	}
	if resp.Status != http.StatusOK || json.Unmarshal(resp.Body, &body) != nil || body.DataProviders == nil || body.LifecycleManagers == nil {
		return nil, fleet.Fail(fleet.Unavailable, fleet.Because("prb.not_v2", "url", wire.Display(c.base), "status", resp.Status))
	}
	pick := func(list []entry) []peer {
		var peers []peer
		for _, e := range list {
			if e.PeerID == "" || slices.ContainsFunc(peers, func(p peer) bool { return p.ID == string(e.PeerID) }) {
				continue
			}
			peers = append(peers, peer{ID: string(e.PeerID), Hostname: string(e.Hostname), Addr: string(e.RemoteAddr)})
		}
		return peers
	}
	return &table{providers: pick(*body.DataProviders), managers: pick(*body.LifecycleManagers)}, nil
}

// manager chooses the lifecycle manager: the configured one, or the only one.
func (c *Client) manager(t *table) (string, error) {
	url := wire.Display(c.base)
	if c.lifecycle != "" {
		if slices.ContainsFunc(t.managers, func(p peer) bool { return p.ID == c.lifecycle }) {
			return c.lifecycle, nil
		}
		return "", fleet.Fail(fleet.Unavailable, fleet.Because("prb.lifecycle_unlisted", "peer", c.lifecycle, "url", url))
	}
	switch len(t.managers) {
	case 0:
		return "", fleet.Fail(fleet.Unavailable, fleet.Because("prb.no_lifecycle", "url", url))
	case 1:
		return t.managers[0].ID, nil
	}
	var ids []string
	for _, p := range t.managers {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	return "", fleet.Fail(fleet.Invalid, fleet.Because("prb.several_lifecycles", "url", url, "peers", strings.Join(ids, ", ")))
}

func (c *Client) findManager(ctx context.Context) (string, error) {
	t, err := c.peers(ctx)
	if err != nil {
		return "", err
	}
	return c.manager(t)
}
