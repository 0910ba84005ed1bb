// Package secret turns references to secrets into their values at the moment of use. A reference is what configuration,
// journal and plans hold; a value prints as <secret> wherever it lands by mistake.
package secret

// Ref is a reference: env:NAME, file:/path (mode 0600 or stricter), age:/path (encrypted), cred:NAME (systemd credential).
// The zero Ref is "no secret".
type Ref string

// Value is a secret. Every printing, logging and marshalling form of it is "<secret>"; only Reveal gives the text.
type Value struct{ text string }
