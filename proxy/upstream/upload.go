package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"portico/proxy/fault"
)

// An upload is the body of a request that is passed through. While it is read, it is the caller who is
// waited for.
type upload struct {
	io.ReadCloser
	silence *silence
}

// A brokenUpload is why a body could not be read to its end: the caller's doing, and not the host's.
type brokenUpload struct{ error }

// Unwrap is for errors.Is.
func (b brokenUpload) Unwrap() error { return b.error }

// Read implements io.Reader.
func (u upload) Read(p []byte) (int, error) {
	u.silence.pause()
	defer u.silence.wait()
	n, err := u.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = brokenUpload{err}
	}
	return n, err
}

// uploaded returns the request with a body that counts for the silence.
func uploaded(req *http.Request, s *silence) *http.Request {
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = upload{req.Body, s}
	}
	return req
}

// throughFailure is sendFailure for a request that is passed through. It carries fault.Invalid when it was
// the body that failed, while its caller is still there.
func throughFailure(ctx context.Context, err error) (reason, error) {
	_, broken := errors.AsType[brokenUpload](err)
	if broken && ctx.Err() == nil {
		return reasonCanceled, BrokenBody(ctx, err)
	}
	return sendFailure(ctx, err)
}

// BrokenBody returns why the body of a request could not be read: context.Canceled where the caller left, else
// fault.Invalid.
func BrokenBody(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Canceled, err)
	}
	return &fault.Error{Kind: fault.Invalid, Public: "the body ended too early", Err: err}
}
