package cache

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is a panic in a function that was run on behalf of many callers. None of them
// caused it, so it reaches them as an error: without a kind, hence a 500 at the door. Its text
// carries the stack and is for the log.
type PanicError struct {
	Value any // what was passed to panic
	Stack []byte
}

// Error returns the value and the stack. A value that is itself an error is not unwrapped: its
// kind must not turn our own bug into someone else's failure.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack)
}

// recovered calls f and turns a panic into a *PanicError.
func recovered[T any](f func() (T, error)) (result T, err error) { // named: a deferred function sets them
	defer func() {
		value := recover()
		if value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return f()
}
