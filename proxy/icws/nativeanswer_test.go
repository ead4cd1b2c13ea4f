package icws

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"portico/proxy/upstream/memhttp"
)

func TestCookiesHoldHere(t *testing.T) {
	for _, test := range []struct{ name, public, base, line, want string }{
		{"as recorded", "http://agents.example", base1, "icws_1=a-b|languageId=en-us; Path=/icws/1; HttpOnly", "icws_1=a-b|languageId=en-us; Path=/icws/1; HttpOnly"},
		{"behind a proxy", "http://agents.example", "https://proxy.example/api/ic1", "icws_1=a; Path=/api/ic1/icws/1; HttpOnly", "icws_1=a; Path=/icws/1; HttpOnly"},
		{"behind a proxy that rewrites nothing", "http://agents.example", "https://proxy.example/api/ic1", "icws_1=a; Path=/icws/1", "icws_1=a; Path=/icws/1"},
		{"for all of the proxy", "http://agents.example", "https://proxy.example/api/ic1", "x=a; path=/api/ic1", "x=a; Path=/"},
		{"of a name that begins alike", "http://agents.example", "https://proxy.example/api/ic1", "x=a; path=/api/ic11/icws", "x=a; Path=/api/ic11/icws"},
		{"of https, here http", "http://agents.example", base1, "icws_1=a; Path=/icws/1; HttpOnly; Secure", "icws_1=a; Path=/icws/1; HttpOnly"},
		{"of http, here https", "https://agents.example", base1, "icws_1=a; Path=/icws/1; HttpOnly", "icws_1=a; Path=/icws/1; HttpOnly; Secure"},
		{"of https, here too", "https://agents.example", base1, "icws_1=a; secure; Path=/icws/1", "icws_1=a; Path=/icws/1; Secure"},
		{"of the host's name", "http://agents.example", base1, `x="a b"; Domain=ic1.example; Max-Age=5; SameSite=Lax`, `x="a b"; Max-Age=5; SameSite=Lax`},
		{"for pages of all sites, here http", "http://agents.example", base1, "icws_1=a; Path=/icws/1; SameSite=None; Secure; Partitioned", "icws_1=a; Path=/icws/1"},
		{"in other capitals", "http://agents.example", base1, "icws_1=a; samesite = NONE ; secure; partitioned; HttpOnly", "icws_1=a; HttpOnly"},
		{"for pages of all sites, here https", "https://agents.example", base1, "icws_1=a; SameSite=None; Secure; Partitioned", "icws_1=a; SameSite=None; Partitioned; Secure"},
		{"bare", "http://agents.example", base1, "x", "x"},
	} {
		if got := publicOf(test.public).cookie(test.line, pathOf(test.base)); got != test.want {
			t.Errorf("a cookie %s: %q becomes %q; want %q", test.name, test.line, got, test.want)
		}
	}
}

func TestLocationsLeadHere(t *testing.T) {
	for _, test := range []struct{ base, location, want string }{
		{base1, "/icws/1/connection", "/icws/1/connection"},
		{base1, base1 + "/icws/1/connection?a=b", "/icws/1/connection?a=b"},
		{base1, "HTTP://IC1.example:8018/icws/1", "/icws/1"},
		{base1, base1, "/"},
		{base1, base2 + "/icws/1", "/icws/1"},
		{base1, base1 + "9/icws/1", base1 + "9/icws/1"},
		{base1, "http://ic1.example/icws/1", "http://ic1.example/icws/1"},
		{base1, "https://identity.example/sign-on?to=x", "https://identity.example/sign-on?to=x"},
		{base1, "//identity.example/x", "//identity.example/x"},
		{base1, "connection", "connection"},
		{"https://proxy.example/api/ic1", "/api/ic1/icws/1", "/icws/1"},
		{"https://proxy.example/api/ic1", "/icws/1", "/icws/1"},
		{"https://proxy.example/api/ic1", "https://proxy.example/api/ic1/icws/1", "/icws/1"},
		{"https://proxy.example/api/ic1", "https://proxy.example/icws/1", "/icws/1"},
	} {
		client, _ := newClient(t, memhttp.Network{}, func(s *Settings) { s.Bases = []string{test.base, base2} })
		if got := client.ourLocation(test.location, test.base); got != test.want {
			t.Errorf("Location %q of %s = %q; want %q", test.location, test.base, got, test.want)
		}
	}
}

