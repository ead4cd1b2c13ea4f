package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// small is the shortest text that passes.
const small = `
sites:
  ic: {kind: icws, urls: ["https://ic1.example:8019"]}
routes:
  - {match: "*", sites: [ic]}
`

var compareNetworks = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestExampleIsAcceptedWithoutWarnings(t *testing.T) {
	c, err := Parse("example.yaml", []byte(Example), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %q", c.Warnings)
	}
}

// What a site is asked at most where its settings do not say.
var (
	defaultCalls   = Calls{AtOnce: 256, Wait: 2 * time.Second, Retries: 10}
	defaultBreaker = Breaker{Calls: 20, Within: 10 * time.Second, Pause: 5 * time.Second}
	defaultPace    = Pace{PerSecond: 50, Queue: 1000, Wait: 10 * time.Second}
)

func TestWholeSchemaIsAccepted(t *testing.T) {
	t.Chdir("testdata")
	c, v := parse(nil, Document{"whole.yaml", read(t, "whole.yaml")})
	c, err := seal(c, v)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Listen:         "127.0.0.1:8081",
		PublicURL:      "https://agents.example",
		Admin:          "127.0.0.1:9181",
		AdminTokenFile: "secret", AdminToken: NewSecret("canary"),
		TLS:            TLS{CertificateFile: "tls.crt", KeyFile: "tls.key", ClientCAFile: "tls.crt"},
		AdminTLS:       TLS{CertificateFile: "tls.crt", KeyFile: "tls.key"},
		CSRF:           CSRFByToken,
		CORS:           CORS{Origins: []string{"https://crm.example", "http://localhost:3000"}},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
		Dialect:        DialectStatusCode,
		HTCCVersion:    "8.5.203.1",
		Passthrough:    []string{"/api/v2"},
		QuickRequests:  false,
		IdleTimeout:    time.Hour,
		Credentials:    ForgetCredentials,
		DrainDelay:     0,
		Grace:          time.Minute,
		Cache:          Cache{MaxBytes: 1e6, Scope: ScopeShared, StaleIfError: 0},
		Log:            Log{Level: "debug", LoginNames: true, ClientIP: true},
		Traces:         Traces{Endpoint: "https://collector.example:4318", PerThousand: 5},
		Limits: Limits{Body: 2048, Requests: 500, Header: 16 << 10, Headers: 50, URL: 4 << 10, HeaderTimeout: 5 * time.Second, BodyTimeout: time.Minute,
			WriteTimeout: 20 * time.Second, Strangers: 200, StrangersPerAddress: 20},
		Logins: Logins{FailuresPerName: 3, FailuresPerAddress: 30, Window: 10 * time.Minute, Delay: 2 * time.Second},
		Store: Store{Kind: StoreValkey, URLs: []string{"valkeys://store1.example:6379", "rediss://store2.example"}, Cluster: true, User: "portico",
			PasswordFile: "secret", Password: NewSecret("canary"), KeyFile: "store-keys", Key: NewSecret(storeKeys),
			TLS: SiteTLS{CAFile: "site.crt", CertificateFile: "site.crt", KeyFile: "site.key"}, Timeout: 250 * time.Millisecond},
		Sites: map[string]Site{
			"pureconnect": {
				Name: "pureconnect", Kind: ICWS, Timeout: 5 * time.Second, TraceContext: KeepTraceContext,
				Calls:   Calls{AtOnce: 32, Wait: time.Second, Retries: 5},
				Breaker: Breaker{Calls: 50, Within: 30 * time.Second, Pause: time.Second},
				Logins:  Pace{PerSecond: 20, Queue: 100, Wait: 5 * time.Second},
				TLS:     SiteTLS{CAFile: "site.crt", CertificateFile: "site.crt", KeyFile: "site.key"},
				URL:     "https://proxy.example/api/{host}", Hosts: []string{"ic1.example", "ic2.example"},
				Alternates:  []string{"ic*.example"},
				Application: "Desktop", Language: "de",
				Marketplace: Marketplace{LicenseName: "LICENCE", CodeFile: "secret", Code: NewSecret("canary")},
				Channels:    map[string]Channel{"voice": {Workgroups: []string{"Sales", "Support"}}, "email": {Workgroups: []string{"Mail"}}},
				Statuses: Statuses{
					Ready: "Available", NotReady: "Available, No ACD", DoNotDisturb: "Do Not disturb",
					AfterCallWork: "Follow Up", AuxWork: "Working at home", AtStart: "Available, No ACD", AtEnd: KeepStatus,
				},
				Activations: Activations{AtEnd: AtEndRestore},
				Confirm:     ConfirmCompleted,
				AfterOutage: AfterOutageLoggedOut,
				Watch:       WatchService,
				Service:     Service{User: "portico", PasswordFile: "secret", Password: NewSecret("canary"), Hold: HoldByHeartbeat, KeepAlive: time.Minute},
				Native:      true,
			},
			"cloud": {Name: "cloud", Kind: HTCC, URLs: []string{"https://gws.example:8090"}, Timeout: 10 * time.Second, PassthroughTimeout: time.Minute,
				Calls: defaultCalls, Breaker: defaultBreaker, Logins: defaultPace, TraceContext: SendTraceContext},
		},
		Routes: []Route{
			{Match: "*@both.example", Sites: []string{"pureconnect", "cloud"}, Channels: map[string]string{"voice": "pureconnect", "chat": "cloud", "email": "cloud"}},
			{Match: "*@gws.example", Sites: []string{"cloud"}, Login: map[string]string{"cloud": "{{.Local}}"}},
			{Match: "*", Sites: []string{"pureconnect"}},
		},
		States: map[string]map[string]string{"OutToLunch": {"pureconnect": "At Lunch", "cloud": "OutToLunch"}},
	}
	warnings := cmpopts.IgnoreFields(Config{}, "Warnings") // who may read the secret depends on the checkout
	if diff := cmp.Diff(want, c, compareNetworks, warnings); diff != "" {
		t.Errorf("whole.yaml (-want +got):\n%s", diff)
	}
}

