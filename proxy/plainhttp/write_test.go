package plainhttp

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnswersAreWrittenAsByNetHTTP has both write an answer of each status that has a body.
func TestAnswersAreWrittenAsByNetHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Path[1:])
		w.Header()["Date"] = nil
		w.Header()["Content-Type"] = nil
		w.Header().Set("X-Field", "a, b")
		w.Header().Set("Content-Length", "2")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	at, _ := url.Parse(server.URL)
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for status := 200; status < 600; status++ {
		if status == http.StatusNoContent || status == http.StatusNotModified {
			continue
		}
		want := AppendField(AppendLength(AppendStatus(nil, status), 2), "X-Field", "a, b")
		want = append(want, LineEnd+"{}"...)
		_, err := io.WriteString(conn, "GET /"+strconv.Itoa(status)+" HTTP/1.1\r\nHost: a\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		_, err = io.ReadFull(in, got)
		if err != nil || string(got) != string(want) {
			t.Fatalf("net/http writes %q, %v; ours is %q", got, err, want)
		}
	}
}

// FuzzHeader holds what is written of a header here to what net/http writes.
func FuzzHeader(f *testing.F) {
	f.Add("Content-Type", "text/plain", "X_9", "")
	f.Add("X-Lines", "a\r\nb", "Padded", " a ")
	f.Add("no name", "a", "", "b")
	f.Add("Set-Cookie", "\u00fc", "Empty", "")
	f.Fuzz(func(t *testing.T, name, value, other, another string) {
		header := http.Header{name: {value, another}, "Between": nil}
		header[other] = append(header[other], another)
		got, plain := AppendHeader([]byte("before"), header)
		want := bytes.NewBufferString("before")
		if plain {
			_ = header.Write(want)
		}
		if string(got) != want.String() {
			t.Errorf("%q is written as %q, plain: %v; net/http writes %q", header, got, plain, want)
		}
	})
}

func TestDateIsOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 5 {
			want := "Date: " + time.Now().UTC().Format(http.TimeFormat) + LineEnd
			if got := string(AppendDate(nil, time.Now())); got != want {
				t.Errorf("%q; want %q", got, want)
			}
			time.Sleep(700 * time.Millisecond)
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	text := []byte("Content-Length: 17\r\nX-Field: a\r\n\r\n")
	room := make([]byte, 0, 1<<10)
	header := http.Header{"X-Field": {"a"}, "Etag": {`"b"`}}
	now := time.Now()
	AppendDate(room, now) // the first one of a second makes it
	n := testing.AllocsPerRun(100, func() {
		for in := ReadFields(text); in.Next(); {
			if string(in.Known()) == "content-length" {
				_, _ = Length(in.Value)
			}
		}
		AppendHeader(AppendDate(AppendLength(AppendStatus(room, http.StatusOK), 17), now), header)
	})
	if n != 0 {
		t.Errorf("%v allocations; want none", n)
	}
}
