package main

import (
	"log"
	"log/slog"
	"math"
	"strings"

	"portico/config"
)

// tellOpenFiles tells the log how many files may be open, and warns if that is less than the settings allow
// connections: then nobody gets in any more before their limits are reached. Agents' connections that wait for
// notifications come on top. A limit of 0 is not known.
func tellOpenFiles(limit uint64, cfg *config.Config, log *slog.Logger) {
	if limit == 0 {
		return
	}
	log.Info("open files are limited", "limit", limit, "idle_connections", idleFor(limit))
	allowed := uint64(cfg.Limits.Strangers) + uint64(cfg.Limits.Requests)
	for _, site := range cfg.Sites {
		allowed += uint64(site.Calls.AtOnce)
	}
	if limit < allowed {
		log.Warn("settings: limits.strangers, limits.requests and calls.at_once of the sites allow more connections than files may be open: raise that limit (ulimit -n), or lower these",
			"limit", limit, "connections", allowed)
	}
}

// idleFor returns how many connections of callers may be idle with so many open files: half of them, as those that are
// served, held connects and what is open to the sites need theirs too. Without a limit it is without one.
func idleFor(limit uint64) int {
	if limit == 0 {
		return math.MaxInt
	}
	return int(min(limit/2, math.MaxInt))
}

// serverErrors returns the log for what an HTTP server has to say of itself. All is for debugging, since it is what
// callers do to a connection, except that none can be accepted: files have run out, say.
func serverErrors(name string, to *slog.Logger) *log.Logger {
	return log.New(serverLog{name, to}, "", 0)
}

type serverLog struct {
	name string
	to   *slog.Logger
}

func (l serverLog) Write(line []byte) (int, error) {
	text := strings.TrimSuffix(string(line), "\n")
	cause, accepting := strings.CutPrefix(text, acceptError)
	if accepting { // the server waits longer and longer after each, up to a second
		l.to.Error("no connection can be accepted", "server", l.name, "cause", cause)
	} else {
		l.to.Debug(text)
	}
	return len(line), nil
}

// acceptError begins what the server says if it cannot accept.
//
// Source: net/http, Server.Serve.
const acceptError = "http: Accept error: "
