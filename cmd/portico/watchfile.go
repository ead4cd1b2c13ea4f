package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long after a first sign of a change the file is looked at. One change comes as several
// signs: editors and config maps write beside the file and turn a name or a link to that.
const settle = 250 * time.Millisecond

// lookForFile is how often a file that is gone is looked for: with its folder went the watch on that.
const lookForFile = 2 * time.Second

// A fileWatch tells when a file may have changed. Whoever is told compares.
type fileWatch struct {
	seen  chan struct{}
	asked chan struct{} // has room for one: by afresh
	ended chan struct{} // closed when nothing of the watch is left
}

// watchFile watches a file until ctx ends, and tells of it once at the beginning: it may have changed
// since it was read. Where it cannot be watched the log says so.
func watchFile(ctx context.Context, file string, log *slog.Logger) fileWatch {
	w := fileWatch{seen: make(chan struct{}, 1), asked: make(chan struct{}, 1), ended: make(chan struct{})}
	var names []string
	signs, err := fsnotify.NewWatcher()
	if err == nil {
		names, err = watchFolders(signs, file)
		if err != nil {
			_ = signs.Close()
		}
	}
	if err != nil {
		log.Warn("the settings file cannot be watched: only SIGHUP has it read again", "file", file, "cause", err.Error())
		close(w.ended)
		return w
	}
	w.tell()
	go func() {
		defer close(w.ended)
		defer func() { _ = signs.Close() }()
		w.follow(ctx, signs, file, names)
	}()
	return w
}

// watchFolders watches the folder that a file's name stands in and the one that its links lead to, and returns
// the file's names there. A watch on the file itself would stay with what was replaced.
func watchFolders(signs *fsnotify.Watcher, file string) (names []string, err error) {
	names = []string{filepath.Base(file)}
	target, err := filepath.EvalSymlinks(file)
	if err == nil {
		names = append(names, filepath.Base(target))
		_ = signs.Add(filepath.Dir(target)) // gone again, perhaps: then the name leads elsewhere, which is seen
	}
	return names, signs.Add(filepath.Dir(file))
}

// mayChange reports whether a sign may be one of a file of these names. Whatever is made, moved or removed in its
// folders may be, but not what is written to another: a log that grows there had the settings read four times a second.
func mayChange(sign fsnotify.Event, names []string) bool {
	return sign.Op != fsnotify.Write || slices.Contains(names, filepath.Base(sign.Name))
}

// afresh has the file's folders watched anew: others may be there by now.
func (w fileWatch) afresh() {
	select {
	case w.asked <- struct{}{}:
	default:
	}
}

// follow tells of the file once it has settled after each sign. While it is gone it is looked for.
func (w fileWatch) follow(ctx context.Context, signs *fsnotify.Watcher, file string, names []string) {
	var settled, again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case sign := <-signs.Events:
			if !mayChange(sign, names) {
				continue
			}
		case <-signs.Errors: // signs were lost: perhaps one of the file
		case <-w.asked:
		case <-again:
			again = nil
			if _, err := os.Stat(file); err != nil {
				again = time.After(lookForFile)
				continue
			}
		case <-settled:
			var err error
			settled = nil
			names, err = watchFolders(signs, file) // its links may lead elsewhere now
			_, gone := os.Stat(file)
			if err != nil || gone != nil {
				again = time.After(lookForFile)
			}
			w.tell()
			continue
		}
		if settled == nil {
			settled = time.After(settle)
		}
	}
}

// tell tells, unless whoever is told has yet to look.
func (w fileWatch) tell() {
	select {
	case w.seen <- struct{}{}:
	default:
	}
}
