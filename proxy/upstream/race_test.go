//go:build race

package upstream

// raced says that the race detector counts along, and allocates.
const raced = true
