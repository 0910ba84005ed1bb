package rule

import (
	"errors"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/file"

	"phalops/internal/fleet"
)

// explain turns an error of the language into ours. Its texts are those of the one version in go.mod; what is not known is
// passed on as it is.
func explain(source string, err error) error {
	place := 0
	text := err.Error()
	if at, ok := errors.AsType[*file.Error](err); ok {
		place, text = at.From, at.Message
	}
	for _, e := range explanations {
		if m := e.text.FindStringSubmatch(text); m != nil {
			if why := e.why(m); !why.IsZero() {
				return mistake(source, place, why)
			}
		}
	}
	return mistake(source, place, fleet.Because("rule.other", "detail", text))
}

type explanation struct {
	text *regexp.Regexp
	why  func(m []string) fleet.Reason
}

var explanations = []explanation{
	{regexp.MustCompile(`^unexpected token (?:EOF|.*EOF)$|^unexpected end of expression`), func([]string) fleet.Reason {
		return fleet.Because("rule.unfinished")
	}},
	{regexp.MustCompile(`^unexpected token \w+\("(.*)"\)$`), func(m []string) fleet.Reason {
		if word, ok := operators[strings.ToLower(m[1])]; ok && word != m[1] {
			return fleet.Because("rule.write_instead", "found", m[1], "write", word)
		}
		return fleet.Because("rule.unexpected", "found", m[1])
	}},
	{regexp.MustCompile(`^unrecognized character: U\+[0-9A-F]+ '(.*)'$`), func(m []string) fleet.Reason {
		if word, ok := operators[m[1]]; ok {
			return fleet.Because("rule.write_instead", "found", m[1], "write", word)
		}
		return fleet.Because("rule.unexpected", "found", m[1])
	}},
	{regexp.MustCompile(`^unknown name (.+)$`), func(m []string) fleet.Reason { return unknownName(m[1]) }},
	{regexp.MustCompile(`^type \*?rule\.(\w+) has no (?:field|method) (.+)$`), func(m []string) fleet.Reason {
		return unknownField(strings.ToLower(m[1]), m[2])
	}},
	{regexp.MustCompile(`^type .* is undefined$`), func([]string) fleet.Reason { return fleet.Because("rule.not_allowed") }},
	{regexp.MustCompile(`cannot be mixed\. Wrap either by parentheses`), func([]string) fleet.Reason { return fleet.Because("rule.mixed") }},
	{regexp.MustCompile(`^(?:literal not terminated|unclosed comment)`), func([]string) fleet.Reason { return fleet.Because("rule.not_closed") }},
	{regexp.MustCompile(`exceeds maximum allowed nodes`), func([]string) fleet.Reason { return fleet.Because("rule.too_long", "most", MaxSource) }},
	{regexp.MustCompile(`^invalid operation: (\S+(?: in)?) \(mismatched types (\S+) and (\S+)\)$`), func(m []string) fleet.Reason {
		return fleet.Because("rule.mismatch", "operator", m[1], "left", typeCode(m[2]), "right", typeCode(m[3]))
	}},
	{regexp.MustCompile(`^invalid operation: (\S+) \(mismatched type (\S+)\)$`), func(m []string) fleet.Reason {
		return fleet.Because("rule.mismatch_one", "operator", m[1], "type", typeCode(m[2]))
	}},
	{regexp.MustCompile(`^cannot use (\S+) as type (\S+) in array$`), func(m []string) fleet.Reason {
		return fleet.Because("rule.mismatch", "operator", "in", "left", typeCode(m[1]), "right", typeCode(m[2]))
	}},
	{regexp.MustCompile(`^expected bool, but got (\S+)$`), func(m []string) fleet.Reason {
		return fleet.Because("rule.no_condition", "type", typeCode(m[1]))
	}},
	{regexp.MustCompile(`^non-bool expression \(type (\S+)\) used as condition$`), func(m []string) fleet.Reason {
		return fleet.Because("rule.no_condition", "type", typeCode(m[1]))
	}},
	{regexp.MustCompile(`^predicate should return boolean \(got (\S+)\)$`), func(m []string) fleet.Reason {
		return fleet.Because("rule.no_condition", "type", typeCode(m[1]))
	}},
}

// unknownField explains a field that its owner does not have.
func unknownField(owner, field string) fleet.Reason {
	full := owner
	var names []string
	for _, f := range Fields() {
		of, own := apart(f.Name)
		if _, last := apart(of); last == owner {
			names, full = append(names, own), of
		}
	}
	owner = full
	if near := nearest(field, names); near != "" {
		return fleet.Because("rule.unknown_field_near", "field", field, "owner", owner, "near", near)
	}
	return fleet.Because("rule.unknown_field", "field", field, "owner", owner, "names", strings.Join(names, ", "))
}

// apart are a name's owner and its own last part: worker.chain and state. What has no owner is its own last part.
func apart(name string) (owner, own string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

// typeCode is the catalogue's code of a type's name.
func typeCode(name string) string {
	switch name = strings.TrimPrefix(name, "*"); name {
	case "bool":
		return "rule.type_truth"
	case "string":
		return "rule.type_text"
	case "time.Duration":
		return "rule.type_duration"
	case "int", "int64", "float64":
		return "rule.type_number"
	case "nil":
		return "rule.type_nil"
	}
	if strings.HasPrefix(name, "[]") {
		return "rule.type_list"
	}
	return "rule.type_thing"
}

// unanswered turns what the machine says into ours.
func unanswered(err error) *Unanswered {
	if own, ok := errors.AsType[*Unanswered](err); ok {
		return own
	}
	text := err.Error()
	if at, ok := errors.AsType[*file.Error](err); ok {
		text = at.Message
	}
	return &Unanswered{Reason: fleet.Because("rule.no_answer", "detail", text)}
}

// Field is one thing that a condition can see.
type Field struct {
	Name string // as it is written: worker.lag
	Type string // text, number, duration, truth, texts
	May  bool   // may be unknown
}

// Fields lists everything that a condition can see, in the order of Env. What a worker's bridge tells is listed once, under
// bridge.
func Fields() []Field {
	var out []Field
	for _, owner := range []struct {
		name string
		typ  reflect.Type
	}{{"worker", reflect.TypeFor[Worker]()}, {"worker.chain", reflect.TypeFor[Chain]()}, {"bridge", reflect.TypeFor[Bridge]()}, {"node", reflect.TypeFor[Node]()}} {
		for f := range owner.typ.Fields() {
			typ, may := f.Type, f.Type.Kind() == reflect.Pointer
			if may {
				typ = typ.Elem()
			}
			if typ.Kind() != reflect.Struct {
				out = append(out, Field{owner.name + "." + f.Tag.Get("expr"), typeWord(typ), may})
			}
		}
	}
	return append(out, Field{Name: "site", Type: "text"})
}

func typeWord(typ reflect.Type) string {
	switch {
	case isSpan(typ):
		return "duration"
	case typ.Kind() == reflect.String:
		return "text"
	case typ.Kind() == reflect.Bool:
		return "truth"
	case typ.Kind() == reflect.Map:
		return "texts"
	}
	return "number"
}
