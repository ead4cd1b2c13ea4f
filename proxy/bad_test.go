package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBadBodies posts what no operation can be read from, in both dialects. Everything that goes
// wrong leaves the agent as they were.
func TestBadBodies(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	before := anna.get("/me?subresources=*").body
	for _, test := range []struct {
		name   string
		path   string
		body   string
		status int
		code   int
		text   string
	}{
		{"nothing", "/me", "", 400, 1, `the body is empty; want a JSON object with "operationName"`},
		{"blanks", "/me", " \r\n", 400, 1, `the body is empty; want a JSON object with "operationName"`},
		{"no operation", "/me", `{}`, 400, 1, `"operationName" is missing`},
		{"an empty operation", "/me", `{"operationName":""}`, 400, 1, `"operationName" is missing`},
		{"null as operation", "/me", `{"operationName":null}`, 400, 1, `"operationName" is missing`},
		{"a name in another case", "/me", `{"OperationName":"Ready"}`, 400, 1, `"operationName" is missing`},
		{"a number as operation", "/me", `{"operationName":1}`, 400, 2, `"operationName" must be a string; it is a number`},
		{"a list as operation", "/me", `{"operationName":["Ready"]}`, 400, 2, `"operationName" must be a string; it is an array`},
		{"half an object", "/me", `{"operationName":"Ready"`, 400, 2, `malformed JSON at byte 24: unexpected end of JSON input`},
		{"single quotes", "/me", `{'operationName':'Ready'}`, 400, 2, `malformed JSON at byte 2: invalid character '\'' looking for beginning of object key string`},
		{"a trailing comma", "/me", `{"operationName":"Ready",}`, 400, 2, `malformed JSON at byte 26: invalid character '}' looking for beginning of object key string`},
		{"something behind it", "/me", `{"operationName":"Ready"} x`, 400, 2, `malformed JSON at byte 27: invalid character 'x' after top-level value`},
		{"two objects", "/me", `{"operationName":"Ready"}{}`, 400, 2, `malformed JSON at byte 26: invalid character '{' after top-level value`},
		{"a list", "/me", `[{"operationName":"Ready"}]`, 400, 2, `the body must be a JSON object, not an array`},
		{"a string", "/me", `"Ready"`, 400, 2, `the body must be a JSON object, not a string`},
		{"null", "/me", `null`, 400, 2, `the body must be a JSON object, not null`},
		{"a boolean", "/me", `true`, 400, 2, `the body must be a JSON object, not a boolean`},
		{"a form", "/me", `operationName=Ready`, 400, 2, `malformed JSON at byte 1: invalid character 'o' looking for beginning of value`},
		{"too deep", "/me", `{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, 400, 2, `the JSON is nested deeper than 32 levels`},
		{"a long operation", "/me", `{"operationName":"` + strings.Repeat("x", 300) + `"}`, 400, 2, `"operationName" is longer than 256 bytes`},
		{"notes that are no text", "/me", `{"operationName":"AtLunch","notes":{}}`, 400, 2, `"notes" must be a string; it is an object`},
		{"a number to forward to", "/me", `{"operationName":"AvailableForward","forwardNumber":4711}`, 400, 2, `"forwardNumber" must be a string; it is a number`},
		{"an end that is no date", "/me", `{"operationName":"AtLunch","until":"one o'clock"}`, 400, 2,
			`"until" must be a date and time such as "2026-01-05T08:15:00Z"`},
		{"an end without zone", "/me", `{"operationName":"AtLunch","until":"2027-01-05T13:00:00"}`, 400, 2,
			`"until" must be a date and time such as "2026-01-05T08:15:00Z"`},
		{"an end after the last year", "/me", `{"operationName":"AtLunch","until":"9999-12-31T23:59:59-23:59"}`, 400, 2,
			`"until" must be a date and time such as "2026-01-05T08:15:00Z"`},
		{"an end before the first year", "/me", `{"operationName":"AtLunch","until":"0000-01-01T00:00:00+23:59"}`, 400, 2,
			`"until" must be a date and time such as "2026-01-05T08:15:00Z"`},
		{"a start without channels", "/me", `{"operationName":"StartContactCenterSession"}`, 400, 1,
			`"channels" is missing: name those to work on, such as ["voice"]`},
		{"a start with no channels", "/me", `{"operationName":"StartContactCenterSession","channels":[]}`, 400, 1,
			`"channels" is missing: name those to work on, such as ["voice"]`},
		{"a channel instead of channels", "/me", `{"operationName":"StartContactCenterSession","channels":"voice"}`, 400, 2,
			`"channels" must be an array with nothing but strings; it is a string`},
		{"a start with null", "/me", `{"operationName":"StartContactCenterSession","channels":[null]}`, 400, 2,
			`"channels" names one that is empty or null: name those to work on, such as ["voice"]`},
		{"the channel is looked at before the body", "/me/channels/fax", `{`, 404, 6, `there is no channel "fax"; this agent has: voice, email`},
		{"the device is looked at before the body", "/me/devices/7", `{`, 404, 6,
			`there is no device "7"; this agent has: ffa26a05-f9eb-59bd-ba56-b86c7970ca4f`},
		{"a channel that is a number", "/me", `{"operationName":"StartContactCenterSession","channels":["voice", 5]}`, 400, 2,
			`"channels" must be an array with nothing but strings; element 2 is a number`},
		{"notes that are a list", "/me", `{"operationName":"AtLunch","notes":["voice",5]}`, 400, 2, `"notes" must be a string; it is an array`},
		{"a body that is wrong for a channel", "/me/channels/voice", `{`, 400, 2, `malformed JSON at byte 1: unexpected end of JSON input`},
		{"an unknown path", "/me/mood", `{}`, 404, 6, ""},
		{"a prefix alone", "", `{}`, 404, 6, ""},
	} {
		got := anna.post("/api/v2"+test.path, test.body)
		want := fmt.Sprintf(`{"statusCode":%d,"statusMessage":%s}`, test.code, quote(test.text))
		if test.text == "" {
			want = got.body
		}
		got.is(t, test.name+", dialect StatusCode", test.status, want)

		got = anna.post(test.path, test.body)
		want = fmt.Sprintf(`{"status":"error","errorDescription":%s}`, quote(test.text))
		if test.text == "" {
			want = got.body
		}
		got.is(t, test.name+", dialect Status", test.status, want)
	}
	anna.get("/me?subresources=*").is(t, "the agent afterwards", http.StatusOK, before)
	if n := w.calls(routeSetStatus) + w.calls(routeActivate); n != 0 {
		t.Errorf("%d writes reached the site; want none", n)
	}
}

// TestAValueThatTheSiteRefusesIsNamed posts what Portico lets through and PureConnect does not take.
func TestAValueThatTheSiteRefusesIsNamed(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	long := strings.Repeat("x", 5000)
	anna.post("/api/v2/me", `{"operationName":"AtLunch","notes":"`+long+`"}`).is(t, "long notes", 400, `{"statusCode":2,"statusMessage":"PureConnect refused \"notes\""}`)
	anna.post("/me", `{"operationName":"AvailableForward","forwardNumber":"`+long+`"}`).is(t, "a long number", 400,
		`{"status":"error","errorDescription":"PureConnect refused \"forwardNumber\""}`)
	anna.post("/me", `{"operationName":"AtLunch","notes":"soup"}`).is(t, "short notes", 200, `{"status":"ok"}`)
	cleo := w.as("cleo")
	cleo.post("/api/v2/me", `{"operationName":"StartContactCenterSession","channels":["voice","chat"]}`)
	got := cleo.post("/api/v2/me", `{"operationName":"NotReady","notes":"`+long+`"}`)
	if !strings.Contains(got.body, `"statusMessage":"PureConnect refused \"notes\"","channel":"voice"`) {
		t.Errorf("long notes at both sites = %d %s; want what voice's refused named", got.status, got.body)
	}
}

func quote(text string) string {
	answer, err := encode(0, text)
	if err != nil {
		panic(err)
	}
	return string(answer.body)
}

func TestEncodedBodies(t *testing.T) {
	anna := newDoor(t).as("anna")
	const body = `{"operationName":"NotReady"}`
	anna.do(http.MethodPost, "/me", body, append(anna.headers, "Content-Encoding", "gzip")...).
		is(t, "gzip", 400, `{"status":"error","errorDescription":"the body is encoded, as \"gzip\"; send it as it is"}`)
	anna.do(http.MethodPost, "/me", body, append(anna.headers, "Content-Encoding", "identity")...).is(t, "identity", 200, `{"status":"ok"}`)
}

func TestTooLargeBodies(t *testing.T) {
	w := newDoor(t, func(k *knobs) { k.door.MaxBody = 1024 })
	anna := w.as("anna")
	body := func(size int) string {
		return `{"operationName":"NotReady","x":"` + strings.Repeat("x", size-len(`{"operationName":"NotReady","x":""}`)) + `"}`
	}
	anna.post("/me", body(1024)).is(t, "as large as may be", 200, `{"status":"ok"}`)
	anna.post("/me", body(1025)).is(t, "one byte more", 413, `{"status":"error","errorDescription":"the body is larger than 1024 bytes"}`)
	anna.post("/api/v2/me", body(1<<20)).is(t, "a mebibyte", 413, `{"statusCode":10,"statusMessage":"the body is larger than 1024 bytes"}`)
	anna.get("/api/v2/me?fields=userName").is(t, "the next request", 200, `{"statusCode":0,"user":{"userName":"anna"}}`)
}

func TestBodiesThatAreFine(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	for _, test := range []struct{ name, contentType, body string }{
		{"the usual", "application/json", `{"operationName":"NotReady"}`},
		{"with a charset", "application/json; charset=UTF-8", `{"operationName":"NotReady"}`},
		{"no content type", "", `{"operationName":"NotReady"}`},
		{"text", "text/plain;charset=utf-8", `{"operationName":"NotReady"}`},
		{"a form, by its header", "application/x-www-form-urlencoded", `{"operationName":"NotReady"}`},
		{"blanks around", "", "\n { \"operationName\" :\t\"NotReady\" } \r\n"},
		{"members of a real server", "", `{"operationName":"NotReady","workmode":"ManualIn","wrapUpTime":0,"queue":null,"mobileSession":{"debug":true}}`},
		{"the last of two counts", "", `{"operationName":"Nonsense","operationName":"NotReady"}`},
		{"a byte-order mark", "", "\xef\xbb\xbf" + `{"operationName":"NotReady"}`},
		{"escapes", "", `{"operationName":"Not\u0052eady"}`},
		{"brackets in a string", "", `{"operationName":"NotReady","x":"` + strings.Repeat(`[{\"`, 100) + `"}`},
		{"nested as deep as may be", "", `{"operationName":"NotReady","x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`},
	} {
		got := anna.do("POST", "/me", test.body, append(anna.headers, "Content-Type", test.contentType)...)
		got.is(t, test.name, 200, `{"status":"ok"}`)
	}
}

func FuzzDecodeOperation(f *testing.F) {
	for _, seed := range []string{`{"operationName":"Ready"}`, `{"channels":["voice"],"until":"2026-01-05T08:15:00Z"}`, `{`, `[[[]]]`, `{"notes":"\"["}`, `{"operationName":"x","notes":"a","forwardNumber":"1","until":"y"}`, "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ask, err := decodeOperation(body)
		if err == nil && ask.OperationName == "" {
			t.Errorf("decodeOperation(%q) found no operation and no fault", body)
		}
		want, wantErr := decodeAnyOperation(body)
		if diff := cmp.Diff(want, ask); diff != "" || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%q: %v; want %v (-encoding/json +plain)\n%s", body, err, wantErr, diff)
		}
	})
}
