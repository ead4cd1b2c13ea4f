//go:build unix

package main

import "syscall"

// openFiles returns how many files the process may have open, which Go has raised as far as it may; 0: it cannot
// be told.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur)
}
