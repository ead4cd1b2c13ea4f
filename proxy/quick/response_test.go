package quick

import (
	"bytes"
	"net/http"
	"testing"
)

// FuzzResponseHeaders holds the headers of an answer to what net/http writes of them.
func FuzzResponseHeaders(f *testing.F) {
	f.Add("Content-Type", "text/plain", "X-Request-Id", "7")
	f.Add("X-Lines", "a\r\nb", "Padded", " a ")
	f.Add("no name", "a", "", "b")
	f.Add("Set-Cookie", "ümlaut", "Empty", "")
	f.Fuzz(func(t *testing.T, name, value, other, another string) {
		var out bytes.Buffer
		w := NewResponse(&out)
		header := w.Header()
		header["Date"], header["Between"], header[name] = []string{"-"}, nil, []string{value, another}
		header[other] = append(header[other], another)
		want := bytes.NewBufferString("HTTP/1.1 204 No Content\r\n")
		_ = header.Write(want)
		want.WriteString("\r\n")
		w.WriteHeader(http.StatusNoContent)
		_ = w.End()
		if out.String() != want.String() {
			t.Errorf("it is written %q; want %q", out.String(), want)
		}
	})
}

// TestResponsesAreUsedAgain has an answer of a connection follow another, whose headers are not its own.
func TestResponsesAreUsedAgain(t *testing.T) {
	for range 100 {
		var out bytes.Buffer
		w := NewResponse(&out)
		if len(w.Header()) != 0 {
			t.Fatalf("an answer begins with %q", w.Header())
		}
		w.Header().Set("X-Mine", "1")
		_, _ = w.Write([]byte("mine"))
		if err := w.End(); err != nil || !bytes.Contains(out.Bytes(), []byte("X-Mine: 1\r\n")) || !bytes.HasSuffix(out.Bytes(), []byte("\r\n\r\nmine")) {
			t.Fatalf("End = %v after %q", err, out.Bytes())
		}
	}
}
