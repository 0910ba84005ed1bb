package config

import (
	"errors"
	"path"
	"time"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
	"phalops/internal/rule"
)

// rules reads the operator's own healing rules, which are asked in the order of the file.
func (r *reader) rules(v value) {
	h := &r.config.Healing
	v.objects(func(_ int, item value) {
		own := Rule{Do: []string{"restart", "alert"}}
		seen := item.object(
			must("name", scalar(&own.Name, ruleName)),
			must("when", r.condition(&own.When, rule.OfWorker)),
			key("for", scalar(&own.For, duration(0, 7*day))),
			key("do", func(v value) { own.Do = r.ladder(v) }),
			key("cooldown", scalar(&own.Cooldown, duration(time.Minute, 2*day))),
			key("mode", scalar(&own.Mode, oneOf(modes()))),
		)
		if own.Name != "" {
			r.define(kindRule, own.Name, seen["name"], definition{})
		}
		h.Rules = append(h.Rules, own)
		if at := len(h.Rules) - 1; own.Cooldown == 0 {
			r.later(func() { h.Rules[at].Cooldown = h.Worker.Backoff })
		}
	})
}

// ruleName accepts what people call a rule. It is part of the names of decisions, plans and audit lines.
func ruleName(s string) (string, fleet.Reason) {
	name, why := titleText(s)
	if why.IsZero() && len([]rune(s)) > 60 {
		return "", fleet.Because("config.long_rule_name", "limit", 60)
	}
	return name, why
}

// ruleGlob accepts a pattern for the names of built-in rules.
func ruleGlob(s string) (string, fleet.Reason) {
	if s == "" {
		return "", fleet.Because("config.no_value")
	}
	if _, err := path.Match(s, ""); err != nil {
		return "", fleet.Because("config.bad_glob", "value", showText(s))
	}
	return s, fleet.Reason{}
}

// condition reads an expr condition and compiles it. A mistake is reported at its own line and column inside the value.
func (r *reader) condition(into *string, scope rule.Scope) func(value) {
	return func(v value) {
		text, ok := v.text()
		if !ok {
			return
		}
		quotable := !suspicious.MatchString(text)
		if quotable {
			v.show()
		}
		_, err := rule.Compile(text, scope)
		if err == nil {
			*into = text
			return
		}
		place := Problem{Line: v.n.Line, Column: v.n.Column, Path: v.path, Reason: fleet.ReasonOf(err)}
		if wrong, ok := errors.AsType[*rule.Error](err); ok {
			if line, column, found := within(r.lines, v.n, wrong.Offset); found {
				place.Line, place.Column = line, column
				block := v.n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 // then nothing else stands on its lines
				r.open[line] = r.open[line] || quotable && block
			}
		}
		for _, foreign := range []string{"found", "name", "field", "word", "detail", "err"} {
			if text, ok := place.Reason.Args[foreign]; ok {
				place.Reason.Args[foreign] = showText(text)
			}
		}
		if !r.full() {
			r.problems = append(r.problems, place)
		}
	}
}
