package push

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
)

// Buffers of a socket, in bytes: what waits in them is a frame's head, and longer frames are read and
// written past them.
const (
	readBuffer  = 128
	writeBuffer = 512
)

// small is a writer whose connection is taken over with small buffers. Those of net/http are 4 KB each,
// more than all else that an idle socket needs.
type small struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (w small) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, large, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := large.Reader.Peek(large.Reader.Buffered())
	in := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), conn), max(readBuffer, len(early)))
	_, err = in.Peek(len(early)) // into the buffer, where websocket.Accept looks for it
	return conn, bufio.NewReadWriter(in, bufio.NewWriterSize(conn, writeBuffer)), err
}

// WriteHeaderNow sends the head if the writer is one that waits for a body first, as gin's.
func (w small) WriteHeaderNow() {
	waiting, ok := w.ResponseWriter.(interface{ WriteHeaderNow() })
	if ok {
		waiting.WriteHeaderNow()
	}
}
