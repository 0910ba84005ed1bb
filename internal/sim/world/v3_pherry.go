package world

// Pherry feeds one pRuntime.
type Pherry struct{}
