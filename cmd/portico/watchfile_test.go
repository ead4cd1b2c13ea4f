package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestSignsOfTheSettings(t *testing.T) {
	names := []string{"portico.yaml", "settings.yaml"}
	for _, tt := range []struct {
		name string
		sign fsnotify.Event
		want bool
	}{
		{"the file is written to", fsnotify.Event{Name: "/etc/portico/portico.yaml", Op: fsnotify.Write}, true},
		{"what it is a link to is", fsnotify.Event{Name: "/etc/portico/1/settings.yaml", Op: fsnotify.Write}, true},
		{"a log grows beside it", fsnotify.Event{Name: "/etc/portico/portico.log", Op: fsnotify.Write}, false},
		{"a link on its way is replaced", fsnotify.Event{Name: "/etc/portico/..data", Op: fsnotify.Create}, true},
		{"something is written and moved", fsnotify.Event{Name: "/etc/portico/next", Op: fsnotify.Write | fsnotify.Rename}, true},
	} {
		if got := mayChange(tt.sign, names); got != tt.want {
			t.Errorf("%s: it may have changed = %v; want %v", tt.name, got, tt.want)
		}
	}
}

func TestALinkedFileHasTwoNames(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "settings.yaml"), "")
	file := filepath.Join(folder, "portico.yaml")
	must(t, os.Symlink("settings.yaml", file))
	signs, err := fsnotify.NewWatcher()
	must(t, err)
	defer func() { _ = signs.Close() }()
	names, err := watchFolders(signs, file)
	if err != nil || !slices.Equal(names, []string{"portico.yaml", "settings.yaml"}) {
		t.Errorf("its names are %q, %v", names, err)
	}
}

func TestAFolderThatIsMadeAgainIsWatchedAgain(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "portico")
	file := filepath.Join(folder, "portico.yaml")
	create := func() {
		t.Helper()
		must(t, os.Mkdir(folder, 0o700))
		write(t, file, "")
	}
	create()
	ctx, cancel := context.WithCancel(t.Context())
	w := watchFile(ctx, file, slog.New(slog.DiscardHandler))
	defer func() {
		cancel()
		<-w.ended
	}()
	told := func(when string) {
		t.Helper()
		select {
		case <-w.seen:
		case <-time.After(30 * time.Second):
			t.Fatalf("nothing is told %s", when)
		}
	}
	told("at first")
	must(t, os.RemoveAll(folder))
	told("when the folder is removed")
	create()
	told("when it is there again")
	time.Sleep(lookForFile + 3*settle) // by then nobody looks for the file any more
	select {
	case <-w.seen:
	default:
	}
	write(t, file, "changed")
	told("of a change in it")
}
