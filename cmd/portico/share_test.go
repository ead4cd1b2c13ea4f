package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A storeServer is a real one, on a port of its own, that ends with the test.
type storeServer struct {
	t       *testing.T
	address string
	process *exec.Cmd
}

func newStoreServer(t *testing.T) *storeServer {
	t.Helper()
	_, err := exec.LookPath("redis-server")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("CI needs redis-server: apt-get install redis-server")
	}
	if err != nil {
		t.Skip("left out: replicas that share sessions. It needs: sudo apt-get install redis-server")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &storeServer{t: t, address: listener.Addr().String()}
	must(t, listener.Close())
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *storeServer) start() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.address)
	s.process = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", s.t.TempDir())
	must(s.t, s.process.Start())
	eventually(s.t, "redis-server listens", func() bool {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

func (s *storeServer) stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// settings return what has a Portico share its sessions there.
func (s *storeServer) settings() string {
	s.t.Helper()
	keys := filepath.Join(s.t.TempDir(), "keys")
	must(s.t, os.WriteFile(keys, []byte(strings.Repeat("A", 43)+"=\n"), 0o600))
	return fmt.Sprintf("drain_delay: 0s\nstore: {kind: valkey, urls: [\"valkey://%s\"], key_file: %s, timeout: 5s}\n", s.address, keys)
}

// with sends a request with a cookie alone, of one that logged in with name and password before, and
// returns the answer's status, body and the session's cookie.
func (s *stopping) with(method, path, body, cookie, agent string) (int, string, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.door+path, strings.NewReader(body))
	must(s.t, err)
	if cookie != "" {
		request.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: cookie})
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if agent != "" {
		request.SetBasicAuth(agent, agent)
	}
	answer, err := s.http.Transport.RoundTrip(request)
	must(s.t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	must(s.t, err)
	for _, one := range answer.Cookies() {
		if one.Name == "JSESSIONID" {
			cookie = one.Value
		}
	}
	return answer.StatusCode, string(text), cookie
}

func (s *stopping) end() {
	s.t.Helper()
	s.stop()
	<-s.delayed
	close(s.over)
	must(s.t, <-s.ended)
}

// shows holds what a cookie shows of a channel or device to a state.
func (s *stopping) shows(when, path, cookie, want string) {
	s.t.Helper()
	status, body, _ := s.with("GET", path, "", cookie, "")
	if status != 200 || !strings.Contains(body, `"state":"`+want+`"`) {
		s.t.Errorf("%s: %d %s; want %s", when, status, body, want)
	}
}

// TestReplicasShareSessions has agents of all kinds go from one Portico to another, and the first stop.
func TestReplicasShareSessions(t *testing.T) {
	store := newStoreServer(t)
	c := newCentres(t, nil)
	settings := store.settings()
	a, b := c.open(settings), c.open(settings)
	cookies := map[string]string{}
	voice := map[string]string{"anna": "/me/channels/voice", "bjorn": "/me/devices", "cleo": "/me/channels/voice"}
	for agent, path := range voice {
		status, body, cookie := a.with("POST", "/me", `{"operationName":"StartContactCenterSession","channels":["voice"]}`, "", agent)
		if status != 200 || cookie == "" {
			t.Fatalf("%s: %d %s", agent, status, body)
		}
		cookies[agent] = cookie
		a.with("POST", "/me", `{"operationName":"Ready"}`, cookie, "")
		b.shows(agent+" at another replica, at once after a write", path, cookie, "Ready")
		status, body, again := b.with("GET", "/me", "", "", agent)
		if status != 200 || again != cookie {
			t.Errorf("%s, by name and password: %d %s, with another cookie: %v", agent, status, body, again != cookie)
		}
		b.with("POST", "/me", `{"operationName":"NotReady"}`, cookie, "")
		a.shows(agent+" where the log-in was, at once after a write elsewhere", path, cookie, "NotReady")
	}
	a.end()
	for agent, cookie := range cookies {
		b.shows(agent+" after the other replica stopped", voice[agent], cookie, "NotReady")
	}
	c.sessions("anna", 1)
	if n := c.pureconnect.Calls()["POST /icws/connection"]; n != 2 {
		t.Errorf("%d log-ins of two agents at PureConnect", n)
	}
	status, body, _ := b.with("POST", "/me", `{"operationName":"EndContactCenterSession"}`, cookies["anna"], "")
	if status != 200 {
		t.Errorf("the end: %d %s", status, body)
	}
	eventually(t, "anna's upstream session ends", func() bool {
		state, err := c.pureconnect.State("anna")
		return err == nil && state.Sessions == 0
	})
	b.end()
}

// TestAStoreThatGoesAwayAndComesBack follows an agent who is logged in, and one who is not.
func TestAStoreThatGoesAwayAndComesBack(t *testing.T) {
	store := newStoreServer(t)
	c := newCentres(t, nil)
	s := c.open(store.settings())
	_, _, cookie := s.with("GET", "/me", "", "", "anna")
	store.stop()
	eventually(t, "readiness tells", func() bool { return strings.HasSuffix(s.ready(), `"store":false}`) })
	s.shows("without the store", "/me/channels/voice", cookie, "NotReady")
	began := time.Now()
	status, body, _ := s.with("GET", "/me", "", "", "agent0001")
	if status != 503 || time.Since(began) > 5*time.Second {
		t.Errorf("a new log-in without the store: %d %s after %v; want 503 at once", status, body, time.Since(began))
	}
	store.start()
	eventually(t, "readiness tells", func() bool { return strings.HasSuffix(s.ready(), `"store":true}`) })
	status, body, _ = s.with("GET", "/me", "", "", "agent0001")
	if status != 200 {
		t.Errorf("a log-in with the store back: %d %s", status, body)
	}
	s.end()
}
