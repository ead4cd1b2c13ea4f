package plainhttp

import (
	"bufio"
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

func TestDateIsOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 5 {
			want := "Date: " + time.Now().UTC().Format(http.TimeFormat) + LineEnd
			if got := string(AppendDate(nil)); got != want {
				t.Errorf("%q; want %q", got, want)
			}
			time.Sleep(700 * time.Millisecond)
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	text := []byte("Content-Length: 17\r\nX-Field: a\r\n\r\n")
	room := make([]byte, 0, 1<<10)
	AppendDate(room) // the first one of a second makes it
	n := testing.AllocsPerRun(100, func() {
		for in := ReadFields(text); in.Next(); {
			if string(in.Known()) == "content-length" {
				_, _ = Length(in.Value)
			}
		}
		AppendField(AppendLength(AppendStatus(room, http.StatusOK), 17), "X-Field", "a")
	})
	if n != 0 {
		t.Errorf("%v allocations; want none", n)
	}
}