func TestHostListsNameUs(t *testing.T) {
	for _, test := range []struct {
		body, want string
		named      int
	}{
		{`{"alternateHostList":["ic1.example","ic2.example"],"message":"x"}`, `{"alternateHostList":["me"],"message":"x"}`, 2},
		{"{ \"a\" : 1.0e2 ,\n \"alternateHostList\" : [ \"ic1\" ] , \"b\":\"\\u00e4\" }", "{ \"a\" : 1.0e2 ,\n \"alternateHostList\" : [\"me\"] , \"b\":\"\\u00e4\" }", 1},
		{`{"alternateHostList":[]}`, `{"alternateHostList":[]}`, 0},
		{`{"alternateHostList":null}`, `{"alternateHostList":null}`, 0},
		{`{"alternateHostList":"ic1"}`, `{"alternateHostList":"ic1"}`, 0},
		{`{"within":{"alternateHostList":["ic1"]}}`, `{"within":{"alternateHostList":["ic1"]}}`, 0},
		{`{"message":"x"}`, `{"message":"x"}`, 0},
		{`[1]`, `[1]`, 0}, {`{"a":`, `{"a":`, 0}, {`{"a"`, `{"a"`, 0}, {``, ``, 0}, {`<html>`, `<html>`, 0},
	} {
		got, named := withHost([]byte(test.body), "me")
		if string(got) != test.want || len(named) != test.named {
			t.Errorf("%s becomes %s, naming %q; want %s and %d", test.body, got, named, test.want, test.named)
		}
	}
}

// FuzzWithHost holds that what has no list stays, and that nothing a server sends can panic.
func FuzzWithHost(f *testing.F) {
	f.Add([]byte(`{"alternateHostList":["ic1.example"],"message":"x"}`))
	f.Add([]byte(`{"a":{"b":[1,2]},"alternateHostList":[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, named := withHost(bytes.Clone(body), "me")
		if len(named) == 0 && !bytes.Equal(got, body) {
			t.Errorf("%q becomes %q", body, got)
		}
		if len(named) > 0 {
			again, names := withHost(got, "me")
			if !bytes.Equal(again, got) || len(names) != 1 || names[0] != "me" {
				t.Errorf("%q becomes %q, and that %q", body, got, again)
			}
		}
	})
}

// TestPackedErrorsAreMappedToo has errors in gzip, as an application may have asked for.
func TestPackedErrorsAreMappedToo(t *testing.T) {
	pack := func(text string) string {
		var packed bytes.Buffer
		packer := gzip.NewWriter(&packed)
		_, _ = io.WriteString(packer, text)
		_ = packer.Close()
		return packed.String()
	}
	const list, mapped = `{"alternateHostList":["ic1.example"]}`, `{"alternateHostList":["agents.example"]}`
	long := `{"alternateHostList":["ic1.example"],"message":"` + strings.Repeat("x", maxNaming) + `"}`
	for name, test := range map[string]struct{ encoding, body, want string }{
		"plain":                      {"", list, mapped},
		"gzip":                       {"gzip", pack(list), mapped},
		"gzip without a list":        {"gzip", pack(`{}`), pack(`{}`)},
		"no gzip, but called so":     {"gzip", list, list},
		"an encoding nobody knows":   {"br", list, list},
		"longer than errors can be":  {"", long, long},
		"a list that is ours anyway": {"", mapped, mapped},
	} {
		client, _ := newClient(t, at(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if test.encoding != "" {
				w.Header().Set("Content-Encoding", test.encoding)
			}
			says(401, test.body)(w, r)
		})), func(s *Settings) { s.PublicURL = "https://agents.example" })
		req, err := http.NewRequestWithContext(t.Context(), "GET", "/icws/1/connection", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Native(req, base1)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(body) != test.want {
			t.Errorf("%s: %.200q (%v); want %.200q", name, body, err, test.want)
		}
		if changed := test.want == mapped; changed && res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: the answer still says it is in %s", name, res.Header.Get("Content-Encoding"))
		}
	}
}

// TestAnsweredErrorID leaves bodies as they are, whatever it finds in them.
func TestAnsweredErrorID(t *testing.T) {
	const refusal = `{"errorId":"error.request.notFound","message":"no"}`
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = io.WriteString(zip, refusal)
	_ = zip.Close()
	long := `{"errorId":"error.request.notFound","message":"` + strings.Repeat("x", maxNaming) + `"}`
	for name, test := range map[string]struct {
		status               int
		kind, encoding, body string
		want                 string
	}{
		"an error":           {404, "application/vnd.inin.icws+JSON; charset=utf-8", "", refusal, "error.request.notFound"},
		"one that is zipped": {404, "application/vnd.inin.icws+JSON", "gzip", packed.String(), "error.request.notFound"},
		"one without an id":  {401, "application/vnd.inin.icws+JSON", "", `{"errorCode":1}`, ""},
		"a page":             {404, "text/html", "", refusal, ""},
		"a success":          {200, "application/vnd.inin.icws+JSON", "", refusal, ""},
		"no JSON":            {404, "application/vnd.inin.icws+JSON", "", "<html>", ""},
		"one of no end":      {404, "application/vnd.inin.icws+JSON", "", long, ""},
		"nothing":            {404, "application/vnd.inin.icws+JSON", "", "", ""},
	} {
		res := &http.Response{StatusCode: test.status, Header: http.Header{"Content-Type": {test.kind}, "Content-Encoding": {test.encoding}},
			Body: io.NopCloser(strings.NewReader(test.body))}
		if got := AnsweredErrorID(res); got != test.want {
			t.Errorf("%s: the id is %q; want %q", name, got, test.want)
		}
		if body, err := io.ReadAll(res.Body); string(body) != test.body || err != nil {
			t.Errorf("%s: then the body has %d bytes (%v); want the %d that came", name, len(body), err, len(test.body))
		}
	}
}
