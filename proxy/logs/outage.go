package logs

import (
	"log/slog"
	"regexp"
	"time"
)

// An Outage tells a log why something that is asked again and again does not answer: once when that
// begins, again when the cause is another, and when it is over. One goroutine uses it.
type Outage struct {
	Log  *slog.Logger
	What string // does not answer, as the log is to call it

	since time.Time
	cause string // that was told last, without what is different each time; "": it answered
}

// Note notes how it was answered the last time.
func (o *Outage) Note(err error) {
	if err == nil {
		if o.cause != "" {
			o.Log.Info(o.What+" answers again", "away_s", time.Since(o.since).Round(time.Second).Seconds())
		}
		o.cause = ""
		return
	}
	cause := passing.ReplaceAllString(err.Error(), "")
	if cause == o.cause {
		return
	}
	if o.cause == "" {
		o.since = time.Now()
	}
	o.cause = cause
	o.Log.Warn(o.What+" does not answer", "cause", err.Error())
}

// passing is what is different in each error of one cause: our end of a connection, and the time at which a
// certificate was found to be out of date.
var passing = regexp.MustCompile(`\S+->|current time \S+`)
