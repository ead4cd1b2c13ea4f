package htcc

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestWithCookies(t *testing.T) {
	const before = "JSESSIONID=a; AWSELB=b"
	many := make([]string, 2*maxCookies)
	for i := range many {
		many[i] = fmt.Sprintf("c%d=x", i)
	}
	tests := []struct {
		name   string
		before string
		set    []string
		want   string
	}{
		{"nothing", before, nil, before},
		{"the first, whose attributes are left out", "", []string{"JSESSIONID=a; Path=/; HttpOnly; Secure; SameSite=None"}, "JSESSIONID=a"},
		{"another", before, []string{"BAYEUX_BROWSER=c;Path=/;HttpOnly"}, before + "; BAYEUX_BROWSER=c"},
		{"one set anew keeps its place", before, []string{"JSESSIONID=z; Path=/"}, "JSESSIONID=z; AWSELB=b"},
		{"one set twice", "", []string{"a=1", "b=2", "a=3"}, "a=3; b=2"},
		{"names differ in case", "", []string{"a=1", "A=2"}, "a=1; A=2"},
		{"deleted by age", before, []string{"JSESSIONID=; Max-Age=0"}, "AWSELB=b"},
		{"deleted by date, as Jetty writes it", before, []string{"AWSELB=x; Expires=Thu, 01-Jan-1970 00:00:00 GMT"}, "JSESSIONID=a"},
		{"deleted by date", before, []string{"AWSELB=x; expires=Thu, 01 Jan 1970 00:00:00 GMT"}, "JSESSIONID=a"},
		{"age counts before date", before, []string{"AWSELB=x; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=60"}, "JSESSIONID=a; AWSELB=x"},
		{"deleted though it was never set", before, []string{"x=; Max-Age=-1"}, before},
		{"deleted and set again", before, []string{"AWSELB=; Max-Age=0", "AWSELB=n"}, "JSESSIONID=a; AWSELB=n"},
		{"a date in the future", "", []string{"a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT"}, "a=1"},
		{"a date that is none", "", []string{"a=1; Expires=soon"}, "a=1"},
		{"the last one deleted", "a=1", []string{"a=; Max-Age=0"}, ""},
		{"without a value, a name or both", before, []string{"JSESSIONID=; Path=/", "JSESSIONID=; Max-Age=60", "JSESSIONID", "=x", "", ";", " ; Path=/", "="}, before},
		{"signs that strict parsers refuse", "", []string{`a=b c|d,"e\f;Path=/`}, `a=b c|d,"e\f`},
		{"equals signs in the value", "", []string{"a=b=c=="}, "a=b=c=="},
		{"a name that is none", "", []string{"a b=c", "a,b=c", "a\x01=c"}, ""},
		{"a value that cannot be sent", "", []string{"a=b\x00c", "a=b\rc"}, ""},
		{"for the host itself", "", []string{"a=1; Domain=gws1.example"}, "a=1"},
		{"for its domain", "", []string{"a=1; Domain=.Example"}, "a=1"},
		{"for another domain", before, []string{"AWSELB=evil; Domain=other.example", "a=1; Domain=ws1.example", "b=1; Domain=x.gws1.example"}, before},
		{"an overlong one", before, []string{"a=" + strings.Repeat("x", maxCookie)}, before},
		{"too many", "", many, strings.Join(many[:maxCookies], "; ")},
	}
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	for _, test := range tests {
		got := withCookies(test.before, "gws1.example", test.set, now)
		if got != test.want {
			t.Errorf("%s: withCookies(%q, %q) = %q; want %q", test.name, test.before, test.set, got, test.want)
		}
	}
}

func TestDomainFits(t *testing.T) {
	tests := []struct {
		host, domain string
		want         bool
	}{
		{"gws1.example", "", true},
		{"gws1.example", ".gws1.example", true},
		{"a.b.example", "b.example", true},
		{"ab.example", "b.example", false},
		{"b.example", "a.b.example", false},
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1", "0.0.1", false},
		{"::1", "1", false},
	}
	for _, test := range tests {
		if got := domainFits(test.host, test.domain); got != test.want {
			t.Errorf("domainFits(%q, %q) = %v; want %v", test.host, test.domain, got, test.want)
		}
	}
}

// Whatever an answer sets, what is sent is pairs that a header can carry, and taking it again
// changes nothing.
func FuzzWithCookies(f *testing.F) {
	f.Add("", "JSESSIONID=a; Path=/; HttpOnly")
	f.Add("JSESSIONID=a; AWSELB=b", "AWSELB=x; Expires=Thu, 01-Jan-1970 00:00:00 GMT")
	f.Add("a=1", "=;;=; Domain=.example; Max-Age=-1")
	f.Fuzz(func(t *testing.T, earlier, line string) {
		now := time.Unix(0, 0)
		before := withCookies("", "gws1.example", []string{earlier}, now)
		got := withCookies(before, "gws1.example", []string{line}, now)
		if !sendable(got) || strings.Count(got, ";") > 1 {
			t.Errorf("withCookies(%q, %q) = %q, which cannot be sent", before, line, got)
		}
		if again := withCookies(got, "gws1.example", []string{line}, now); again != got {
			t.Errorf("withCookies(%q, %q) = %q, and then %q", before, line, got, again)
		}
	})
}
