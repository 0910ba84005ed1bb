// Package rule compiles the conditions that operators write in the configuration (`when:`, `only_if:`) and asks them about
// a worker or a bridge. The language is expr (https://expr-lang.org), narrowed so that a condition is always cheap, always
// ends and always gives the same answer for the same facts: no clock, no chance, no loops of loops, no growing texts.
//
// What a condition can see is Env; docs/rules.md lists every field. What nobody knows is nil there: comparing it is no
// answer but an error (*Unanswered), unless the condition itself says what unknown means, with `== nil` or `??`. Whoever
// asks takes an error for "no".
package rule
