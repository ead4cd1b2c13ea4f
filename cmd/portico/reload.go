package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"portico/config"
)

// A reloader keeps what runs at the settings that stand in a file. A file that cannot be taken as a
// whole changes nothing.
type reloader struct {
	file    string
	environ []string
	seen    []byte // what the file held when it was looked at last; nil if it could not be read
	running *running
	log     *slog.Logger
	told    bool // that the file is none that can be read again
}

// run reads the file again at each hang-up signal, and when its content has changed, until ctx ends.
func (r *reloader) run(ctx context.Context, hangups <-chan os.Signal) error {
	changes := watchFile(ctx, r.file, r.log)
	for {
		select {
		case <-ctx.Done():
			<-changes.ended
			return nil
		case <-hangups:
			r.look(true)
			changes.afresh()
		case <-changes.seen:
			r.look(false)
		}
	}
}

// look reads the file, and takes its settings if its content is new or anyway is set.
func (r *reloader) look(anyway bool) {
	text, err := config.ReadAgain(r.file)
	if errors.Is(err, config.ErrOnce) {
		if anyway || !r.told {
			r.log.Warn("the settings are not read again", "file", r.file, "cause", err.Error())
		}
		r.told = true
		return
	}
	if err == nil && bytes.Equal(text, r.seen) && !anyway {
		return
	}
	r.seen = text
	if err == nil {
		err = r.take(text)
	}
	r.running.house.reloads.count(err)
	if err != nil {
		for _, fault := range faults(err) {
			r.log.Error("settings: " + fault.Error())
		}
		r.log.Error("the settings were not reloaded: those of before hold on", "file", r.file)
	}
}

// take puts the settings of text into effect, all or none of them.
func (r *reloader) take(text []byte) error {
	next, err := config.Parse(r.file, text, r.environ)
	if err != nil {
		return err
	}
	changed, fixed := r.running.settings().Changes(next)
	if len(fixed) > 0 {
		// What could be changed may lean on what cannot: a route on a site that is not there yet.
		return fmt.Errorf("a change needs a restart: %s", strings.Join(fixed, ", "))
	}
	r.running.adopt(next)
	for _, warning := range next.Warnings {
		r.log.Warn("settings: " + warning)
	}
	for _, one := range r.running.clients {
		one.tell(r.log)
	}
	r.log.Info("settings reloaded", "changed", changed)
	return nil
}

// faults returns the errors that one joins.
func faults(err error) []error {
	joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	if !ok {
		return []error{err}
	}
	return joined.Unwrap()
}
