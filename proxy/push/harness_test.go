package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// devices is the channel that most tests publish on.
const devices = "/v2/me/devices"

// inTime runs test with a clock that moves when everyone waits, against a server with options,
// trusting and sweeping.
func inTime(t *testing.T, o Options, test func(t *testing.T, s *Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		test(t, s)
		s.Close()
		cancel()
		err := <-ended
		if err != nil {
			t.Errorf("Run = %v; want nil", err)
		}
		synctest.Wait()
	})
}

// newServer returns a server that finds clients by their id, unless strict.
func newServer(t testing.TB, o Options) *Server {
	t.Helper()
	o.TrustClientSession = true
	return New(o)
}

// A failing writer loses what is written once it is told to.
type writer struct {
	*httptest.ResponseRecorder
	broken bool
}

func (w *writer) FlushError() error {
	if w.broken {
		return errors.New("connection reset by peer")
	}
	w.Flush()
	return nil
}

// A call is a request under way.
type call struct {
	*writer
	err   error         // what Serve returned
	done  chan struct{} // it has returned
	leave func()        // breaks the caller's connection
}

// send starts a request of owner with body.
func send(s *Server, owner, body string, changes ...func(*http.Request)) *call {
	r := httptest.NewRequest(http.MethodPost, "/api/v2/notifications/connect", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json;charset=UTF-8")
	ctx, cancel := context.WithCancel(context.Background())
	r = r.WithContext(ctx)
	for _, change := range changes {
		change(r)
	}
	c := &call{writer: &writer{ResponseRecorder: httptest.NewRecorder()}, done: make(chan struct{}), leave: cancel}
	go func() {
		defer close(c.done)
		defer cancel()
		c.err = s.Serve(c.writer, r, owner)
	}()
	return c
}

// post sends a request and returns its answer's body.
func post(t testing.TB, s *Server, owner, body string, changes ...func(*http.Request)) string {
	t.Helper()
	return send(s, owner, body, changes...).text(t)
}

// text waits for the answer and returns its body.
func (c *call) text(t testing.TB) string {
	t.Helper()
	<-c.done
	if c.Code != http.StatusOK {
		t.Errorf("HTTP status = %d; want 200", c.Code)
	}
	return c.Body.String()
}

// held reports whether the call is still under way when nobody has anything left to do.
func (c *call) held() bool {
	synctest.Wait()
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// A page is a client of an owner that has shaken hands.
type page struct {
	t      testing.TB
	s      *Server
	owner  string
	id     string
	cookie string
	next   int // message id
}

// open shakes hands for owner; ext goes with it.
func open(t testing.TB, s *Server, owner string, changes ...func(*http.Request)) *page {
	t.Helper()
	return openWith(t, s, owner, "", changes...)
}

func openWith(t testing.TB, s *Server, owner, ext string, changes ...func(*http.Request)) *page {
	t.Helper()
	c := send(s, owner, `[{"channel":"/meta/handshake","version":"1.0"`+ext+`}]`, changes...)
	var replies []struct{ ClientID string }
	err := json.Unmarshal([]byte(c.text(t)), &replies)
	if err != nil || len(replies) != 1 || replies[0].ClientID == "" {
		t.Fatalf("handshake = %s, %v; want a client id", c.Body, err)
	}
	p := &page{t: t, s: s, owner: owner, id: replies[0].ClientID}
	for _, cookie := range c.Result().Cookies() {
		p.cookie = cookie.Name + "=" + cookie.Value
	}
	return p
}

// with sets a header.
func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// message returns a message of p with the fields given as JSON.
func (p *page) message(channel, fields string) string {
	p.next++
	return fmt.Sprintf(`{"id":"%d","channel":%q,"clientId":%q%s}`, p.next, channel, p.id, fields)
}

func (p *page) subscribe(pattern string) {
	p.t.Helper()
	got := post(p.t, p.s, p.owner, "["+p.message(metaSubscribe, fmt.Sprintf(`,"subscription":%q`, pattern))+"]")
	if !strings.Contains(got, `"successful":true`) {
		p.t.Fatalf("subscribe to %s = %s; want success", pattern, got)
	}
}

// connect starts a connect with the fields given as JSON.
func (p *page) connect(fields string, changes ...func(*http.Request)) *call {
	p.t.Helper()
	if p.cookie != "" {
		changes = append([]func(*http.Request){with("Cookie", p.cookie)}, changes...)
	}
	return send(p.s, p.owner, "["+p.message(metaConnect, `,"connectionType":"long-polling"`+fields)+"]", changes...)
}

// ready returns a page that has connected once and is subscribed to everything, so that its next
// connect is held.
func ready(t testing.TB, s *Server, owner string) *page {
	t.Helper()
	p := open(t, s, owner)
	p.subscribe("/**")
	p.connect("").text(t)
	return p
}

// Publish is PublishAll of one event.
func (s *Server) Publish(owner, channel string, data any, received time.Time) error {
	return s.PublishAll(owner, Publication{Channel: channel, Data: data, Received: received})
}

// publish publishes data for owner on devices.
func publish(t testing.TB, s *Server, owner string, data any) {
	t.Helper()
	err := s.Publish(owner, devices, data, time.Now())
	if err != nil {
		t.Errorf("Publish: %v", err)
	}
}

// dataOf returns the data of the events in an answer, joined by blanks.
func dataOf(t testing.TB, body string) string {
	t.Helper()
	var messages []struct{ Data any }
	err := json.Unmarshal([]byte(body), &messages)
	if err != nil {
		t.Fatalf("answer %q: %v", body, err)
	}
	var data []string
	for _, m := range messages {
		if m.Data != nil {
			data = append(data, fmt.Sprint(m.Data))
		}
	}
	return strings.Join(data, " ")
}

// number returns the value of one series, 0 if there is none. labels are name, value, name, value.
func number(t testing.TB, reg prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			matching := 0
			for _, label := range metric.GetLabel() {
				for i := 0; i < len(labels); i += 2 {
					if label.GetName() == labels[i] && label.GetValue() == labels[i+1] {
						matching++
					}
				}
			}
			if matching == len(labels)/2 {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}
