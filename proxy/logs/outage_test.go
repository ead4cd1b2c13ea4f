package logs

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAnOutageIsToldOnceForEachCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out := newLog(Settings{})
		outage := Outage{Log: log.With("site", "cloud"), What: "the site"}
		for _, cause := range []string{
			"", "", "dial tcp 10.0.0.1:443: connect: connection refused", "dial tcp 10.0.0.1:443: connect: connection refused",
			"read tcp 10.0.0.9:40001->10.0.0.1:443: connection reset by peer", "read tcp 10.0.0.9:40002->10.0.0.1:443: connection reset by peer",
			"x509: expired: current time 2026-11-23T05:00:00Z is after 2026-11-01T00:00:00Z", "x509: expired: current time 2026-11-23T05:00:10Z is after 2026-11-01T00:00:00Z",
			"", "", "EOF",
		} {
			var err error
			if cause != "" {
				err = errors.New(cause)
			}
			outage.Note(err)
			time.Sleep(10 * time.Second)
		}
		var got []string
		for _, line := range lines(t, out) {
			cause, _ := line["cause"].(string)
			got = append(got, line["level"].(string)+" "+line["msg"].(string)+": "+cause)
			if line["site"] != "cloud" || cause == "" && line["away_s"] != 60.0 {
				t.Errorf("a line says %v", line)
			}
		}
		want := []string{
			"WARN the site does not answer: dial tcp 10.0.0.1:443: connect: connection refused",
			"WARN the site does not answer: read tcp 10.0.0.9:40001->10.0.0.1:443: connection reset by peer",
			"WARN the site does not answer: x509: expired: current time 2026-11-23T05:00:00Z is after 2026-11-01T00:00:00Z",
			"INFO the site answers again: ",
			"WARN the site does not answer: EOF",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the log (-want +got):\n%s", diff)
		}
	})
}
