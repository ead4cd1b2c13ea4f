package simulation

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatIsToComeEndsWithTheLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		life := NewLife(&mu)
		var done []string
		mu.Lock()
		life.After(time.Second, func() { done = append(done, "early") })
		life.After(time.Minute, func() { done = append(done, "late") })
		mu.Unlock()
		time.Sleep(2 * time.Second)
		mu.Lock()
		isFirst, isSecond := life.End(), life.End()
		mu.Unlock()
		time.Sleep(time.Hour)
		if len(done) != 1 || done[0] != "early" || !isFirst || isSecond {
			t.Errorf("done = %v, End = %v, then %v; want early alone, true, then false", done, isFirst, isSecond)
		}
	})
}

func TestWhoWaitsIsReleased(t *testing.T) {
	for _, test := range []struct {
		name   string
		wait   func(*Life, *http.Request) bool // what Wait returned; false for Hold
		want   bool
		isOver time.Duration // when the life ends
		after  time.Duration // when the wait does
	}{
		{"by time", func(l *Life, r *http.Request) bool { return l.Wait(r, time.Second) }, true, time.Hour, time.Second},
		{"by the caller", func(l *Life, r *http.Request) bool { return l.Wait(r, 24*time.Hour) }, false, time.Hour, time.Minute},
		{"by the end", func(l *Life, r *http.Request) bool { return l.Wait(r, 24*time.Hour) }, false, time.Second, time.Second},
		{"of a hold, by time", func(l *Life, r *http.Request) bool { l.Hold(r, time.Second); return false }, false, time.Hour, time.Second},
		{"of a hold without time, by the caller", func(l *Life, r *http.Request) bool { l.Hold(r, 0); return false }, false, time.Hour, time.Minute},
		{"of a hold without time, by the end", func(l *Life, r *http.Request) bool { l.Hold(r, 0); return false }, false, time.Second, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				life := NewLife(&mu)
				ending := time.AfterFunc(test.isOver, func() {
					mu.Lock()
					defer mu.Unlock()
					life.End()
				})
				defer ending.Stop()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				got := test.wait(life, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
				if got != test.want || time.Since(began) != test.after {
					t.Errorf("waited %v, %v; want %v, %v", time.Since(began), got, test.after, test.want)
				}
			})
		})
	}
}
