package wire

import (
	"net/http"
	"net/netip"
	"strings"

	"phalops/internal/sim/world"
)

// planV3 gives v3 bridges, headers-caches and pRuntimes their addresses.
func (s *Server) planV3(w *world.World, address func() netip.Addr,
	add func(netip.Addr, uint16, http.Handler, func(*world.World) bool) string) {
	e := &s.endpoints
	for _, b := range w.V3Bridges() {
		a, name := address(), b.Name
		e.Bridges = append(e.Bridges, BridgeEndpoint{Name: name, Version: "v3", Node: b.Nodes[0].Name, Host: b.Host, Project: b.Project,
			Monitor: "http://" + add(a, 3000, newV3MonitorHandler(s.face, name), func(w *world.World) bool { return w.V3Bridge(name).MonitorListening() }),
			WM:      "http://" + add(a, 3001, newWMHandler(s.ctx, s.face, name), func(w *world.World) bool { return w.V3Bridge(name).Listening() })})
	}
	for _, h := range w.HeadersCaches() {
		e.HeadersCaches = append(e.HeadersCaches, HeadersCacheEndpoint{Name: h.Name, Node: h.Node.Name, Host: h.Host, Container: h.Container,
			URL: "http://" + add(address(), h.Port, newCacheHandler(s.face, h.Name), func(w *world.World) bool { return w.HeadersCache(h.Name).Listening() })})
	}
	for _, p := range w.Pruntimes() {
		at, err := netip.ParseAddrPort(strings.TrimPrefix(p.Endpoint, "http://"))
		if err != nil || !at.Addr().Is4() || !at.Addr().IsLoopback() {
			continue
		}
		e.Pruntimes = append(e.Pruntimes, p.Endpoint)
		add(at.Addr(), at.Port(), newPruntimeHandler(s.face, p.Endpoint), func(*world.World) bool { return !p.Down() })
		s.ports[len(s.ports)-1].fixed = true
	}
}
