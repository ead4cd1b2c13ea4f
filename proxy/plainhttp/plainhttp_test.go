package plainhttp

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsPlain(t *testing.T) {
	for text, plain := range map[string]bool{
		"\r\n": true, "A: b\r\n\r\n": true, "a-B_9:\r\nC:   d e  \r\n\r\nbody": true,
		"": false, "\r": false, "A: b\r\n": false, "A: b": false, "A: b\n\n": false, "A: b\r\nC\r\n\r\n": false, ": b\r\n\r\n": false,
		"A : b\r\n\r\n": false, " A: b\r\n\r\n": false, "A: b\r\n c\r\n\r\n": false, "A: b\tc\r\n\r\n": false, "A: \xe4\r\n\r\n": false,
		"A: b\rc\r\n\r\n": false, "A: b\nC: d\r\n\r\n": false, "A: b\x00\r\n\r\n": false, "A\xe4: b\r\n\r\n": false,
	} {
		if _, _, got := read([]byte(text)); got != plain {
			t.Errorf("%q: plain is %v; want %v", text, got, plain)
		}
	}
}

func TestKnownNames(t *testing.T) {
	longest := strings.Repeat("aZ", longestKnown/2)
	for name, want := range map[string]string{"Content-Length": "content-length", "X_9": "x_9", longest: strings.ToLower(longest), longest + "a": ""} {
		in := ReadFields([]byte(name + ": x\r\n\r\n"))
		if !in.Next() || string(in.Known()) != want || !in.Is(strings.ToUpper(name)) || in.Is(name+"x") {
			t.Errorf("%q is known as %q; want %q", name, in.Known(), want)
		}
	}
}

// FuzzFields holds what is read of a header here to what net/http reads.
func FuzzFields(f *testing.F) {
	for _, text := range []string{"\r\n", "Host: a:80\r\nhost:  b \r\nX_y:\r\n\r\nbody", "A: b\r\n c\r\n\r\n", "A : b\r\n\r\n", "A: b\n\n", "A: b\r\n\r"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, body, plain := read(text)
		if !plain {
			return
		}
		in := bufio.NewReader(bytes.NewReader(text))
		want, err := textproto.NewReader(in).ReadMIMEHeader()
		if diff := cmp.Diff(http.Header(want), got); err != nil || diff != "" {
			t.Errorf("%q: %v (-net/http +ours):\n%s", text, err, diff)
		}
		rest, _ := io.ReadAll(in)
		if !bytes.Equal(rest, body) {
			t.Errorf("%q goes on with %q; net/http says %q", text, body, rest)
		}
	})
}

// read reads a header, and returns what follows.
func read(text []byte) (http.Header, []byte, bool) {
	header := http.Header{}
	in := ReadFields(text)
	for in.Next() {
		header.Add(string(in.Name), string(in.Value))
	}
	body, plain := in.End()
	return header, body, plain
}

// FuzzLength holds lengths to those that net/http reads.
func FuzzLength(f *testing.F) {
	for _, value := range []string{"0", "17", "000017", "999999", "1000000", "", "+1", "-1", "1, 1", "0x1", "1_0"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, plain := Length([]byte(value))
		if !plain {
			return
		}
		text := "HTTP/1.1 200 OK\r\nContent-Length: " + value + "\r\n\r\n"
		want, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
		if err != nil || want.ContentLength != int64(got) {
			t.Errorf("%q is read as %d; net/http says %+v, %v", value, got, want, err)
		}
	})
}
