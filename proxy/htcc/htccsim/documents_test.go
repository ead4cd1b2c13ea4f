package htccsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// overNetwork returns a client with a session of bjorn over a real connection.
func overNetwork(t *testing.T, s *Server) *client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	c := stranger(t, s)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c.http.Transport, c.base = transport, server.URL
	c.must("GET", "/api/v2/me", "", basic("bjorn", "bjorn")...)
	return c
}

func TestDownload(t *testing.T) {
	c := overNetwork(t, &Server{DocumentSize: 3 << 20})
	for _, test := range []struct {
		path string
		size int
	}{
		{"/api/v2/documents/7/content", 3 << 20},
		{"/api/v2/documents/7/content?size=0", 0},
		{"/api/v2/documents/7/content?size=70001", 70001},
	} {
		got := c.must("GET", test.path, "")
		if len(got.body) != test.size || got.header.Get("Content-Type") != "application/octet-stream" || got.header.Get("Content-Length") != fmt.Sprint(test.size) {
			t.Errorf("GET %s = %d bytes, %v; want %d", test.path, len(got.body), got.header, test.size)
		}
	}
	whole := c.must("GET", "/api/v2/documents/7/content?size=70001", "").body
	part := c.do("GET", "/api/v2/documents/7/content?size=70001", "", "Range", "bytes=65530-65539")
	if part.status != http.StatusPartialContent || part.body != whole[65530:65540] {
		t.Errorf("range = %d %q; want 206 %q", part.status, part.body, whole[65530:65540])
	}
	for _, size := range []string{"x", "-1", "9999999999999999"} {
		if got := c.do("GET", "/api/v2/documents/7/content?size="+size, ""); got.status != http.StatusBadRequest {
			t.Errorf("size=%s = %d; want 400", size, got.status)
		}
	}
	if got := c.do("GET", "/api/v2/documents/7/content", "", basic("x", "x")...); got.status != http.StatusForbidden {
		t.Errorf("anonymous = %d; want 403", got.status)
	}
}

func TestUpload(t *testing.T) {
	c := overNetwork(t, &Server{})
	sent := strings.Repeat("0123456789abcdef", 300_000) // beyond what operations may have
	sum := sha256.Sum256([]byte(sent))
	want(t, "POST", c.must("POST", "/api/v2/documents", sent).body, `"size":4800000`, `"sha256":"`+hex.EncodeToString(sum[:])+`"`)
}

// TestEchoStreams reads back each piece before it sends the next.
func TestEchoStreams(t *testing.T) {
	c := overNetwork(t, &Server{})
	reader, writer := io.Pipe()
	r := c.request(t.Context(), "PUT", "/api/v2/documents/7/content", "")
	r.Body, r.ContentLength = reader, -1
	first := make(chan error, 1)
	go func() {
		_, err := writer.Write([]byte("first"))
		first <- err
	}()
	response, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"first", "second"} {
		got := make([]byte, len(piece))
		_, err = io.ReadFull(response.Body, got)
		if err != nil || string(got) != piece {
			t.Fatalf("read = %q, %v; want %q", got, err, piece)
		}
		if piece == "first" {
			_, err = writer.Write([]byte("second"))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	writer.Close()
	rest, err := io.ReadAll(response.Body)
	if len(rest) != 0 || err != nil {
		t.Errorf("rest = %q, %v; want the end", rest, err)
	}
}

// TestBrokenAnswersOverNetwork shows that what breaks in memory breaks on a connection too.
func TestBrokenAnswersOverNetwork(t *testing.T) {
	s := &Server{NotifyDelay: 1}
	c := overNetwork(t, s)
	c.start("voice")
	c.listen("/v2/me/*")
	setState(t, s, StateChange{User: "bjorn", State: "NotReady"})
	fail(t, s, Fault{Scenario: "truncate-event", User: "bjorn"})
	_, err := c.trySpeak(t.Context(), connectMessage)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("truncated event = %v; want %v", err, io.ErrUnexpectedEOF)
	}
	fail(t, s, Fault{Scenario: "truncate-body", Times: 1})
	got, err := c.try(t.Context(), "GET", "/api/v2/me", "")
	if !errors.Is(err, io.ErrUnexpectedEOF) || got.body == "" {
		t.Errorf("truncated body = %q, %v; want half of it and %v", got.body, err, io.ErrUnexpectedEOF)
	}
	fail(t, s, Fault{Scenario: "huge-headers", Times: 1})
	if got := len(c.must("GET", "/api/v2/me", "").header.Values("X-Padding")); got != 2048 {
		t.Errorf("huge header = %d lines; want 2048 of 4 KiB", got)
	}
	c.must("GET", "/api/v2/me", "")
}

func TestDocumentSeeks(t *testing.T) {
	all, err := io.ReadAll(&document{size: 1000})
	if err != nil {
		t.Fatal(err)
	}
	d := &document{size: 1000}
	for _, test := range []struct {
		offset   int64
		whence   int
		at       int64
		isWrong  bool
		fromHere int
	}{
		{10, io.SeekStart, 10, false, 990},
		{-10, io.SeekEnd, 990, false, 10},
		{-5, io.SeekCurrent, 985, false, 15},
		{-1, io.SeekStart, 0, true, 0},
	} {
		at, err := d.Seek(test.offset, test.whence)
		if (err != nil) != test.isWrong || err == nil && at != test.at {
			t.Errorf("Seek(%d, %d) = %d, %v; want %d", test.offset, test.whence, at, err, test.at)
		}
		if err != nil {
			continue
		}
		rest, _ := io.ReadAll(d)
		if !bytes.Equal(rest, all[test.at:]) || len(rest) != test.fromHere {
			t.Errorf("after Seek(%d, %d) come %d bytes; want the last %d", test.offset, test.whence, len(rest), test.fromHere)
		}
		d.at = test.at
	}
}
