package proxy

import (
	"strconv"
	"strings"
)

// acceptsGzip reports whether the caller would rather have gzip than a plain body, by the values
// of Accept-Encoding. Nobody is told 406: one who refuses both gets the plain body.
//
// Source: RFC 9110, 12.5.3.
func acceptsGzip(values []string) bool {
	zip, other, plain := -1.0, -1.0, -1.0 // weights; negative: not named
	for _, value := range values {
		for element := range strings.SplitSeq(value, ",") {
			coding, parameters, _ := strings.Cut(element, ";")
			coding = strings.TrimSpace(coding)
			switch {
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				zip = weight(parameters)
			case strings.EqualFold(coding, "identity"):
				plain = weight(parameters)
			case coding == "*":
				other = weight(parameters)
			}
		}
	}
	if zip < 0 {
		zip = other
	}
	return zip > 0 && zip >= plain
}

// weight returns the q of a parameter list: 1 if there is none, 0 if it makes no sense.
func weight(parameters string) float64 {
	parameters = strings.TrimSpace(parameters)
	if parameters == "" {
		return 1
	}
	name, value, _ := strings.Cut(parameters, "=")
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !strings.EqualFold(strings.TrimSpace(name), "q") || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// matches reports whether one of the tags in If-None-Match values is etag. A tag may be weak: the
// comparison is. * stands for whatever there is.
//
// Source: RFC 9110, 13.1.2.
func matches(values []string, etag string) bool {
	for _, value := range values {
		if strings.TrimSpace(value) == "*" {
			return true
		}
		for value != "" {
			value = strings.TrimLeft(value, " \t,")
			value = strings.TrimPrefix(value, "W/")
			tag, rest, ok := quoted(value)
			if !ok {
				break // the rest makes no sense
			}
			if tag == etag {
				return true
			}
			value = rest
		}
	}
	return false
}

// quoted returns the tag that text begins with, quotes included, and what follows it.
func quoted(text string) (tag, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", false
	}
	end := strings.IndexByte(text[1:], '"')
	if end < 0 {
		return "", "", false
	}
	return text[:end+2], text[end+2:], true
}
