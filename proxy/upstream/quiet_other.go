//go:build !unix

package upstream

// isQuiet cannot be asked here.
func (l *line) isQuiet() bool { return true }
