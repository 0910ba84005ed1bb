// Package notify turns incidents into messages and delivers them, at least once, through channels that each know one
// service's protocol and limits. The channels live in sub-packages.
package notify

import (
	"context"
	"time"
)

// Alert is one message in the reader's language, ready to send. Several messages that were merged are one Alert with
// several Items.
type Alert struct {
	Title    string   // one line, plain text
	Items    []Item   // at least one
	Severity string   // the loudest of the items: info, warning, critical
	Resolved bool     // every item is a recovery
	Repeat   bool     // possibly sent before: the process died between sending and recording
	Mention  []string // whom the channel should wake; empty: nobody
}

// Item is one message inside an Alert.
type Item struct {
	Title string
	Lines []string
	At    time.Time
}

// Sender is one channel. Send delivers one alert within ctx. The bool says whether trying again later could help
// (network, rate limit) or is useless (wrong token); it means nothing when the error is nil.
type Sender interface {
	Send(ctx context.Context, a Alert, now time.Time) (retry bool, err error)
	// Limit is how many messages the service takes in a period; the pipeline merges what does not fit.
	Limit() (messages int, per time.Duration)
}
