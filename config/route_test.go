package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRouteFor(t *testing.T) {
	c := &Config{Routes: []Route{
		{Match: "*@both.example", Sites: []string{"both"}},
		{Match: "a*n*a", Sites: []string{"anna"}},
		{Match: "bjorn", Sites: []string{"bjorn"}},
		{Match: "agent????", Sites: []string{"marks"}},
	}}
	cases := map[string]string{
		"cleo@both.example":   "both",
		"Cleo@Both.Example":   "both",
		"@both.example":       "both",
		"cleo@both.example.x": "",
		"anna":                "anna",
		"ana":                 "anna",
		"aa":                  "",
		"bjorn":               "bjorn",
		"bjorn2":              "",
		"agent0001":           "",
		"agent????":           "marks",
		"":                    "",
	}
	for login, want := range cases {
		route, ok := c.RouteFor(login)
		if got := strings.Join(route.Sites, ""); got != want || ok != (want != "") {
			t.Errorf("RouteFor(%q) = %q, %v; want %q", login, got, ok, want)
		}
	}
}

// Of a route for each agent none may look at all others: twenty thousand took 15 seconds.
func TestManyRoutesAreCheckedInTime(t *testing.T) {
	c := &Config{}
	for i := range 20_000 {
		c.Routes = append(c.Routes, Route{Match: fmt.Sprintf("agent%05d@gws.example", i)})
	}
	c.Routes = append(c.Routes, Route{Match: "agent1*"}, Route{Match: "agent07000@gws.example"}, Route{Match: "agent1@gws.example"}, Route{Match: "*"})
	v := newVerdict()
	began := time.Now()
	var before matches
	for i, route := range c.Routes {
		before.check(route.Match, i, item("routes", i), v)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("checking %d routes took %v", len(c.Routes), took)
	}
	want := []string{
		`routes[20001]: "agent07000@gws.example" is never reached: routes[7000], "agent07000@gws.example", matches all of it; put it before that one or leave it out`,
		`routes[20002]: "agent1@gws.example" is never reached: routes[20000], "agent1*", matches all of it; put it before that one or leave it out`,
	}
	var got []string
	for _, one := range v.faults {
		got = append(got, one.path+": "+one.text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults = %q; want %q", got, want)
	}
}

func TestLoginAt(t *testing.T) {
	cases := map[string]struct{ template, login, want string }{
		"without a template it stays":   {"", "Anna@Site.example", "Anna@Site.example"},
		"the part before the @":         {"{{.Local}}", "Anna@site.example", "Anna"},
		"the part after the @":          {`{{ .Domain }}\{{.Local}}`, "anna@site", `site\anna`},
		"everything":                    {"x-{{.Full}}", "anna@site", "x-anna@site"},
		"the last @ counts":             {"{{.Local}}", "a@b@c", "a@b"},
		"a name without an @":           {"{{.Local}}{{.Domain}}", "anna", "anna"},
		"marks in a name are only text": {"{{.Local}}", "{{.Full}}@x", "{{.Full}}"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			var r Route
			if test.template != "" {
				r.Login = map[string]string{"ic": test.template}
			}
			if got := r.LoginAt("ic", test.login); got != test.want {
				t.Errorf("LoginAt(%q) with %q = %q; want %q", test.login, test.template, got, test.want)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	cases := []struct {
		wide, narrow string
		want         bool
	}{
		{"*", "anna", true},
		{"*", "*", true},
		{"*", "", true},
		{"anna", "*", false},
		{"a*", "anna*", true},
		{"anna*", "a*", false},
		{"*@x", "*@*", false},
		{"*@*", "*@x", true},
		{"**", "*", true},
		{"a*b*", "ab", true},
		{"*a", "a*", false},
	}
	for _, test := range cases {
		if got := covers(test.wide, test.narrow); got != test.want {
			t.Errorf("covers(%q, %q) = %v; want %v", test.wide, test.narrow, got, test.want)
		}
	}
}

// FuzzGlob holds glob to a regular expression of the same meaning.
func FuzzGlob(f *testing.F) {
	f.Add("a*b*c", "aXbYc")
	f.Add("*ab*ab", "abab")
	f.Add("*", "")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			return // a regular expression matches runes, glob bytes: there is nothing to compare
		}
		same := regexp.MustCompile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `$`)
		if got, want := glob(pattern, text), same.MatchString(text); got != want {
			t.Errorf("glob(%q, %q) = %v; want %v", pattern, text, got, want)
		}
	})
}
