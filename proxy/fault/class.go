package fault

// classes are the words for kinds that logs and traces use.
var classes = map[Kind]string{
	Missing: "missing", Invalid: "invalid", WrongMethod: "wrong_method", Forbidden: "forbidden", CrossSite: "cross_site",
	NotFound: "not_found", TooLarge: "too_large", Unauthenticated: "unauthenticated", Throttled: "throttled",
	BadUpstream: "bad_upstream", Gone: "gone", Unreachable: "unreachable", Timeout: "timeout", Overloaded: "overloaded",
	Internal: "internal",
}

// Class returns the word for the kind that err wraps, "" for no error.
func Class(err error) string {
	if err == nil {
		return ""
	}
	return classes[KindOf(err)]
}
