package memhttp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func get(t testing.TB, n Network, ctx context.Context, method, url, body string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return n.RoundTrip(req)
}

func TestRoundTrip(t *testing.T) {
	n := Network{"a.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Host)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %d %s", r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.ContentLength, content)
	})}
	res, err := get(t, n, t.Context(), http.MethodPut, "http://a.example/x%2Fy?q=1", "hello")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	got := fmt.Sprintf("%s %s %s %v", res.Status, res.Header.Get("X-Seen"), content, err)
	want := "418 I'm a teapot a.example PUT /x%2Fy q=1 5 hello <nil>"
	if got != want {
		t.Errorf("RoundTrip = %s; want %s", got, want)
	}
}

func TestHeaderNamesArriveInCanonicalForm(t *testing.T) {
	n := Network{"": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["ININ-ICWS-Session-ID"] = []string{"29113001"}
	})}
	res, err := get(t, n, t.Context(), http.MethodGet, "http://a.example/", "")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("ININ-ICWS-Session-ID"); got != "29113001" {
		t.Errorf("header = %q; want 29113001", got)
	}
}

func TestRoundTripRefusesUnknownHosts(t *testing.T) {
	_, err := get(t, Network{"a.example": http.NotFoundHandler()}, t.Context(), http.MethodGet, "http://b.example/", "")
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("RoundTrip to a host without handler = %v; want %v", err, syscall.ECONNREFUSED)
	}
}

func TestBodyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := Network{"": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := range 3 {
				fmt.Fprintf(w, "line %d\n", i)
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Minute)
			}
		})}
		began := time.Now()
		res, err := get(t, n, t.Context(), http.MethodGet, "http://a.example/", "")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		for i := 0; lines.Scan(); i++ {
			if at := time.Since(began); at != time.Duration(i)*time.Minute {
				t.Errorf("line %q came after %v; want %d min", lines.Text(), at, i)
			}
		}
	})
}

func TestOutputIsNotSeenBeforeItIsFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := Network{"": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "unflushed")
			<-r.Context().Done()
		})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := get(t, n, ctx, http.MethodGet, "http://a.example/", "")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("RoundTrip = %v; want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestTheClientsEndIsSeenByTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan error, 1)
		n := Network{"": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			_, err := io.WriteString(w, "nobody reads this")
			failed <- err
		})}
		res, err := get(t, n, t.Context(), http.MethodGet, "http://a.example/", "")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if err := <-failed; !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write after the client closed = %v; want %v", err, syscall.EPIPE)
		}
	})
}

func TestAbortedAnswers(t *testing.T) {
	n := Network{
		"early.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }),
		"late.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}),
	}
	_, err := get(t, n, t.Context(), http.MethodGet, "http://early.example/", "")
	if !errors.Is(err, io.EOF) {
		t.Errorf("RoundTrip aborted before the head = %v; want %v", err, io.EOF)
	}
	res, err := get(t, n, t.Context(), http.MethodGet, "http://late.example/", "")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if string(content) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("body aborted half-way = %q, %v; want %q, %v", content, err, "half", io.ErrUnexpectedEOF)
	}
}
