package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/proxy/htcc/htccsim"
	"portico/proxy/icws/icwssim"
	"portico/proxy/push"
	"portico/translate/htccapi"
)

// telling makes a world tell its agents' applications of changes.
func telling(s *Settings, _ *Site) {
	s.Push = push.New(push.Options{TrustClientSession: true})
}

// newTelling is newWorld with notifications.
func newTelling(t *testing.T, sim *icwssim.Server, options ...option) *world {
	t.Helper()
	w := newWorld(t, sim, append(options, telling)...)
	w.sweepPages()
	return w
}

// newTellingUnion is newUnion with notifications.
func newTellingUnion(t *testing.T, cloud *htccsim.Server) *world {
	t.Helper()
	w := newUnion(t, &icwssim.Server{}, cloud, telling)
	w.sweepPages()
	return w
}

// sweepPages has clients ended that stay away, until the test ends.
func (w *world) sweepPages() {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.settings.Push.Run(ctx) })
	w.t.Cleanup(func() {
		w.settings.Push.Close()
		cancel()
		running.Wait()
	})
}

// A desktop is an agent's application: a CometD client that connects again and again, until it is told
// to stop, is unknown, or leaves.
type desktop struct {
	w       *world
	serve   func(http.ResponseWriter, *http.Request)
	id      string
	leave   func()
	cookies map[string]*http.Cookie // used by one goroutine at a time

	mu    sync.Mutex
	got   []string // guarded by mu
	whole []string // the same, as they came; guarded by mu
	last  string   // the reply that ended it; guarded by mu
}

// open opens a desktop that is subscribed to patterns, and leaves with the test.
func (w *world) open(a *Agent, patterns ...string) *desktop {
	w.t.Helper()
	return w.openAt(func(answer http.ResponseWriter, r *http.Request) {
		err := w.settings.Push.Serve(answer, r, a.SessionID())
		if err != nil {
			answer.WriteHeader(http.StatusInternalServerError)
		}
	}, patterns...)
}

// openDirect opens a desktop at an HTCC site, without Portico in between.
func (w *world) openDirect(cloud *htccsim.Server, name string, patterns ...string) *desktop {
	w.t.Helper()
	return w.openAt(func(answer http.ResponseWriter, r *http.Request) {
		r.SetBasicAuth(name, name)
		cloud.ServeHTTP(answer, r)
	}, patterns...)
}

// openAt opens a desktop at a CometD server.
func (w *world) openAt(serve func(http.ResponseWriter, *http.Request), patterns ...string) *desktop {
	w.t.Helper()
	ctx, leave := context.WithCancel(context.Background())
	p := &desktop{w: w, serve: serve, leave: leave, cookies: map[string]*http.Cookie{}}
	shaken := p.post(ctx, `{"channel":"/meta/handshake","version":"1.0"}`)
	if len(shaken) != 1 || shaken[0].ClientID == "" {
		w.t.Fatalf("handshake = %+v", shaken)
	}
	p.id = shaken[0].ClientID
	for _, pattern := range patterns {
		p.post(ctx, fmt.Sprintf(`{"channel":"/meta/subscribe","clientId":%q,"subscription":%q}`, p.id, pattern))
	}
	var connecting sync.WaitGroup
	connecting.Go(func() { p.connect(ctx) })
	w.t.Cleanup(func() {
		leave()
		connecting.Wait()
	})
	synctest.Wait()
	return p
}

// A bayeux is a message that came.
type bayeux struct {
	Channel    string
	ClientID   string
	Data       json.RawMessage
	Successful bool
	Error      string
	Advice     struct{ Reconnect string }
}

// post sends a message and returns what comes back; nothing if ctx ends first.
func (p *desktop) post(ctx context.Context, message string) []bayeux {
	r := httptest.NewRequestWithContext(ctx, "POST", "/api/v2/notifications", strings.NewReader("["+message+"]"))
	r.Header.Set("Content-Type", "application/json")
	for _, cookie := range p.cookies {
		r.AddCookie(cookie)
	}
	answer := httptest.NewRecorder()
	p.serve(answer, r)
	if answer.Code != http.StatusOK || ctx.Err() != nil {
		return nil
	}
	for _, cookie := range answer.Result().Cookies() {
		p.cookies[cookie.Name] = cookie
	}
	var messages []bayeux
	err := json.Unmarshal(answer.Body.Bytes(), &messages)
	if err != nil {
		p.w.t.Errorf("answer %q: %v", answer.Body, err)
	}
	return messages
}

