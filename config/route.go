package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Route says which sites an agent works on.
type Route struct {
	// Match is compared with the lower-cased login name; * stands for any text, also none. Required.
	Match string `yaml:"match"`
	// Sites are one site, or one of each kind. The first gives the agent's id and names.
	Sites []string `yaml:"sites"`
	// Channels says which site owns each channel. Required with two sites.
	Channels map[string]string `yaml:"channels" key:"channel"`
	// Login makes a site's login name of the agent's, by templates with {{.Local}}, {{.Domain}}
	// and {{.Full}}. Default: the login name as it is.
	Login map[string]string `yaml:"login" key:"site"`
}

// RouteFor returns the first route that matches a login name in capitals or not, false if none does.
func (c *Config) RouteFor(login string) (Route, bool) {
	login = strings.ToLower(login)
	at := slices.IndexFunc(c.Routes, func(r Route) bool { return glob(r.Match, login) })
	if at < 0 {
		return Route{}, false
	}
	return c.Routes[at], true
}

// LoginAt returns the name by which an agent logs in to a site. Local and Domain are what stands
// before and after the last @; without an @ Local is everything. The result may be empty, as
// {{.Domain}} of a name without one is.
func (r Route) LoginAt(site, login string) string {
	template, ok := r.Login[site]
	if !ok {
		return login
	}
	local, domain := login, ""
	if at := strings.LastIndexByte(login, '@'); at >= 0 {
		local, domain = login[:at], login[at+1:]
	}
	values := map[string]string{".Local": local, ".Domain": domain, ".Full": login}
	return placeholder.ReplaceAllStringFunc(template, func(mark string) string { return values[inside(mark)] })
}

// placeholder finds the marks of a login template. Its syntax is that of text/template, but a
// login name needs none of the rest, such as loops.
var placeholder = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// loginFields are what may stand in a mark.
var loginFields = []string{".Local", ".Domain", ".Full"}

func inside(mark string) string { return strings.TrimSpace(mark[2 : len(mark)-2]) }

// checkLogin returns what is wrong with a login template and what would be right, "" for nothing.
func checkLogin(template string) string {
	rest := placeholder.ReplaceAllString(template, "")
	if strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
		return fmt.Sprintf("%q does not parse; each {{ needs its }}, as in {{.Local}}", template)
	}
	var distinct bool
	for _, mark := range placeholder.FindAllString(template, -1) {
		field := inside(mark)
		if !slices.Contains(loginFields, field) {
			return fmt.Sprintf("%q is not known in a login%s", field, hint(field, loginFields))
		}
		distinct = distinct || field != ".Domain"
	}
	if !distinct {
		return "is the same for all agents; use {{.Local}} or {{.Full}} in it"
	}
	return ""
}

// glob reports whether pattern matches all of text; * stands for any text, also none.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] { // the leftmost place leaves the most to the others
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return strings.HasSuffix(text, parts[last])
}

// covers reports whether every text that narrow matches is matched by wide too.
func covers(wide, narrow string) bool {
	// A letter that no pattern holds stands for "any text": only a * of wide can match it.
	return glob(wide, strings.ReplaceAll(narrow, "*", "\x00"))
}
