package icwssim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Language is a language one may log in with. Labels gives the messageText of each statusId; one
// that is missing shows in the default language. Texts gives messages and reasons by the English
// ones, in which %s may stand for a name; one that is missing is in English.
type Language struct {
	ID     string // such as en-us
	Name   string // in the language itself
	Labels map[string]string
	Texts  map[string]string
}

// negotiate chooses a language by Accept-Language: the best-liked tag that is a language of the
// server, or whose first part is (de-AT finds de), else the default. What is no language tag is
// passed over: clients send application/json here and are served.
func (s *Server) negotiate(headers []string) *Language {
	for _, tag := range preferences(headers) {
		for _, same := range []func(id string) bool{
			func(id string) bool { return strings.EqualFold(id, tag) },
			func(id string) bool { return strings.EqualFold(primary(id), primary(tag)) },
		} {
			i := slices.IndexFunc(s.Languages, func(l Language) bool { return same(l.ID) })
			if i >= 0 {
				return &s.Languages[i]
			}
		}
	}
	return &s.Languages[0]
}

func primary(tag string) string {
	first, _, _ := strings.Cut(tag, "-")
	return first
}

// preferences returns the tags of a quality list, best first.
func preferences(headers []string) []string {
	type choice struct {
		tag     string
		quality float64
	}
	var choices []choice
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		tag, parameter, _ := strings.Cut(part, ";")
		quality := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			parsed, err := strconv.ParseFloat(text, 64)
			if err == nil {
				quality = parsed
			}
		}
		if tag = strings.TrimSpace(tag); tag != "" && quality > 0 {
			choices = append(choices, choice{strings.ReplaceAll(tag, "_", "-"), quality})
		}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.quality, a.quality) })
	tags := make([]string, len(choices))
	for i := range choices {
		tags[i] = choices[i].tag
	}
	return tags
}
