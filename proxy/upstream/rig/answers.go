package rig

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// Kept answers with a reply kept in testdata: comment lines that begin with #, then the answer as
// on the wire.
func Kept(t testing.TB, name string) http.HandlerFunc {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for bytes.HasPrefix(content, []byte("#")) {
		_, content, _ = bytes.Cut(content, []byte("\n"))
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(content)), nil)
		if err != nil {
			t.Errorf("testdata/%s: %v", name, err)
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		for key, values := range res.Header {
			w.Header()[key] = values
		}
		w.WriteHeader(res.StatusCode)
		_, _ = w.Write(bytes.TrimSpace(body))
	}
}

// Says answers with a status and a body of that content type.
func Says(contentType string, status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Hang answers nothing until the caller leaves.
func Hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
