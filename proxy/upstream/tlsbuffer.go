package upstream

import (
	"bytes"
	"crypto/tls"
	"net"
	"reflect"
	"unsafe"
)

// tlsBuffer is the field of a tls.Conn that holds what has come and is not decrypted yet; readable, if this Go has
// it as the one that this was written for. TestStreamsOverTLSWaitWithoutBuffer fails where it does not.
var (
	tlsBuffer, found = reflect.TypeFor[tls.Conn]().FieldByName("rawInput")
	readable         = found && tlsBuffer.Type == reflect.TypeFor[bytes.Buffer]()
)

// bufferOf returns the buffer of a connection; nil if it has none that is known.
func bufferOf(conn net.Conn) *bytes.Buffer {
	secured, ok := conn.(*tls.Conn)
	if !ok || !readable {
		return nil
	}
	return (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(secured), tlsBuffer.Offset))
}

// mostBuffered is how much room the buffer of a connection may have that waits, in bytes. An event takes less.
const mostBuffered = 2 << 10

// letGoOfBuffer has a TLS connection that is about to wait keep no buffer of the size of its longest record. Nobody else
// may read from it.
//
// Each session is told the whole catalogue once, and crypto/tls would keep a buffer that it fitted into, of up to 17 KB,
// as long as the connection lasts: of what an idle agent cost over TLS it was two fifths.
func letGoOfBuffer(conn net.Conn) {
	buffer := bufferOf(conn)
	if buffer != nil && buffer.Len() == 0 && buffer.Cap() > mostBuffered {
		*buffer = bytes.Buffer{}
	}
}
