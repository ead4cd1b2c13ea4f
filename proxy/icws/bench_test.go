package icws

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"portico/translate/icwsapi"
)

// statusEvent is what a site sends when an agent is given a status.
const statusEvent = `data: {"__type":"urn:inin.com:status:userStatusMessage","isDelta":true,"userStatusList":[` +
	`{"userId":"anna","statusId":"At Lunch","notes":"","until":null,"statusChanged":"20260105T080000Z"}]}` + "\n\n"

// BenchmarkEvent measures what an event of a session's stream costs, from its bytes to the message.
func BenchmarkEvent(b *testing.B) {
	body := &again{text: []byte(statusEvent)}
	client, _ := newClient(b, body, nil)
	conn := testConn()
	stream, err := client.openStream(b.Context(), b.Context(), &conn)
	if err != nil {
		b.Fatal(err)
	}
	defer stream.Close()
	r := &reader{client: client, to: Receiver{Message: func(icwsapi.Message) { body.over = !b.Loop() }}, events: &blocks{from: stream}}
	b.ReportAllocs()
	err = r.read()
	if !errors.Is(err, errStreamEnded) {
		b.Fatal(err)
	}
}

// BenchmarkDecodeMessage measures both ways of reading a message.
func BenchmarkDecodeMessage(b *testing.B) {
	text := []byte(strings.TrimPrefix(statusEvent, "data: "))
	for name, decode := range map[string]func([]byte) (icwsapi.Message, error){"plain": DecodeMessage, "encoding/json": decodeMessage} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := decode(text)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// An again is a site whose stream says the same again and again, until it is over.
type again struct {
	text []byte
	rest bytes.Reader
	over bool
}

func (a *again) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {mediaTypeEvents}}, Body: a}, nil
}

func (a *again) Read(p []byte) (int, error) {
	if a.rest.Len() == 0 {
		if a.over {
			return 0, io.EOF
		}
		a.rest.Reset(a.text)
	}
	return a.rest.Read(p)
}

func (a *again) Close() error { return nil }
