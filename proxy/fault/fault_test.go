package fault

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestEveryKindIsShown(t *testing.T) {
	kinds := []Kind{Missing, Invalid, WrongMethod, Forbidden, CrossSite, NotFound, TooLarge, Unauthenticated, Throttled,
		BadUpstream, Gone, Unreachable, Timeout, Overloaded, Internal}
	if len(kinds) != len(shown) {
		t.Fatalf("%d kinds in the test, %d in the table", len(kinds), len(shown))
	}
	for _, kind := range kinds {
		if shown[kind].status < 400 || shown[kind].code < 1 {
			t.Errorf("kind %q is shown as %+v", kind, shown[kind])
		}
	}
}

func TestWhatCallersSee(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.7:8018: refused")
	for _, tt := range []struct {
		name   string
		err    error
		status int
		code   int
		public string
		retry  time.Duration
	}{
		{"a bare kind", NotFound, 404, 6, "resource not found", 0},
		{"a wrapped kind hides its cause", fmt.Errorf("icws: log in: %w: %w", Unreachable, cause), 503, 4, "the contact centre cannot be reached", 0},
		{"a public text wins", fmt.Errorf("state: %w", New(Invalid, "unknown operation \"X\"")), 400, 2, "unknown operation \"X\"", 0},
		{"an error with a retry", &Error{Kind: Throttled, Err: cause, RetryAfter: time.Minute}, http.StatusTooManyRequests, 20, "too many failed log-ins", time.Minute},
		{"an error of no kind is ours", io.ErrUnexpectedEOF, 500, 4, "internal error", 0},
		{"a missing parameter", Missing, 400, 1, "a required parameter is missing", 0},
		{"not logged in", Unauthenticated, 403, 20, "Access denied", 0},
	} {
		if got := Status(tt.err); got != tt.status {
			t.Errorf("%s: Status = %d; want %d", tt.name, got, tt.status)
		}
		if got := Code(tt.err); got != tt.code {
			t.Errorf("%s: Code = %d; want %d", tt.name, got, tt.code)
		}
		if got := Public(tt.err); got != tt.public {
			t.Errorf("%s: Public = %q; want %q", tt.name, got, tt.public)
		}
		if got := RetryAfter(tt.err); got != tt.retry {
			t.Errorf("%s: RetryAfter = %v; want %v", tt.name, got, tt.retry)
		}
	}
	if !errors.Is(&Error{Kind: Timeout, Err: cause}, cause) {
		t.Error("the cause is lost")
	}
}
