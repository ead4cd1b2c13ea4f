package plainhttp

import (
	"net/http"
	"sync/atomic"
	"time"
)

// date returns the value of a Date, which is made once a second: it would be the dearest field of an answer.
func date(now time.Time) string {
	last := today.Load()
	if last == nil || last.unix != now.Unix() {
		last = &second{now.Unix(), now.UTC().Format(http.TimeFormat)}
		today.Store(last)
	}
	return last.text
}

// A second is one, and the Date of the answers that are made in it.
type second struct {
	unix int64
	text string
}

var today atomic.Pointer[second]
