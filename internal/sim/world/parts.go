package world

// parts are the chains, nodes, bridges and workers of the world by name.
type parts struct{}

func newParts() parts { return parts{} }
