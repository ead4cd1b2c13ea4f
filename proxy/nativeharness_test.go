package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const noNative = `{"message":"there is no /icws here: no site is open to applications that speak ICWS"}`

// openToNative opens the ICWS site to native applications, at the door's own address.
func openToNative(k *knobs) {
	k.site.Native = true
	k.door.PublicURL, k.icws.PublicURL = k.url, k.url
	k.icws.PassthroughTimeout = k.timeout
}

// A hostNetwork is hosts by name, each on a socket of its own, and a note of every name that was called.
type hostNetwork struct {
	addresses map[string]string

	mu     sync.Mutex
	called []string // guarded by mu
}

// behind puts hosts behind the ICWS site: bases are its configured ones.
func behind(t testing.TB, hosts map[string]http.Handler, bases ...string) (*hostNetwork, func(*knobs)) {
	t.Helper()
	n := &hostNetwork{addresses: map[string]string{}}
	for name, host := range hosts {
		server := httptest.NewServer(host)
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
		n.addresses[name] = server.Listener.Addr().String()
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.DialContext = n.dial
	t.Cleanup(transport.CloseIdleConnections)
	return n, func(k *knobs) {
		openToNative(k)
		k.icws.Bases, k.icws.HTTP = bases, transport
	}
}

func (n *hostNetwork) dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, _ := net.SplitHostPort(address)
	n.mu.Lock()
	n.called = append(n.called, name)
	n.mu.Unlock()
	found, ok := n.addresses[name]
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("no host %s", name)}
	}
	return (&net.Dialer{}).DialContext(ctx, network, found)
}

func (n *hostNetwork) names() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(n.called)))
}

// An application speaks ICWS, with a cookie jar as browsers have, and knows nothing of Portico.
type application struct {
	*world
	jar     *cookiejar.Jar
	http    *http.Client
	session string
	token   string
	first   answer // to the log-in
}

func (w *world) application() *application {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	client := *w.client
	client.Jar = jar
	return &application{world: w, jar: jar, http: &client}
}

// opens logs a user in, whose name is their password.
func (w *world) opens(user string, headers ...string) *application {
	w.t.Helper()
	a := w.application()
	a.first = a.logIn(user, user, headers...)
	if a.first.status != http.StatusCreated {
		w.t.Fatalf("log-in of %s = %d %s; want 201", user, a.first.status, a.first.body)
	}
	var opened struct{ SessionID, CSRFToken string }
	err := json.Unmarshal([]byte(a.first.body), &opened)
	if err != nil {
		w.t.Fatal(err)
	}
	a.session, a.token = opened.SessionID, opened.CSRFToken
	return a
}

func (a *application) logIn(user, password string, headers ...string) answer {
	a.t.Helper()
	body := fmt.Sprintf(`{"__type":"urn:inin.com:connection:icAuthConnectionRequestSettings","applicationName":"Own","userID":%q,"password":%q}`, user, password)
	return a.call(http.MethodPost, "/icws/connection?include=features", body, append([]string{"Accept-Language", "en-us"}, headers...)...)
}

// ask is call for a resource of the session, with its token.
func (a *application) ask(method, path, body string, headers ...string) answer {
	a.t.Helper()
	return a.call(method, "/icws/"+a.session+path, body, append([]string{"ININ-ICWS-CSRF-Token", a.token}, headers...)...)
}

func (a *application) call(method, path, body string, headers ...string) answer {
	a.t.Helper()
	response := a.must(a.t.Context(), method, path, strings.NewReader(body), headers...)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{response.StatusCode, response.Header, string(content)}
}

// must sends a request that must be answered, and leaves the body unread.
func (a *application) must(ctx context.Context, method, path string, body io.Reader, headers ...string) *http.Response {
	a.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, body)
	if err != nil {
		a.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := a.http.Do(request)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response
}

// cookies returns what the jar would send with a request of a session, by name.
func (a *application) cookies(session string) map[string]string {
	at, err := url.Parse(a.url + "/icws/" + session + "/connection")
	if err != nil {
		a.t.Fatal(err)
	}
	found := map[string]string{}
	for _, cookie := range a.jar.Cookies(at) {
		found[cookie.Name] = cookie.Value
	}
	return found
}

// bare sends a request of a session with these cookies and this token alone.
func (w *world) bare(method, session, path, token string, cookies ...string) answer {
	w.t.Helper()
	headers := []string{"Cookie", strings.Join(cookies, "; ")}
	if token != "" {
		headers = append(headers, "ININ-ICWS-CSRF-Token", token)
	}
	return w.do(method, "/icws/"+session+path, "", headers...)
}

func (a *application) icwsCookie() string {
	return "icws_" + a.session + "=" + a.cookies(a.session)["icws_"+a.session]
}

func (a *application) hostCookie() string {
	return nativeHostCookie + "=" + a.cookies(a.session)[nativeHostCookie]
}

// message waits for the next message of an event stream.
func message(t testing.TB, lines <-chan string) string {
	t.Helper()
	for {
		select {
		case line := <-lines:
			if data, found := strings.CutPrefix(line, "data: "); found {
				return data
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no message came")
		}
	}
}

const routeFeatures = "GET /icws/{sessionId}/connection/features"
