package proxy

import "testing"

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "x-gzip": true, "gzip, deflate, br": true, "deflate, gzip;q=1.0, *;q=0.5": true, "*": true,
		"identity": false, "gzip;q=0": false, "gzip; q=0.0": false, "*;q=0": false, "gzip;q=0, *": false, "br": false,
		"gzip;q=0.5, identity": false, "identity;q=0.5, gzip": true, "identity;q=0, gzip;q=0.1": true, "gzip;q=x": false, "gzip;level=9": false,
		"gzip;q=2": false, "gzip;q=-1": false, "gzip;q=NaN": false, "notgzip": false, "gzip ; Q = 0.3": true, ",,gzip": true,
	} {
		if got := acceptsGzip([]string{accept}); got != want {
			t.Errorf("acceptsGzip(%q) = %v; want %v", accept, got, want)
		}
	}
	if !acceptsGzip([]string{"br", "gzip"}) || acceptsGzip(nil) {
		t.Error("several headers count together, and none accepts nothing")
	}
}

func TestMatches(t *testing.T) {
	for held, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `*`: true, ` * `: true, `"b", "a"`: true, `"b","a"`: true, `"b,c" , W/"a"`: true,
		`"b"`: false, `a`: false, ``: false, `"a`: false, `w/"a"`: false, `"aa"`: false, `"b" x "a"`: false, `"*"`: false,
	} {
		if got := matches([]string{held}, `"a"`); got != want {
			t.Errorf("matches(%q) = %v; want %v", held, got, want)
		}
	}
	if !matches([]string{`"b"`, `"a"`}, `"a"`) || matches(nil, `"a"`) {
		t.Error("several headers count together, and none matches nothing")
	}
}
