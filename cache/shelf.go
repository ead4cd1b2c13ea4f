package cache

import (
	"context"
	"errors"
	"time"
)

// A Copy is a value that one replica keeps for the others, encoded.
type Copy struct {
	Text    []byte
	Version string // tells it from others under the same name
	Epoch   int64  // that it was made in
}

// ErrNoCopy is what a Shelf answers for a name under which nothing is kept.
var ErrNoCopy = errors.New("cache: no copy is kept")

// A Shelf is where replicas keep copies for each other, each under a name, for a while. An epoch begins
// with a purge: what was made before it is not to be used any more. Any number of goroutines may call its
// methods.
type Shelf interface {
	// Get returns the copy under a name, without its text if it is of the version that the caller knows,
	// or ErrNoCopy.
	Get(ctx context.Context, name, known string) (Copy, error)
	// Put keeps a copy for life, in place of any other but one of a later epoch.
	Put(ctx context.Context, name string, c Copy, life time.Duration) error
	// Renew begins the life of a copy anew if it is of that version and epoch, and reports whether it is.
	Renew(ctx context.Context, name string, version string, epoch int64, life time.Duration) (bool, error)
	// Purge begins an epoch for a part of what belongs to an owner, and returns it. Of one owner each is
	// later than all before, also when the shelf has lost everything.
	Purge(ctx context.Context, owner, part string) (int64, error)
	// Epochs returns those of the owner by part. It keeps those that the caller knows and it does not, or not as late:
	// it may have lost them, and forgets them when nobody has asked for long.
	Epochs(ctx context.Context, owner string, known map[string]int64) (map[string]int64, error)
}
