package quick

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Date returns the value of an answer's Date, which is made once a second.
func Date() string {
	now := time.Now()
	last := today.Load()
	if last == nil || last.second != now.Unix() {
		last = &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
		today.Store(last)
	}
	return last.text
}

type date struct {
	second int64
	text   string
}

var today atomic.Pointer[date]
