package push

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// The wire truth: every answer as CometD 3.1 words it. CLIENT stands for the client's id.
func TestAnswers(t *testing.T) {
	const retryAdvice = `"advice":{"reconnect":"retry","interval":0,"timeout":30000}`
	for _, test := range []struct {
		name, request, want string
	}{
		{"a handshake",
			`[{"id":"1","version":"1.0","minimumVersion":"1.0","channel":"/meta/handshake","supportedConnectionTypes":["long-polling"],"advice":{"timeout":60000,"interval":0}}]`,
			`[{"id":"1","channel":"/meta/handshake","successful":true,"version":"1.0","minimumVersion":"1.0","clientId":"NEW","supportedConnectionTypes":["websocket","long-polling"],` + retryAdvice + `}]`},
		{"a handshake that asks for acknowledgements",
			`[{"id":"1","channel":"/meta/handshake","ext":{"ack":true}}]`,
			`[{"id":"1","channel":"/meta/handshake","successful":true,"version":"1.0","minimumVersion":"1.0","clientId":"NEW","supportedConnectionTypes":["websocket","long-polling"],` + retryAdvice + `,"ext":{"ack":true}}]`},
		{"a first connect",
			`[{"id":"2","channel":"/meta/connect","connectionType":"long-polling","clientId":"CLIENT","advice":{"timeout":0}}]`,
			`[{"id":"2","channel":"/meta/connect","successful":true,` + retryAdvice + `}]`},
		{"a first connect of a client that does not ask for an answer at once",
			`[{"id":"2","channel":"/meta/connect","connectionType":"long-polling","clientId":"CLIENT"}]`,
			`[{"id":"2","channel":"/meta/connect","successful":true,` + retryAdvice + `}]`},
		{"a connect with a pause of its own",
			`[{"id":"2","channel":"/meta/connect","clientId":"CLIENT","advice":{"timeout":0,"interval":1500}}]`,
			`[{"id":"2","channel":"/meta/connect","successful":true,"advice":{"reconnect":"retry","interval":1500,"timeout":30000}}]`},
		{"a connect of an unknown client",
			`[{"id":"57","channel":"/meta/connect","clientId":"gone"}]`,
			`[{"id":"57","channel":"/meta/connect","successful":false,"error":"402::Unknown client","advice":{"reconnect":"handshake","interval":0}}]`},
		{"a connect without a client",
			`[{"id":"57","channel":"/meta/connect"}]`,
			`[{"id":"57","channel":"/meta/connect","successful":false,"error":"402::Unknown client","advice":{"reconnect":"handshake","interval":0}}]`},
		{"a subscription",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/v2/me/devices","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":"/v2/me/devices"}]`},
		{"a subscription to several channels, patterns among them",
			`[{"id":"3","channel":"/meta/subscribe","subscription":["/a","/b/*","/**"],"clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":["/a","/b/*","/**"]}]`},
		{"the same subscription twice in a batch",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT"},{"id":"4","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":"/a"},{"id":"4","channel":"/meta/subscribe","successful":true,"subscription":"/a"}]`},
		{"a subscription of an unknown client",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"gone"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"402::Unknown client"}]`},
		{"a subscription to nothing",
			`[{"id":"3","channel":"/meta/subscribe","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"403::subscription_missing"}]`},
		{"a subscription to a number",
			`[{"id":"3","channel":"/meta/subscribe","subscription":7,"clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"403::subscription_invalid"}]`},
		{"a subscription to what is no channel",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"devices","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"403::subscription_invalid"}]`},
		{"a subscription to a meta channel",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/meta/connect","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"403:denied_by_security_policy:subscribe_denied","subscription":"/meta/connect"}]`},
		{"a subscription to a meta channel that does not exist",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/meta/**","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"403:denied_by_security_policy:create_denied","subscription":"/meta/**"}]`},
		{"a subscription to a service channel",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/service/x","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":"/service/x"}]`},
		{"a subscription that the policy refuses",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/secret","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"403:denied_by_authorizer:subscribe_denied","subscription":"/secret"}]`},
		{"more subscriptions than a client may have",
			`[{"id":"3","channel":"/meta/subscribe","subscription":["/1","/2","/3","/4"],"clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"403::subscribe_failed","subscription":["/1","/2","/3","/4"]}]`},
		{"more subscriptions than a client may have, but for doubles",
			`[{"id":"3","channel":"/meta/subscribe","subscription":["/1","/2","/1","/2","/3"],"clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":["/1","/2","/1","/2","/3"]}]`},
		{"more subscriptions than a client may have, none of which is made, for channels without subscribers",
			`[{"id":"3","channel":"/meta/subscribe","subscription":["/1","/service/2","/service/3","/service/4"],"clientId":"CLIENT"},{"id":"4","channel":"/meta/unsubscribe","subscription":"/1","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"403::subscribe_failed","subscription":["/1","/service/2","/service/3","/service/4"]},{"id":"4","channel":"/meta/unsubscribe","successful":false,"error":"400::channel_missing","subscription":"/1"}]`},
		{"unsubscribing from more than a client may have",
			`[{"id":"4","channel":"/meta/unsubscribe","subscription":["/other","/service/2","/service/3","/service/4"],"clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/meta/unsubscribe","successful":false,"error":"403::unsubscribe_failed","subscription":["/other","/service/2","/service/3","/service/4"]}]`},
		{"unsubscribing from a channel several times",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT"},{"id":"4","channel":"/meta/unsubscribe","subscription":["/a","/a","/a","/a"],"clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":"/a"},{"id":"4","channel":"/meta/unsubscribe","successful":true,"subscription":["/a","/a","/a","/a"]}]`},
		{"unsubscribing",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT"},{"id":"4","channel":"/meta/unsubscribe","subscription":["/a"],"clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":"/a"},{"id":"4","channel":"/meta/unsubscribe","successful":true,"subscription":["/a"]}]`},
		{"unsubscribing from a channel that is not known",
			`[{"id":"4","channel":"/meta/unsubscribe","subscription":"/nowhere","clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/meta/unsubscribe","successful":false,"error":"400::channel_missing","subscription":"/nowhere"}]`},
		{"unsubscribing from a channel that only another page of the owner is subscribed to",
			`[{"id":"4","channel":"/meta/unsubscribe","subscription":"/other","clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/meta/unsubscribe","successful":true,"subscription":"/other"}]`},
		{"unsubscribing from a channel that only another owner is subscribed to",
			`[{"id":"4","channel":"/meta/unsubscribe","subscription":"/foreign","clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/meta/unsubscribe","successful":false,"error":"400::channel_missing","subscription":"/foreign"}]`},
		{"unsubscribing from a meta channel",
			`[{"id":"4","channel":"/meta/unsubscribe","subscription":"/meta/connect","clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/meta/unsubscribe","successful":false,"error":"403::unsubscribe_failed","subscription":"/meta/connect"}]`},
		{"unsubscribing from nothing",
			`[{"id":"4","channel":"/meta/unsubscribe","clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/meta/unsubscribe","successful":false,"error":"403::subscription_missing"}]`},
		{"unsubscribing from an object",
			`[{"id":"4","channel":"/meta/unsubscribe","subscription":{},"clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/meta/unsubscribe","successful":false,"error":"403::subscription_invalid"}]`},
		{"disconnecting, and a message after it",
			`[{"id":"9","channel":"/meta/disconnect","clientId":"CLIENT"},{"id":"10","channel":"/meta/disconnect","clientId":"CLIENT"}]`,
			`[{"id":"9","channel":"/meta/disconnect","successful":true},{"id":"10","channel":"/meta/disconnect","successful":false,"error":"402::Unknown client"}]`},
		{"publishing, which is refused",
			`[{"id":"4","channel":"/x","data":{"a":1},"clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/x","successful":false,"error":"403:denied_by_security_policy:publish denied"}]`},
		{"publishing by an unknown client",
			`[{"id":"4","channel":"/x","data":{"a":1},"clientId":"gone"}]`,
			`[{"id":"4","channel":"/x","successful":false,"error":"402::Unknown client"}]`},
		{"publishing on a meta channel of its own",
			`[{"id":"4","channel":"/meta/x","data":1,"clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/meta/x","successful":false,"error":"403:denied_by_security_policy:create denied"}]`},
		{"publishing on what is no channel",
			`[{"id":"4","channel":"x","data":1,"clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"x","successful":false,"error":"405::channel_invalid"}]`},
		{"a message without a channel",
			`[{"id":"4","clientId":"CLIENT"}]`,
			`[{"id":"4","successful":false,"error":"400::channel missing"}]`},
		{"a message that is not let in",
			`[{"id":"4","channel":"/vetoed","data":1,"clientId":"CLIENT"}]`,
			`[{"id":"4","channel":"/vetoed","successful":false,"error":"404::message deleted"}]`},
		{"an id that is a number, and none",
			`[{"id":4,"channel":"/x","clientId":"gone"},{"channel":"/x","clientId":"gone"},{"id":null,"channel":"/x","clientId":"gone"}]`,
			`[{"id":4,"channel":"/x","successful":false,"error":"402::Unknown client"},{"channel":"/x","successful":false,"error":"402::Unknown client"},{"channel":"/x","successful":false,"error":"402::Unknown client"}]`},
		{"an id with characters that HTML minds",
			`[{"id":"<&>","channel":"/x","clientId":"gone"}]`,
			`[{"id":"<&>","channel":"/x","successful":false,"error":"402::Unknown client"}]`},
		{"a message of another client in the batch of one",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT"},{"id":"4","channel":"/meta/disconnect","clientId":"OTHER"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":"/a"},{"id":"4","channel":"/meta/disconnect","successful":false,"error":"402::Unknown client"}]`},
		{"a client of another owner",
			`[{"id":"3","channel":"/meta/connect","clientId":"FOREIGN"}]`,
			`[{"id":"3","channel":"/meta/connect","successful":false,"error":"402::Unknown client","advice":{"reconnect":"handshake","interval":0}}]`},
		{"an object instead of an array, and fields that nobody knows",
			`{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT","new":[{}],"ext":7,"advice":"none"}`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":"/a"}]`},
		{"a batch with a connect, which is not held",
			`[{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"CLIENT"},{"id":"4","channel":"/meta/connect","clientId":"CLIENT"}]`,
			`[{"id":"3","channel":"/meta/subscribe","successful":true,"subscription":"/a"},{"id":"4","channel":"/meta/connect","successful":true,` + retryAdvice + `}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, Options{
				AckExtension: true, WebSocket: true, MaxSubscriptions: 3,
				Receive: func(_, channel string) bool { return channel != "/vetoed" },
				Subscribe: func(_, pattern string) string {
					if pattern == "/secret" {
						return "denied_by_authorizer"
					}
					return ""
				},
			})
			anna, other, cleo := open(t, s, "anna"), open(t, s, "anna"), open(t, s, "cleo")
			other.subscribe("/other")
			cleo.subscribe("/foreign")
			request := strings.NewReplacer("CLIENT", anna.id, "OTHER", other.id, "FOREIGN", cleo.id).Replace(test.request)
			got := post(t, s, "anna", request)
			got = regexp.MustCompile(`"clientId":"[a-z2-7]{26}"`).ReplaceAllString(got, `"clientId":"NEW"`)
			if got != test.want {
				t.Errorf("answer to %s\n = %s\nwant %s", test.request, got, test.want)
			}
		})
	}
}

func TestRefusedHandshake(t *testing.T) {
	s := newServer(t, Options{Handshake: func(owner string) bool { return owner != "bob" }, MaxClients: 2})
	const shake = `[{"id":"1","channel":"/meta/handshake"}]`
	got := post(t, s, "bob", shake)
	want := `[{"id":"1","channel":"/meta/handshake","successful":false,"error":"403::Handshake denied","advice":{"reconnect":"none"}}]`
	if got != want {
		t.Errorf("handshake that the policy refuses = %s; want %s", got, want)
	}
	open(t, s, "anna")
	open(t, s, "anna")
	got = post(t, s, "anna", shake)
	want = `[{"id":"1","channel":"/meta/handshake","successful":false,"error":"403::Handshake denied","advice":{"reconnect":"handshake","interval":10000}}]`
	if got != want {
		t.Errorf("handshake of one client too many = %s; want %s", got, want)
	}
	open(t, s, "cleo")
	if s.Clients("anna") != 2 || s.Clients("bob") != 0 || s.Clients("cleo") != 1 {
		t.Errorf("clients of anna, bob, cleo = %d, %d, %d; want 2, 0, 1", s.Clients("anna"), s.Clients("bob"), s.Clients("cleo"))
	}
}

func TestPublishingWithAPolicy(t *testing.T) {
	var told []string
	s := newServer(t, Options{Publish: func(owner, channel string, data json.RawMessage) string {
		told = append(told, owner+" "+channel+" "+string(data))
		if channel == "/no" {
			return "denied_by_authorizer"
		}
		return ""
	}})
	p := open(t, s, "anna")
	got := post(t, s, "anna", "["+p.message("/yes", `,"data":{"a":1}`)+","+p.message("/no", "")+"]")
	want := `[{"id":"1","channel":"/yes","successful":true},{"id":"2","channel":"/no","successful":false,"error":"403:denied_by_authorizer:publish denied"}]`
	if got != want {
		t.Errorf("publishing = %s; want %s", got, want)
	}
	if strings.Join(told, ", ") != `anna /yes {"a":1}, anna /no null` {
		t.Errorf("policy was told %q", told)
	}
}

// Requests that are none, and the ways to send one that is.
func TestRequests(t *testing.T) {
	const subscribe = `{"id":"3","channel":"/meta/subscribe","subscription":"/a","clientId":"gone"}`
	const answered = `[{"id":"3","channel":"/meta/subscribe","successful":false,"error":"402::Unknown client"}]`
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name, method, contentType, body string
		status                          int
		want                            string
	}{
		{"JSON", "POST", "application/json;charset=UTF-8", "[" + subscribe + "]", 200, answered},
		{"JSON with parameters that cannot be read", "POST", "application/json;charset", "[" + subscribe + "]", 200, answered},
		{"no content type", "POST", "", " \n[" + subscribe + "]", 200, answered},
		{"a bare object", "POST", "", subscribe, 200, answered},
		{"a form with a message", "POST", form, "message=" + subscribe, 200, answered},
		{"a form with several messages, one an array", "POST", form + ";charset=UTF-8",
			"message=" + subscribe + "&other=1&message=[" + subscribe + "]", 200, strings.TrimSuffix(answered, "]") + "," + answered[1:]},
		{"a form without a message", "POST", form, "other=1", 400, "no messages\n"},
		{"a form that cannot be read", "POST", form, "message=%zz", 400, ""},
		{"a form with a message that cannot be read", "POST", form, "message=[", 400, ""},
		{"another content type", "POST", "text/plain", "[" + subscribe + "]", 400, "Invalid Content-Type\n"},
		{"GET", "GET", "", "", 400, "Unknown Bayeux Transport\n"},
		{"PUT", "PUT", "application/json", "[" + subscribe + "]", 400, "Unknown Bayeux Transport\n"},
		{"JSON that ends early", "POST", "application/json", "[{", 400, ""},
		{"two arrays", "POST", "application/json", "[][]", 400, ""},
		{"an object that ends early", "POST", "application/json", "{", 400, ""},
		{"a string", "POST", "application/json", `"x"`, 400, ""},
		{"nothing", "POST", "application/json", "", 400, ""},
		{"an empty array", "POST", "application/json", "[]", 400, "no messages\n"},
		{"null", "POST", "application/json", "null", 400, "no messages\n"},
		{"a message that is null", "POST", "application/json", "[null]", 200, `[{"successful":false,"error":"400::channel missing"}]`},
		{"a handshake among others", "POST", "application/json", `[` + subscribe + `,{"channel":"/meta/handshake"}]`, 400, "a handshake comes alone\n"},
		{"too many messages", "POST", "application/json", `[{},{},{},{}]`, 413, "too many messages\n"},
		{"too large a body", "POST", "application/json", `[` + strings.Repeat(" ", 1000) + `]`, 413, "request too large\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, Options{MaxBatch: 3, MaxMessageSize: 500})
			c := send(s, "anna", test.body, func(r *http.Request) {
				r.Method = test.method
				r.Header.Set("Content-Type", test.contentType)
			})
			<-c.done
			if c.Code != test.status || c.Body.String() != test.want || c.err != nil {
				t.Errorf("answer = %d %q, %v; want %d %q", c.Code, c.Body, c.err, test.status, test.want)
			}
			if c.Code == 200 && c.Header().Get("Content-Type") != "application/json;charset=UTF-8" {
				t.Errorf("content type = %q", c.Header().Get("Content-Type"))
			}
		})
	}
}