func TestDefaultsHoldWhereTheFileSaysNothing(t *testing.T) {
	c, err := Parse("small.yaml", []byte(small), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Sites = map[string]Site{"ic": {
		Name: "ic", Kind: ICWS, URLs: []string{"https://ic1.example:8019"}, Timeout: 10 * time.Second,
		Calls: defaultCalls, Breaker: defaultBreaker, Logins: defaultPace, TraceContext: SendTraceContext,
		Application: "Portico", Language: "en-us", Channels: map[string]Channel{"voice": {}},
		Activations: Activations{AtEnd: AtEndKeep}, Confirm: ConfirmAccepted, AfterOutage: AfterOutageNotReady, Watch: WatchAgent, Service: Service{Hold: HoldByStream, KeepAlive: 90 * time.Second},
	}}
	want.Routes = []Route{{Match: "*", Sites: []string{"ic"}}}
	if diff := cmp.Diff(want, c, compareNetworks, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestPublicURLFollowsListen(t *testing.T) {
	cases := map[string]string{
		":8080":          "http://localhost:8080",
		"0.0.0.0:80":     "http://localhost:80",
		"[::]:8080":      "http://localhost:8080",
		"127.0.0.1:8081": "http://127.0.0.1:8081",
		"[::1]:8081":     "http://[::1]:8081",
		"host:8081":      "http://host:8081",
		"127.0.0.1:0":    "",
	}
	for listen, want := range cases {
		c, err := Parse("small.yaml", []byte(small), []string{"PORTICO_LISTEN=" + listen})
		if err != nil {
			t.Fatal(err)
		}
		if c.PublicURL != want {
			t.Errorf("listen %q: public_url = %q; want %q", listen, c.PublicURL, want)
		}
	}
}

func TestLoadReadsAFileAndItsSecretsBesideIt(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "portico.yaml"), small+"log: {level: warn}\n")
	c, err := Load(t.Context(), filepath.Join(dir, "portico.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Log.Level != "warn" {
		t.Errorf("log.level = %q; want warn", c.Log.Level)
	}
	_, err = Load(t.Context(), filepath.Join(dir, "none.yaml"), nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of no file = %v; want fs.ErrNotExist", err)
	}
}

func TestParseOverLaysOneDocumentOverAnother(t *testing.T) {
	base := Document{"demo", []byte(small + `
listen: "127.0.0.1:8080"
trusted_proxies: [10.0.0.0/8, 192.168.0.0/16]
cache: {max_bytes: 1MiB, stale_if_error: 5m}
`)}
	over := Document{"mine.yaml", []byte(`
listen: "127.0.0.1:8081"
trusted_proxies: [172.16.0.0/12]
cache:
  max_bytes: 2MiB
log:
sites:
  ic: {language: de}
  other: {kind: icws, urls: ["https://other.example:8019"]}
routes:
  - {match: "o*", sites: [other]}
  - {match: "*", sites: [ic]}
`)}
	c, err := ParseOver(base, over, []string{"PORTICO_SITES_OTHER_LANGUAGE=fr"})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Listen, c.TrustedProxies, c.Cache.MaxBytes, c.Cache.StaleIfError, c.Log.Level,
		c.Sites["ic"].Language, c.Sites["ic"].URLs, c.Sites["other"].Language, len(c.Routes)}
	want := []any{"127.0.0.1:8081", []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12")}, Bytes(2 << 20), 5 * time.Minute, LogLevel("info"),
		"de", []string{"https://ic1.example:8019"}, "fr", 2}
	if diff := cmp.Diff(want, got, compareNetworks); diff != "" {
		t.Errorf("ParseOver (-want +got):\n%s", diff)
	}
}

func TestParseOverNamesTheDocumentAtFault(t *testing.T) {
	base := Document{"demo", []byte(small)}
	over := Document{"mine.yaml", []byte("sites:\n  ic:\n    confirm: acepted\n  xx: {}\n")}
	_, err := ParseOver(base, over, nil)
	compareMessages(t, err, []string{
		`mine.yaml:3: sites.ic.confirm: "acepted" is not known; did you mean "accepted"?`,
		`mine.yaml:4: sites.xx.kind: is missing; want icws or htcc`,
		`mine.yaml:4: sites.xx.urls: there are none; want one for each host, such as ["https://ic1.example:8019"]`,
	})
	_, err = ParseOver(Document{"demo", []byte("[")}, Document{"mine.yaml", []byte("")}, nil)
	compareMessages(t, err, []string{
		"demo:1: is not YAML: did not find expected node content",
		"mine.yaml:1: is empty; settings need at least sites and routes",
	})
}

func TestTooLongAFileIsRefused(t *testing.T) {
	_, err := Parse("long.yaml", []byte("#"+strings.Repeat("x", maxFile)), nil)
	compareMessages(t, err, []string{"long.yaml: is longer than 1MiB"})
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAFileWithoutAnEndIsRefused would run out of memory if it were read to its end.
func TestAFileWithoutAnEndIsRefused(t *testing.T) {
	const endless = "/dev/zero"
	_, err := Load(t.Context(), endless, nil)
	if err == nil || err.Error() != endless+": is longer than 1MiB" {
		t.Errorf("Load(%q) = %v", endless, err)
	}
}

func TestAPipeIsRead(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	_, err = writer.WriteString(small)
	if err != nil || writer.Close() != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("/dev/fd/%d", reader.Fd())
	_, err = Load(t.Context(), name, nil)
	if err != nil {
		t.Errorf("Load(%q) = %v", name, err)
	}
}

func TestReadOfAPipeThatNobodyWritesTo(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	err := syscall.Mkfifo(pipe, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Read(ctx, pipe)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v; want %v", err, context.Canceled)
	}
	_, err = ReadAgain(pipe)
	if !errors.Is(err, ErrOnce) {
		t.Errorf("ReadAgain = %v; want %v", err, ErrOnce)
	}
	writer, err := os.OpenFile(pipe, os.O_RDWR, 0) // lets go of who still waits to read
	if err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
}
