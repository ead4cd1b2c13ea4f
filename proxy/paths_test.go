package proxy

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// A path that is added is counted, and people read of it.
func TestEachResourceIsWhole(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	NewMetrics(reg)
	counted := helpOf(t, reg, "portico_api_responses_total")
	named := regexp.MustCompile(`:(\w+)`)
	for _, r := range new(door).resources() {
		if r.get == nil {
			t.Errorf("%s cannot be read, as all can: GET and HEAD are routed", r.path)
		}
		if !slices.Contains(operations(), r.operation) {
			t.Errorf("what reads %s is counted as %q, which is not among operations", r.path, r.operation)
		}
		if !strings.Contains(counted, " "+string(r.operation)+",") {
			t.Errorf("the help of what counts answers does not list %q: %s", r.operation, counted)
		}
		if told := named.ReplaceAllString(r.path, "{$1}"); !strings.Contains(string(page), told+"`") {
			t.Errorf("README.md does not tell of %s", told)
		}
	}
}

// helpOf returns the help of a metric.
func helpOf(t *testing.T, reg *prometheus.Registry, name string) string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetHelp()
		}
	}
	t.Fatalf("there is no %s", name)
	return ""
}

// TestSpellingsOfPaths holds every spelling of a path that is documented or was seen to the answer
// of the plain one.
func TestSpellingsOfPaths(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	for plain, spellings := range map[string]string{
		"/me":                               "/me/ //me /me// //me//",
		"/me?subresources=*":                "/me/?subresources=* /me?subresources=%2A /me?subresources=%2a /me/subresources=* /me/subresources=*/ /me/subresources=%2A /me/subresources=%2a /me/subresources%3D* /me/subresources%3d%2a /me/subresources%3D%2A/ //me/subresources=* /me?x=1&subresources=*",
		"/me?subresources=*&fields=id":      "/me/subresources=*?fields=id /me/?fields=id&subresources=* /me/subresources%3D%2A/?fields=id",
		"/me?subresources=devices,channels": "/me/?subresources=devices,channels /me?subresources=devices&subresources=channels /me?subresources=devices%2Cchannels /me/subresources=devices,channels /me/subresources=devices%2Cchannels /me/subresources=devices?subresources=channels /me?subresources=channels,devices /me?subresources=devices,+channels,nothing",
		"/me?subresources=nothing":          "/me /me?subresources= /me/subresources= /me?subresources=DEVICES /me/subresources=nothing",
		"/me/devices?fields=*":              "/me/devices/?fields=* /me//devices?fields=%2A /me/devices//?fields=id,*",
		"/me/channels?fields=*":             "/me/channels/?fields=* /me/channels?fields=*&_=1767225600123",
		"/me/channels/voice":                "/me/channels/voice/ /me/channels//voice /m%65/channels/voice",
		"/settings/agent-states":            "/settings/agent-states/ //settings//agent-states",
		"/diagnostics/version":              "/diagnostics/version/ //diagnostics/version",
		"/me/status-messages":               "/me/status-messages/ /me//status-messages",
	} {
		for _, prefix := range []string{"", "/api/v2"} {
			want := anna.get(prefix + plain)
			if want.status != 200 {
				t.Errorf("GET %s%s = %d %s; want 200", prefix, plain, want.status, want.body)
			}
			for spelling := range strings.FieldsSeq(spellings) {
				anna.get(prefix+spelling).is(t, "GET "+prefix+spelling, 200, want.body)
			}
		}
	}
	for _, path := range []string{"/me/", "//me", "/me//"} {
		anna.post(path, `{"operationName":"NotReady"}`).is(t, "POST "+path, 200, `{"status":"ok"}`)
		anna.post("/api/v2"+path, `{"operationName":"NotReady"}`).is(t, "POST /api/v2"+path, 200, `{"statusCode":0}`)
	}
}

func TestUnknownPaths(t *testing.T) {
	w := newDoor(t)
	anna := w.as("anna")
	for path, want := range map[string]string{
		"/":                         `{"status":"error","errorDescription":"there is no \"/\" here"}`,
		"/ME":                       `{"status":"error","errorDescription":"there is no \"/ME\" here"}`,
		"/me/mood":                  `{"status":"error","errorDescription":"there is no \"/me/mood\" here"}`,
		"/me/subresources=*/x":      `{"status":"error","errorDescription":"there is no \"/me/subresources=*/x\" here"}`,
		"/icws/connection":          noNative,
		"/icwsx":                    `{"status":"error","errorDescription":"there is no \"/icwsx\" here"}`,
		"/me/../me":                 `{"status":"error","errorDescription":"there is no \"/me/../me\" here"}`,
		"/api/v2":                   `{"statusCode":6,"statusMessage":"there is no \"/api/v2\" here, and this agent has no HTCC site that could have it"}`,
		"/api/v1/me":                `{"statusCode":6,"statusMessage":"there is no \"/api/v1/me\" here"}`,
		"/api/v2/services?fields=*": `{"statusCode":6,"statusMessage":"there is no \"/api/v2/services\" here, and this agent has no HTCC site that could have it"}`,
		"/api/v2/me/calls/":         `{"statusCode":6,"statusMessage":"there is no \"/api/v2/me/calls\" here, and this agent has no HTCC site that could have it"}`,
	} {
		anna.get(path).is(t, "GET "+path, 404, want)
		stranger := w.do("DELETE", path, "")
		if strings.HasPrefix(path, "/api/v2") { // could be passed through, so it matters who asks
			stranger.is(t, "DELETE without credentials "+path, 403, deniedB)
			continue
		}
		stranger.is(t, "DELETE without credentials "+path, 404, want)
	}
}

func TestDialectOfTheSettings(t *testing.T) {
	for dialect, want := range map[string]string{"status": `{"version":"8.5.202.96"}`, "statusCode": `{"statusCode":0,"version":"8.5.202.96"}`} {
		w := newDoor(t, func(k *knobs) { k.door.Dialect = dialectOf(dialect) })
		for _, path := range []string{"/diagnostics/version", "/api/v2/diagnostics/version"} {
			w.do("GET", path, "").is(t, dialect+": "+path, 200, want)
		}
	}
	w := newDoor(t, func(k *knobs) { k.door.Dialect = dialectOf("statusCode") })
	anna := w.as("anna")
	anna.get("/me/channels").is(t, "forced uris", 200,
		`{"statusCode":0,"uris":["https://agents.example/api/v2/me/channels/voice","https://agents.example/api/v2/me/channels/email"]}`)
	anna.get("/nowhere").is(t, "a forced failure", 404, `{"statusCode":6,"statusMessage":"there is no \"/nowhere\" here"}`)
}

func FuzzPlainPath(f *testing.F) {
	for _, seed := range []string{"/", "//", "/me/", "/api/v2/me/subresources=*", "", "me", "/me//subresources=a/b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		plain, _ := plainPath(path)
		again, list := plainPath(plain)
		if again != plain && !strings.HasSuffix(plain, "/subresources="+list) {
			t.Errorf("plainPath(%q) = %q, and of that %q", path, plain, again)
		}
	})
}
