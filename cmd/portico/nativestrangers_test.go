package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestStrangersStayStrangersAtNativePaths has them ask for what ICWS answers to anybody, below the ids of sessions that
// there are not: nobody who never logged in is an agent by that.
func TestStrangersStayStrangersAtNativePaths(t *testing.T) {
	s := newCentres(t, nil).serveWith("drain_delay: 0s\nlimits: {strangers_per_address: 2}\n")
	for name, request := range map[string]string{
		"a preflight": "OPTIONS /icws/r%d/status/status-messages HTTP/1.1\r\nHost: x\r\nOrigin: " + s.door + "\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
		"an icon":     "GET /icws/resources/status/available.ico?%d HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		var left []*handmade
		for n := range 3 {
			conn := dial(t, strings.TrimPrefix(s.door, "http://"))
			conn.send(fmt.Sprintf(request, n))
			conn.receive()
			left = append(left, conn)
		}
		if closedSoon(t, left) == 0 { // which of them depends on when the server took each for idle
			t.Errorf("%s: all of %d connections stay; want one closed", name, len(left))
		}
	}
	s.end()
}
