package fault

import (
	"fmt"
	"runtime"
)

// PanicText says what a panic was. Errors of the runtime and texts are our own words; any other value
// may hold what a caller or a site sent, so its type stands for it.
func PanicText(panicked any) string {
	switch panicked.(type) {
	case string, runtime.Error:
		return fmt.Sprint(panicked)
	}
	return fmt.Sprintf("a %T", panicked)
}
