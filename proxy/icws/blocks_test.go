package icws

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tmaxmax/go-sse"
)

// FuzzStream holds what is read of an event stream, cut into blocks however its bytes come, to what a
// reader of the whole finds.
func FuzzStream(f *testing.F) {
	for _, seed := range []string{
		"data: {\"__type\":\"urn:inin.com:status:userStatusMessage\"}\n\n", ":ping\n\n:ping\n\ndata: a\ndata: b\n\n", "data: a\r\rdata: b\r\n\r\ndata:c\n\n",
		"event: x\nid: 1\nretry: 3\ndata\n\n", "data\ndata:\ndata: a\n\n", "data: a\ndata\n\n", "data : a\ndatax: b\n\n", "data: never ended", "\n\n\n", "data: " + strings.Repeat("x", 600) + "\n\n", "\ufeffdata: a\n\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, byByte bool) {
		if bytes.LastIndex(body, byteOrderMark) > 0 {
			return // the library looks for one after blank lines too
		}
		var from io.Reader = bytes.NewReader(body)
		if byByte {
			from = iotest.OneByteReader(from)
		}
		got, open := cutUp(t, from)
		whole := body[:len(body)-open] // a block that the stream's end leaves open is no event
		if want := readByLibrary(t, whole); !slices.Equal(got, want) {
			t.Errorf("read of %q\n got %q\nwant %q", body, got, want)
		}
	})
}

func TestAMarkCountsAtTheBeginningOfAStream(t *testing.T) {
	got, _ := cutUp(t, strings.NewReader("\ufeffdata: a\n\n\ufeffdata: b\n\ndata: c\n\n"))
	if want := []string{"a", "c"}; !slices.Equal(got, want) {
		t.Errorf("read %q; want %q", got, want)
	}
}

// cutUp returns the data of a stream's events, and how many bytes its end leaves over.
func cutUp(t *testing.T, from io.Reader) ([]string, int) {
	t.Helper()
	cut := &blocks{from: from}
	var data []string
	for {
		block, err := cut.next()
		if errors.Is(err, io.EOF) {
			return data, len(cut.block)
		}
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		one := eventData(block)
		if len(one) > 0 {
			data = append(data, string(one))
		}
	}
}

// readByLibrary returns the data of the events in text.
func readByLibrary(t *testing.T, text []byte) []string {
	t.Helper()
	var data []string
	for event, err := range sse.Read(bytes.NewReader(text), &sse.ReadConfig{MaxEventSize: len(text) + 1}) {
		if err != nil {
			t.Fatalf("an event stream cannot be read: %v", err)
		}
		if event.Data != "" {
			data = append(data, event.Data)
		}
	}
	return data
}

func TestDataOfOneLineIsNotCopied(t *testing.T) {
	block := []byte(statusEvent)
	if got := testing.AllocsPerRun(100, func() { _ = eventData(block) }); got != 0 {
		t.Errorf("%v allocations; want none", got)
	}
}
