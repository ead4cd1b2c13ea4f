//go:build race

package proxy

// raced says that the race detector counts along, and allocates.
const raced = true
