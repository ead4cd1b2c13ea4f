package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A query is what a PromQL expression names. It is read by a tokenizer, enough for the expressions
// of this folder: Prometheus' own parser would more than double the modules that Portico's go.mod
// leads to. What only a parser sees, promtool does (README.md).
type query struct {
	selectors []selector
	groupings []grouping
	functions []string
}

// A selector is a metric with what stands behind it.
type selector struct {
	metric   string
	matchers []matcher
	window   string // of a range, "" for none
	function string // that it is the direct argument of, "" for none
}

// A matcher is label op "value".
type matcher struct{ label, op, value string }

// A grouping is by (...) or on (...) and the selectors that it is about.
type grouping struct {
	labels []string
	over   []selector
}

var (
	token      = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[A-Za-z_:][\w:]*|\d[\w.]*|[{}(),]|[-+*/%^<>=!~]+`)
	identifier = regexp.MustCompile(`^[A-Za-z_:][\w:]*$`)
	operators  = []string{"and", "or", "unless", "bool"}
	unread     = []string{"by", "without", "on", "ignoring", "group_left", "group_right", "offset"} // by only behind a function
)

// A reader walks over the tokens of an expression.
type reader struct {
	tokens []string
	at     int
	query  query
	open   []bracket
}

// A bracket is one that is not closed yet.
type bracket struct {
	function string   // before it, "" for none
	labels   []string // of the by before it
	first    int      // the first selector that may stand in it
}

// read returns what expr names, or says where it is not understood.
func read(expr string) (query, error) {
	if rest := strings.TrimSpace(token.ReplaceAllString(expr, "")); rest != "" {
		return query{}, fmt.Errorf("%q is not understood", rest)
	}
	r := &reader{tokens: token.FindAllString(expr, -1)}
	for r.at < len(r.tokens) {
		err := r.step()
		if err != nil {
			return query{}, err
		}
	}
	if len(r.open) > 0 {
		return query{}, fmt.Errorf("%d brackets are not closed", len(r.open))
	}
	return r.query, nil
}

func (r *reader) next() string {
	if r.at == len(r.tokens) {
		return ""
	}
	r.at++
	return r.tokens[r.at-1]
}

func (r *reader) peek() string {
	if r.at == len(r.tokens) {
		return ""
	}
	return r.tokens[r.at]
}

func (r *reader) step() error {
	word := r.next()
	switch {
	case word == "(":
		r.push("", nil)
	case word == ")":
		return r.pop()
	case strings.ContainsAny(word[:1], "{}["):
		return fmt.Errorf("%s without a metric", word)
	case !identifier.MatchString(word) || slices.Contains(operators, word):
	case slices.Contains(unread, word):
		return fmt.Errorf("%s is not understood here", word)
	case r.peek() == "(" || r.peek() == "by":
		return r.call(word)
	default:
		return r.selector(word)
	}
	return nil
}

func (r *reader) push(function string, labels []string) {
	r.open = append(r.open, bracket{function, labels, len(r.query.selectors)})
}

func (r *reader) pop() error {
	if len(r.open) == 0 {
		return fmt.Errorf("a bracket is closed that was never opened")
	}
	last := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	if last.labels != nil {
		r.query.groupings = append(r.query.groupings, grouping{last.labels, slices.Clone(r.query.selectors[last.first:])})
	}
	return nil
}

// call reads the name of a function or aggregation, the labels it keeps, and the bracket behind.
func (r *reader) call(name string) error {
	r.query.functions = append(r.query.functions, name)
	var labels []string
	if r.peek() == "by" {
		r.next()
		var err error
		labels, err = r.names()
		if err != nil {
			return err
		}
	}
	if r.next() != "(" {
		return fmt.Errorf("%s has no bracket behind it", name)
	}
	r.push(name, labels)
	return nil
}

// names reads (a, b).
func (r *reader) names() ([]string, error) {
	if r.next() != "(" {
		return nil, fmt.Errorf("by without a bracket")
	}
	var names []string
	for {
		name, after := r.next(), r.next()
		if !identifier.MatchString(name) || after != "," && after != ")" {
			return nil, fmt.Errorf("by has %q %q where a label was expected", name, after)
		}
		names = append(names, name)
		if after == ")" {
			return names, nil
		}
	}
}

// selector reads what stands behind a metric's name.
func (r *reader) selector(metric string) error {
	s := selector{metric: metric}
	if len(r.open) > 0 {
		s.function = r.open[len(r.open)-1].function
	}
	if r.peek() == "{" {
		r.next()
		for {
			label, op, value, after := r.next(), r.next(), r.next(), r.next()
			if !identifier.MatchString(label) || !strings.HasPrefix(value, `"`) || after != "," && after != "}" {
				return fmt.Errorf("%s has %s%s%s%s where a matcher was expected", metric, label, op, value, after)
			}
			s.matchers = append(s.matchers, matcher{label, op, strings.Trim(value, `"`)})
			if after == "}" {
				break
			}
		}
	}
	if strings.HasPrefix(r.peek(), "[") {
		s.window = r.next()
	}
	r.query.selectors = append(r.query.selectors, s)
	return nil
}

func TestRead(t *testing.T) {
	a := selector{metric: "a", matchers: []matcher{{"job", "=~", "$job"}, {"code", "!=", "200"}}, window: "[$__rate_interval]", function: "rate"}
	b := selector{metric: "b"}
	for _, test := range []struct {
		name string
		expr string
		want query
	}{
		{"a number", "1", query{}},
		{"a bare metric", "b", query{selectors: []selector{b}}},
		{"a grouped rate", `sum by (x, y) (rate(a{job=~"$job",code!="200"}[$__rate_interval]))`, query{
			selectors: []selector{a}, groupings: []grouping{{[]string{"x", "y"}, []selector{a}}}, functions: []string{"sum", "rate"}}},
		{"a grouping is about its own bracket alone", `b / sum by (x) (rate(a{job=~"$job",code!="200"}[$__rate_interval])) > bool 0`, query{
			selectors: []selector{b, a}, groupings: []grouping{{[]string{"x"}, []selector{a}}}, functions: []string{"sum", "rate"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := read(test.expr)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(query{}, selector{}, matcher{}, grouping{})); diff != "" {
				t.Errorf("read(%s) (-want +got):\n%s", test.expr, diff)
			}
		})
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct{ name, expr, want string }{
		{"a bracket left open", "sum(a", "1 brackets are not closed"},
		{"a bracket too many", "sum(a))", "a bracket is closed that was never opened"},
		{"matchers of nothing", `{job="a"}`, "{ without a metric"},
		{"a matcher without quotes", "a{job=b}", `a has job=b} where a matcher was expected`},
		{"a grouping behind its bracket", "sum(a) by (job)", "by is not understood here"},
		{"a label missing", "sum by (job,) (a)", `by has ")" "(" where a label was expected`},
		{"a stray sign", "a ; b", `";" is not understood`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(test.expr)
			if err == nil || err.Error() != test.want {
				t.Errorf("read(%s) = %v; want %s", test.expr, err, test.want)
			}
		})
	}
}
