package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"portico/proxy/fault"
)

// sendFailure explains why no answer came: the reason to count, and an error that carries
// fault.Unreachable or fault.Timeout, or context.Canceled when the caller left.
func sendFailure(ctx context.Context, err error) (reason, error) {
	why, ended := ending(ctx, err)
	if ended != nil {
		return why, ended
	}
	why = reasonOf(err)
	if why == reasonTimeout {
		return why, fmt.Errorf("%w: %w", fault.Timeout, err)
	}
	return why, fmt.Errorf("%w: %w", fault.Unreachable, err)
}

// bodyFailure explains why an answer could not be read to its end, in the same way; what is not
// the time or the caller is fault.BadUpstream.
func bodyFailure(ctx context.Context, err error) (reason, error) {
	why, ended := ending(ctx, err)
	if ended != nil {
		return why, ended
	}
	if reasonOf(err) == reasonTimeout {
		return reasonTimeout, fmt.Errorf("%w: read body: %w", fault.Timeout, err)
	}
	return reasonBody, fmt.Errorf("%w: read body: %w", fault.BadUpstream, err)
}

// ending says whether it was ctx that ended the attempt. The state of ctx is asked, and not err,
// since a connection torn down by a context reports whatever it was doing.
func ending(ctx context.Context, err error) (reason, error) {
	switch {
	case ctx.Err() == nil:
		return "", nil
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return reasonTimeout, fmt.Errorf("%w: %w", fault.Timeout, err)
	case errors.Is(err, context.Canceled):
		return reasonCanceled, err
	default:
		return reasonCanceled, fmt.Errorf("%w: %w", context.Canceled, err)
	}
}

// reasonOf looks for what went wrong between us and the host.
func reasonOf(err error) reason {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return reasonDNS
	}
	if isTLS(err) {
		return reasonTLS
	}
	if isDial(err) { // one that took too long is a host that cannot be reached
		return reasonConnect
	}
	timeout, isNet := errors.AsType[net.Error](err)
	if isNet && timeout.Timeout() {
		return reasonTimeout
	}
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, cut) {
			return reasonReset
		}
	}
	_, isOp := errors.AsType[*net.OpError](err)
	if isOp {
		return reasonReset
	}
	return reasonOther
}

// isDial reports that there was no connection to send anything on.
func isDial(err error) bool {
	op, isOp := errors.AsType[*net.OpError](err)
	return isOp && op.Op == "dial"
}

// IsUnsent reports whether a call that is made at most once failed without anything of it being sent: it was withheld, or there
// was no connection to be had. Of others it is not known.
func IsUnsent(err error) bool { return IsWithheld(err) || isDial(err) }

// isTLS reports a failed handshake: a certificate we do not trust, a host that speaks no TLS, or
// an alert.
func isTLS(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	op, isOp := errors.AsType[*net.OpError](err)
	alert := isOp && (op.Op == "remote error" || op.Op == "local error")
	return certificate || authority || record || alert
}
