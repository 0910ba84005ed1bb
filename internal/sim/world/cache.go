package world

// HeadersCache keeps headers.
type HeadersCache struct{}
