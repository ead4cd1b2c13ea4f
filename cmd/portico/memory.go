package main

import (
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"portico/config"
)

// memoryShare is how much of the container's memory the Go runtime may use: the rest is for what it
// does not count, such as the binary and the kernel's buffers.
const memoryShare = 0.9

// keepWithin has the garbage collector keep the process within the memory that the container has, as
// limit tells it, unless GOMEMLIMIT is given. Without it the process would grow by its own rule until
// the kernel ends it, with all sessions.
func keepWithin(limit memlimit.Provider, environ []string, cache config.Bytes, log *slog.Logger) {
	bytes, from := debug.SetMemoryLimit(-1), "GOMEMLIMIT"
	if !given("GOMEMLIMIT", environ) {
		var err error
		from = "container"
		bytes, err = memlimit.Set(memlimit.WithProvider(limit), memlimit.WithRatio(memoryShare))
		if err != nil {
			log.Warn("the container's memory limit cannot be read, so none is kept", "cause", err.Error())
			return
		}
	}
	if bytes == math.MaxInt64 {
		log.Info("memory is not limited")
		return
	}
	log.Info("memory is limited", "limit_bytes", bytes, "by", from)
	if int64(cache) > bytes/2 {
		log.Warn("settings: cache.max_bytes is more than half of the memory limit, and sessions need room too", "max_bytes", int64(cache), "limit_bytes", bytes)
	}
}

// given reports whether the environment holds a variable.
func given(name string, environ []string) bool {
	return slices.ContainsFunc(environ, func(variable string) bool { return strings.HasPrefix(variable, name+"=") })
}
