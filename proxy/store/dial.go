package store

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// dialing opens connections and remembers why one could not be. The library tries again until the time is
// up, and then knows no more than that it is. Any number of goroutines may use it.
type dialing struct {
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	failed atomic.Pointer[error] // the last one, since it was forgotten
}

func newDialing(s Settings) *dialing {
	return &dialing{dial: redis.NewDialer(&redis.Options{DialTimeout: s.Timeout, TLSConfig: s.TLS})}
}

func (d *dialing) open(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		d.failed.Store(&err)
	}
	return conn, err
}

// explain turns an error that time was up into why no connection could be opened in it, if none could.
func (d *dialing) explain(err error) error {
	failed := d.failed.Load()
	if failed == nil || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return *failed
}
