package htccsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Documents are what passes through a proxy and is large. Nothing of them is kept: each has as many
// bytes as are asked for.

// maxDocument bounds what size=N may ask for.
const maxDocument = 1 << 40 // bytes

// getDocument answers GET /documents/{documentId}/content with size=N bytes, or DocumentSize. It
// serves ranges, and sends as fast as it is read.
func getDocument(s *Server, c *call) reply {
	size := cmp.Or(s.DocumentSize, 100<<20)
	if text := c.request.URL.Query().Get("size"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > maxDocument {
			return c.refuse(codeInvalid, "Parameter 'size' must be a number of bytes")
		}
		size = n
	}
	name := c.params["documentId"]
	return reply{status: http.StatusOK, header: http.Header{}, serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("ETag", `"`+plainID("document", name)[:16]+`"`)
		http.ServeContent(w, r, "", time.Time{}, &document{size: size})
	}}
}

// putDocument answers PUT /documents/{documentId}/content by sending back what it gets, while it
// gets it.
func putDocument(*Server, *call) reply {
	return reply{status: http.StatusOK, header: http.Header{}, serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		stream := http.NewResponseController(w)
		_ = stream.EnableFullDuplex() // HTTP/2 is so anyway
		_, err := io.Copy(flushing{w, stream}, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // the caller must not take half for the whole
		}
	}}
}

// flushing sends each write at once.
type flushing struct {
	io.Writer
	stream *http.ResponseController
}

// Write fails if the caller is gone.
func (out flushing) Write(b []byte) (int, error) {
	n, err := out.Writer.Write(b)
	_ = out.stream.Flush() // a write that fails says so itself
	return n, err
}

// postDocument answers POST /documents with the length and the SHA-256 of what it was sent.
func postDocument(s *Server, c *call) reply {
	uri := s.uri(c.session.agent, "/documents/")
	return reply{status: http.StatusOK, header: http.Header{}, serve: func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		if err != nil {
			c.refuse(unreadable.code, unreadable.message).write(w)
			return
		}
		digest := hex.EncodeToString(sum.Sum(nil))
		c.one("document", object{
			{"id", digest[:32]}, {"size", n}, {"sha256", digest}, {"uri", uri + digest[:32]}, {"path", "/documents/" + digest[:32]},
		}).write(w)
	}}
}

// document is the content of a document: byte i is the low byte of i*131 + i>>8, which no shift,
// repetition or gap leaves as it was.
type document struct{ size, at int64 }

// Read fills b.
func (d *document) Read(b []byte) (int, error) {
	if d.at >= d.size {
		return 0, io.EOF
	}
	content := repeated()
	n := copy(b[:min(int64(len(b)), d.size-d.at)], content[d.at%int64(len(content)):])
	d.at += int64(n)
	return n, nil
}

// repeated returns what documents repeat: bytes are made once, and copied from then on.
var repeated = sync.OnceValue(func() []byte {
	all := make([]byte, 1<<16) // i>>8 has its low byte back then
	for i := range all {
		all[i] = byte(i*131 + i>>8)
	}
	return all
})

// Seek moves to where a range begins.
func (d *document) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += d.at
	case io.SeekEnd:
		offset += d.size
	}
	if offset < 0 {
		return 0, errors.New("htccsim: seek before the document")
	}
	d.at = offset
	return offset, nil
}
