//go:build !race

// The race detector has a sync.Pool drop things at random.

package push

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEncodingAllocatesOnlyTheText(t *testing.T) {
	p := &Publication{Channel: "/a", Data: &struct{ Text string }{strings.Repeat("x", 1000)}}
	if got := testing.AllocsPerRun(1000, func() { _, _ = p.text() }); got != 1 {
		t.Errorf("%v allocations; want 1", got)
	}
}

func TestABrowserIsKnownWithoutAllocating(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Cookie", "JSESSIONID=x; "+browserCookie+"=firefox; other=y")
	if got := browserOf(r); got != "firefox" {
		t.Errorf("browserOf = %q; want firefox", got)
	}
	if got := testing.AllocsPerRun(100, func() { _ = browserOf(r) }); got != 0 {
		t.Errorf("%v allocations; want none", got)
	}
}
