package world

// V3Bridge is a v3 bridge.
type V3Bridge struct{}
