package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"portico/config"
)

// A crowded listener has no file left for a connection, and then ends.
type crowded struct {
	net.Listener
	left int
}

func (c *crowded) Accept() (net.Conn, error) {
	c.left--
	if c.left < 0 {
		return nil, http.ErrServerClosed
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
}

func TestThatNoConnectionCanBeAcceptedIsAnError(t *testing.T) {
	var log bytes.Buffer
	s, err := listen("door", "127.0.0.1:0", http.NotFoundHandler(), slog.New(slog.NewTextHandler(&log, nil)))
	must(t, err)
	defer func() { _ = s.close() }()
	_ = s.http.Serve(&crowded{s.listener, 1})
	s.http.ErrorLog.Println("http: TLS handshake error from 10.0.0.1:40000: EOF")
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `level=ERROR msg="no connection can be accepted" server=door cause="accept tcp: too many open files`) {
		t.Errorf("the log says:\n%s\nwant one error", text)
	}
}

func TestTheLimitOfOpenFilesIsTold(t *testing.T) {
	cfg := config.Default()
	cfg.Sites = map[string]config.Site{"cloud": {Calls: config.Calls{AtOnce: 100}}}
	for _, tt := range []struct {
		limit uint64
		want  string
	}{
		{0, ""}, {1 << 20, "INFO"}, {12_100, "INFO"}, {12_099, "INFO WARN"},
	} {
		var log bytes.Buffer
		tellOpenFiles(tt.limit, cfg, slog.New(slog.NewTextHandler(&log, nil)))
		var got []string
		for line := range strings.Lines(log.String()) {
			_, level, _ := strings.Cut(line, "level=")
			got = append(got, strings.Fields(level)[0])
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("with %d files the log says %q; want %q\n%s", tt.limit, got, tt.want, &log)
		}
	}
	if openFiles() == 0 {
		t.Error("the limit of open files cannot be told")
	}
}
