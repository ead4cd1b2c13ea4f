package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
	"portico/translate/icwsapi"
)

// What a request costs the gateway while nothing has to be asked of the site.
func BenchmarkHotPaths(b *testing.B) {
	w := newWorld(b, &icwssim.Server{})
	anna := w.login("anna")
	w.shows(anna)
	w.awaitCurrent(anna)
	basic := Caller{Basic: true, Login: "anna", Password: "anna"}
	cookie := Caller{SessionID: anna.SessionID()}
	ctx := b.Context()
	for name, call := range map[string]func() error{
		"Me":           func() error { _, err := w.Me(ctx, anna, nil); return err },
		"AgentStates":  func() error { _, err := w.AgentStates(ctx, anna); return err },
		"LoginBasic":   func() error { _, err := w.Login(ctx, basic); return err },
		"LoginCookie":  func() error { _, err := w.Login(ctx, cookie); return err },
		"CheckChannel": func() error { return w.CheckChannel(anna, htccapi.Voice) },
		"StatusMessages": func() error {
			_, err := w.StatusMessages(ctx, anna, htccapi.DialectStatus, true, func(string) bool { return false })
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// awaitCurrent waits until nothing has to be asked of the site for the agent's state.
func (w *world) awaitCurrent(a *Agent) {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		a.icws().mu.Lock()
		current := a.icws().currentLocked()
		a.icws().mu.Unlock()
		if current {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatal("the agent's state is not kept current")
		}
	}
}

// BenchmarkNotification measures what a change costs from the site's message to the answer of the
// application's connect, and to the next that is held.
func BenchmarkNotification(b *testing.B) {
	w := newWorld(b, &icwssim.Server{}, telling)
	anna := w.login("anna")
	w.shows(anna)
	w.awaitCurrent(anna)
	page := w.openHeld(anna)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		<-page.held
		anna.icws().receiveMessage(icwsapi.UserStatusMessage{Head: icwsapi.Head{Type: icwsapi.TypeUserStatus, IsDelta: true},
			UserStatusList: []icwsapi.UserStatus{{UserID: "anna", StatusID: []string{"At Lunch", "At Play"}[i%2]}}})
	}
	b.ReportMetric(float64(page.answers.Load())/float64(b.N), "answers/op")
}

// A heldPage is an application that waits for notifications, and says when it does.
type heldPage struct {
	context.Context
	held    chan struct{}
	answers atomic.Int64
}

// Done is called where a connect waits to be answered.
func (h *heldPage) Done() <-chan struct{} {
	h.held <- struct{}{}
	return h.Context.Done()
}

// openHeld opens an application of the agent's, which leaves with the test.
func (w *world) openHeld(a *Agent) *heldPage {
	ctx, leave := context.WithCancel(context.Background())
	h := &heldPage{Context: ctx, held: make(chan struct{}, 1)}
	desktop := &desktop{w: w, leave: leave, cookies: map[string]*http.Cookie{}, serve: func(answer http.ResponseWriter, r *http.Request) {
		_ = w.settings.Push.Serve(answer, r, a.SessionID())
	}}
	desktop.id = desktop.post(ctx, `{"channel":"/meta/handshake","version":"1.0"}`)[0].ClientID
	desktop.post(ctx, fmt.Sprintf(`{"channel":"/meta/subscribe","clientId":%q,"subscription":%q}`, desktop.id, everything))
	connect := fmt.Sprintf(`[{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling"}]`, desktop.id)
	var connecting sync.WaitGroup
	connecting.Go(func() {
		body := strings.NewReader("")
		r := httptest.NewRequest("POST", "/api/v2/notifications", io.NopCloser(body)).WithContext(h)
		for ctx.Err() == nil {
			body.Reset(connect)
			_ = w.settings.Push.Serve(&discarded{http.Header{}}, r, a.SessionID())
			h.answers.Add(1)
		}
	})
	w.t.Cleanup(func() {
		leave()
		connecting.Wait()
	})
	return h
}

// A discarded is a ResponseWriter that keeps nothing.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) WriteHeader(int)             {}
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }

// As a connection has it: without, what sets it makes errors.
func (d *discarded) SetWriteDeadline(time.Time) error { return nil }