// connect receives until there is nothing more to receive.
func (p *desktop) connect(ctx context.Context) {
	for {
		messages := p.post(ctx, fmt.Sprintf(`{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling"}`, p.id))
		if len(messages) == 0 {
			return
		}
		p.mu.Lock()
		for _, m := range messages {
			if m.Data != nil {
				p.got = append(p.got, brief(m))
				p.whole = append(p.whole, m.Channel+" "+string(m.Data))
			}
			if m.Channel == "/meta/connect" && (!m.Successful || m.Advice.Reconnect == "none") {
				p.last = strings.TrimSpace(m.Error + " " + m.Advice.Reconnect)
			}
		}
		over := p.last != ""
		p.mu.Unlock()
		if over {
			return
		}
	}
}

// heard returns what came since it was asked last, once nobody has anything left to do.
func (p *desktop) heard() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.got
	p.got, p.whole = nil, nil
	return got
}

// heardWhole is heard with the notifications as they came.
func (p *desktop) heardWhole() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.whole
	p.got, p.whole = nil, nil
	return got
}

// ending returns the words that ended the desktop, "" if it goes on.
func (p *desktop) ending() string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// hears holds what came since it was asked last to want.
func (p *desktop) hears(when string, want ...string) {
	p.w.t.Helper()
	got := p.heard()
	if !slices.Equal(got, want) {
		p.w.t.Errorf("%s came\n\t%s\nwant\n\t%s", when, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// later is hears after a while, in which what was set off has come to its end.
func (p *desktop) later(when string, want ...string) {
	p.w.t.Helper()
	time.Sleep(time.Second)
	p.hears(when, want...)
}

// brief returns what a notification says, in short. That a message comes on the topic of another is
// seen by its topic.
func brief(m bayeux) string {
	var data struct {
		MessageType  string
		Devices      []htccapi.Device
		Channels     []htccapi.Channel
		Services     []htccapi.Service
		ErrorMessage string
	}
	err := json.Unmarshal(m.Data, &data)
	if err != nil {
		return m.Channel + " " + string(m.Data)
	}
	text := m.Channel + " " + data.MessageType
	switch m.Channel + data.MessageType {
	case htccapi.TopicDevices + htccapi.TypeDeviceStateChange:
		text = "device"
	case htccapi.TopicChannels + htccapi.TypeChannelStateChange:
		text = "channels"
	case htccapi.TopicServices + htccapi.TypeServiceStateChange:
		text = "services"
	}
	for _, device := range data.Devices {
		text += " " + device.DeviceState
		if device.UserState != nil {
			text += ":" + device.UserState.State + device.UserState.Reason + device.UserState.WorkMode
		}
		text += " dnd:" + device.DoNotDisturb
	}
	for _, channel := range data.Channels {
		text += " " + string(channel.Channel) + ":" + channel.UserState.State + channel.UserState.Reason + channel.UserState.WorkMode
		if channel.UserActivity == "Busy" {
			text += "/Busy"
		}
		switch channel.DNDState {
		case htccapi.On:
			text += "/dnd"
		case "":
			text += "/no dndState"
		}
	}
	for _, service := range data.Services {
		text += " " + service.Name + ":" + service.State
	}
	return text
}

// settles holds what came since it was asked last to what operations that go to both sites side by side
// must lead to, in whatever order these answer: the last list is want.
func (p *desktop) settles(when, want string) {
	p.w.t.Helper()
	time.Sleep(time.Second)
	got := p.heard()
	last := ""
	for _, one := range got {
		if strings.HasPrefix(one, "channels") {
			last = one
		}
	}
	if last != want {
		p.w.t.Errorf("%s came\n\t%s\nwant %q at last", when, strings.Join(got, "\n\t"), want)
	}
}
