package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// A wire is one HTTP/1.1 connection, with no goroutine and small buffers: thousands of them share the
// processors with what they measure. One goroutine uses it at a time.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	free func() bool // undoes that the end of the context closes it
}

const wireBuffer = 1 << 10 // bytes

// dial opens a wire, which is closed when ctx ends.
func dial(ctx context.Context, address string) (*wire, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, wireBuffer), free: context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
}

func (w *wire) close() {
	w.free()
	_ = w.conn.Close()
}

// do sends a request and returns the answer with its body.
func (w *wire) do(request []byte) (*http.Response, []byte, error) {
	_, err := w.conn.Write(request)
	if err != nil {
		return nil, nil, err
	}
	answer, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.Close {
		err = errors.New("the connection is not to be used again")
	}
	return answer, body, err
}

// each calls f for all of a list, a number side by side, until one fails or ctx ends.
func each[T any](ctx context.Context, list []T, sideBySide int, f func(T) error) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	queue := make(chan T)
	var work sync.WaitGroup
	for range sideBySide {
		work.Go(func() {
			for one := range queue {
				err := f(one)
				if err != nil {
					fail(err)
				}
			}
		})
	}
	for _, one := range list {
		select {
		case queue <- one:
		case <-ctx.Done():
		}
	}
	close(queue)
	work.Wait()
	return context.Cause(ctx)
}
