package gateway

import (
	"testing"
	"time"

	"portico/proxy/icws/icwssim"
	"portico/translate/htccapi"
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
		"Me":           func() error { _, err := w.Me(ctx, anna); return err },
		"AgentStates":  func() error { _, err := w.AgentStates(ctx, anna); return err },
		"LoginBasic":   func() error { _, err := w.Login(ctx, basic); return err },
		"LoginCookie":  func() error { _, err := w.Login(ctx, cookie); return err },
		"CheckChannel": func() error { return w.CheckChannel(ctx, anna, htccapi.Voice) },
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
		a.part.mu.Lock()
		current := a.part.currentLocked()
		a.part.mu.Unlock()
		if current {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatal("the agent's state is not kept current")
		}
	}
}
