package push

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestNobodyWaitsForWhatAnotherSends sends what takes long to work on, and looks how long others wait for the server's
// lock meanwhile.
func TestNobodyWaitsForWhatAnotherSends(t *testing.T) {
	s := newServer(t, Options{MaxMessageSize: 8 << 20, MaxSubscriptions: 1000})
	var pages []*page
	for range 10 {
		pages = append(pages, open(t, s, "anna"))
	}
	for i, p := range pages {
		post(t, s, "anna", "["+p.message(metaSubscribe, `,"subscription":`+patterns(i, 1000))+"]")
	}
	first, last := pages[0], pages[len(pages)-1]
	for name, message := range map[string]string{
		"patterns that only the last client has": first.message(metaUnsubscribe, `,"subscription":`+patterns(len(pages)-1, 1000)),
		"a long advice":                          last.message(metaConnect, `,"advice":{"timeout":0,"more":[0`+strings.Repeat(",0", 1<<20)+`]}`),
		"a long acknowledgement":                 last.message(metaConnect, `,"advice":{"timeout":0},"ext":{"more":[0`+strings.Repeat(",0", 1<<20)+`]}`),
	} {
		t.Run(name, func(t *testing.T) {
			var waited, took time.Duration
			for range 30 { // of which one is not disturbed by what else the machine does
				waited, took = longestWait(s, func() {
					if got := post(t, s, "anna", "["+message+"]"); !strings.Contains(got, `"successful":true`) {
						t.Errorf("answer = %.200s", got)
					}
				})
				if waited < took/3 { // under the lock it is nearly all of it
					return
				}
			}
			t.Errorf("others waited %v for a message that took %v", waited, took)
		})
	}
}

// patterns returns an array of the n patterns of one of several clients.
func patterns(client, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("/%02d/%04d", client, i)
	}
	text, err := json.Marshal(names)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// longestWait returns how long somebody else waited for the server at most while f ran, and how long that took.
func longestWait(s *Server, f func()) (waited, took time.Duration) {
	over := make(chan struct{})
	began := time.Now()
	go func() {
		defer close(over)
		f()
		took = time.Since(began)
	}()
	for {
		asked := time.Now()
		s.Clients("bjorn")
		waited = max(waited, time.Since(asked))
		select {
		case <-over:
			return waited, took
		case <-time.After(100 * time.Microsecond):
		}
	}
}
