// Package notify turns incidents into messages and delivers them, at least once, through channels that each know one
// service's protocol and limits. The channels' protocols live in sub-packages.
//
// Route says, from an incident and what was said so far, what a channel still has to be told. A Channel keeps those
// messages in the store and sends them: "sending" is committed before a send and its outcome after it, so that a crash
// repeats at most the one alert that was under way, marked as a possible repeat. Nothing here waits: everything happens
// in Tell and Step, which the caller beats.
package notify

import (
	"context"
	"fmt"
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
// (network, rate limit) or is useless (wrong token); it means nothing when the error is nil. An alert that failed with a
// *Refused was surely not delivered; after any other retryable error it may have been, and its next try is marked as a
// possible repeat.
type Sender interface {
	Send(ctx context.Context, a Alert, now time.Time) (retry bool, err error)
	// Limit is how many messages the service takes in a period; the pipeline merges what does not fit.
	Limit() (messages int, per time.Duration)
}

// Refused is the error of an alert that the service surely did not take: it said so, or nobody answered the dial.
type Refused struct {
	Err   error
	After time.Duration // try again not earlier than this; zero: as the pipeline likes
}

// Error is the cause's text.
func (r *Refused) Error() string {
	if r.After > 0 {
		return fmt.Sprintf("%v (again after %v)", r.Err, r.After)
	}
	return r.Err.Error()
}

// Unwrap returns the cause.
func (r *Refused) Unwrap() error { return r.Err }
