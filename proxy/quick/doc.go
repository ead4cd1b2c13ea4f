// Package quick answers requests on a connection of a net/http.Server before that reads them: those that came
// whole and alone, in bytes that a strict parser knows. A GET that somebody can answer from memory costs nothing
// else then; a POST is handled as any other, without the server's part. Everything else goes on to net/http as it
// came, and so does whatever leaves a doubt; the connection stays net/http's, which then serves the next request
// on it or the one after.
//
// A catalogue hit costs 16 µs of processor time so, most of them the kernel's, and 75 in net/http, gin and the
// handler: a goroutine that watches the connection while a request is served, maps of headers and their sorting,
// contexts, buffers, two writes (`make bench-peers`, 22 November 2026, 2 busy cores).
//
// A connection of a Listener (listener.go) is a Conn (conn.go), which reads a Request (request.go) and has it answered:
// a GET by the Answerer, in one write that is bounded in time (write.go); a POST by the Handler, to which it is an
// http.Request (whole.go), and whose answer is a Response (response.go).
package quick
