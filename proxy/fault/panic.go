package fault

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Guarded turns a panic of f into an error, since one in work that several wait for would end the process.
func Guarded[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		panicked := recover()
		if panicked != nil {
			err = OfPanic(panicked)
		}
	}()
	return f()
}

// OfPanic makes an error of a panic, with the stack of the goroutine that recovers from it.
func OfPanic(panicked any) error {
	return fmt.Errorf("panic: %s\n%s", PanicText(panicked), debug.Stack())
}

// PanicText says what a panic was. Errors of the runtime and texts are our own words; any other value
// may hold what a caller or a site sent, so its type stands for it.
func PanicText(panicked any) string {
	switch panicked.(type) {
	case string, runtime.Error:
		return fmt.Sprint(panicked)
	}
	return fmt.Sprintf("a %T", panicked)
}
