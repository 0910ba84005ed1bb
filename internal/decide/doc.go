// Package decide thinks and nothing else: pure functions of (facts, history, policy, now) that return decisions, each with
// a reason. It reads no clock, does no I/O, starts no goroutine and never changes its input, so that a replay of the same
// facts gives the same decisions.
//
// All judging is done as of the moment at which a fact was true (its Probe.At), never as of the moment of reading: a
// process that slept for an hour must not take the whole fleet for frozen.
//
// A Decision whose Severity is empty is not worth an incident: the target is healthy, on its way, or must not be touched.
package decide
