package world

// Host is a machine with containers.
type Host struct{ Name string }