func TestUpgradeIsRefusedAtOnceWhenNotOffered(t *testing.T) {
	s := newServer(t, Options{})
	c := send(s, "anna", "", func(r *http.Request) {
		r.Method = "GET"
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
	})
	<-c.done
	if c.Code != http.StatusBadRequest {
		t.Errorf("HTTP status = %d; want 400", c.Code)
	}
}

func TestBrowserCookie(t *testing.T) {
	for _, test := range []struct {
		name    string
		options Options
		cookie  string
		want    string
	}{
		{"a browser without one gets one", Options{}, "", `^BAYEUX_BROWSER=[a-z2-7]{16}; Path=/; HttpOnly$`},
		{"for https alone if asked to", Options{Secure: true}, "", `^BAYEUX_BROWSER=[a-z2-7]{16}; Path=/; HttpOnly; Secure$`},
		{"a browser keeps the one it has", Options{}, "BAYEUX_BROWSER=known", `^$`},
		{"one that is too long is replaced", Options{}, "BAYEUX_BROWSER=" + strings.Repeat("x", 65), `^BAYEUX_BROWSER=[a-z2-7]{16};`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := send(New(test.options), "anna", `[{"channel":"/meta/handshake"}]`, with("Cookie", test.cookie))
			c.text(t)
			got := c.Header().Get("Set-Cookie")
			if !regexp.MustCompile(test.want).MatchString(got) {
				t.Errorf("Set-Cookie = %q; want %s", got, test.want)
			}
		})
	}
}

func TestStrictServerFindsAClientByItsBrowser(t *testing.T) {
	s := New(Options{})
	p := open(t, s, "anna")
	subscribe := "[" + p.message(metaSubscribe, `,"subscription":"/a"`) + "]"
	for _, test := range []struct {
		name, cookie string
		want         bool
	}{
		{"with its cookie", p.cookie, true},
		{"without", "", false},
		{"with another's", "BAYEUX_BROWSER=other", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Contains(post(t, s, "anna", subscribe, with("Cookie", test.cookie)), `"successful":true`)
			if got != test.want {
				t.Errorf("found = %v; want %v", got, test.want)
			}
		})
	}
}
