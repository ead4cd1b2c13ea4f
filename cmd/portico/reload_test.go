package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

const versionPath = "/api/v2/diagnostics/version"

// shows waits until the settings' version is served.
func (s *serving) shows(version string) {
	s.t.Helper()
	eventually(s.t, "the version is "+version+"; log:\n"+s.log.String(), func() bool {
		_, body := s.get("", s.door+versionPath)
		return strings.Contains(body, version)
	})
}

// hangUp sends the signal that has the settings read again.
func hangUp(t *testing.T) {
	t.Helper()
	err := syscall.Kill(os.Getpid(), syscall.SIGHUP)
	if err != nil {
		t.Fatal(err)
	}
}

// metric returns the line of a metric.
func (s *serving) metric(name string) string {
	s.t.Helper()
	_, body := s.get("", s.admin+"/metrics")
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, name) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// TestAChangedFileIsReadAgain changes the file in each way that files are, while an agent is logged in.
func TestAChangedFileIsReadAgain(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, file, text string){
		"written in place": write,
		"replaced, as editors do": func(t *testing.T, file, text string) {
			write(t, file+"~", text)
			must(t, os.Rename(file+"~", file))
		},
		"moved away and written anew": func(t *testing.T, file, text string) {
			must(t, os.Rename(file, file+".bak"))
			write(t, file, text)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newCentres(t, nil).serveWith("drain_delay: 0s\n")
			s.isKept(func(version string) { put(t, s.file, s.settings+"drain_delay: 0s\nhtcc_version: "+version+"\n") })
		})
	}
}

// TestAMountedConfigMapIsReadAgain lays the file out as Kubernetes does, which swaps a link to a folder.
func TestAMountedConfigMapIsReadAgain(t *testing.T) {
	c := newCentres(t, nil)
	mount := t.TempDir()
	generation := ""
	put := func(version string) {
		before := generation
		generation = filepath.Join(mount, "..2026_"+version)
		must(t, os.Mkdir(generation, 0o700))
		write(t, filepath.Join(generation, "portico.yaml"), c.settings+"drain_delay: 0s\nhtcc_version: "+version+"\n")
		must(t, os.Symlink(filepath.Base(generation), filepath.Join(mount, "..data_tmp")))
		must(t, os.Rename(filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data")))
		if before != "" {
			must(t, os.RemoveAll(before))
		}
	}
	put("9.1.1")
	file := filepath.Join(mount, "portico.yaml")
	must(t, os.Symlink(filepath.Join("..data", "portico.yaml"), file))
	c.serveFile(file).isKept(put)
}

// TestALinkedFileIsReadAgain changes a file that the settings' name only leads to.
func TestALinkedFileIsReadAgain(t *testing.T) {
	c := newCentres(t, nil)
	target, file := filepath.Join(t.TempDir(), "real.yaml"), filepath.Join(t.TempDir(), "portico.yaml")
	put := func(version string) { write(t, target, c.settings+"drain_delay: 0s\nhtcc_version: "+version+"\n") }
	put("9.1.1")
	must(t, os.Symlink(target, file))
	c.serveFile(file).isKept(put)
}

// isKept changes the settings twice, each time by put, and holds an agent's session to living on.
func (s *serving) isKept(put func(version string)) {
	s.t.Helper()
	s.get("anna", s.door+"/me")
	for _, version := range []string{"9.1.2", "9.1.3"} {
		put(version)
		s.shows(version)
	}
	status, body := s.get("anna", s.door+"/me")
	if status != 200 {
		s.t.Errorf("the agent gets %d %s", status, body)
	}
	s.sessions("anna", 1)
	if got := s.pureconnect.Calls()["POST /icws/connection"]; got != 1 {
		s.t.Errorf("%d log-ins at the site; want 1", got)
	}
	if code := s.end(); code != exitOK {
		s.t.Errorf("exit code %d; log:\n%s", code, s.log)
	}
}

// TestSIGHUPReadsTheFileAgain tells by the count of readings, since nothing has changed.
func TestSIGHUPReadsTheFileAgain(t *testing.T) {
	s := newCentres(t, nil).serveWith("drain_delay: 0s\n")
	hangUp(t)
	s.log.await(t, "settings reloaded")
	if code := s.end(); code != exitOK {
		t.Errorf("exit code %d; log:\n%s", code, s.log)
	}
}

// TestABadFileIsRefused has every reason for that, and after each the old settings.
func TestABadFileIsRefused(t *testing.T) {
	s := newCentres(t, nil).serveWith("drain_delay: 0s\nhtcc_version: 9.1.2\n")
	const good, bad = "portico_config_last_reload_successful 1", "portico_config_last_reload_successful 0"
	if got := s.metric("portico_config_last_reload_successful"); got != good {
		t.Errorf("after the start: %q", got)
	}
	lines := strings.Count(s.settings, "\n")
	for _, tt := range []struct {
		name, text string
		want       []string // in the log
	}{
		{"faults, all of them with their lines", s.settings + "drain_delay: soon\nhtcc_version: 9.1.4\nlimits: {requests: 0}\n",
			[]string{s.file + ":" + strconv.Itoa(lines+1) + ": drain_delay", s.file + ":" + strconv.Itoa(lines+3) + ": limits.requests"}},
		{"a change that needs a restart", s.settings + "drain_delay: 0s\nhtcc_version: 9.1.4\ncache: {scope: shared}\n",
			[]string{"a change needs a restart: cache.scope"}},
	} {
		write(t, s.file, tt.text)
		for _, want := range append(tt.want, "the settings were not reloaded") {
			s.log.await(t, want)
		}
		eventually(t, tt.name+": the metric tells", func() bool { return s.metric("portico_config_last_reload_successful") == bad })
		s.shows("9.1.2")
		// The old text again is as good as a new one.
		write(t, s.file, s.settings+"drain_delay: 0s\nhtcc_version: 9.1.2\n")
		eventually(t, tt.name+": the old file is back", func() bool { return s.metric("portico_config_last_reload_successful") == good })
	}
	must(t, os.Remove(s.file))
	eventually(t, "a file that is gone is told of", func() bool { return s.metric("portico_config_last_reload_successful") == bad })
	s.shows("9.1.2")
	if code := s.end(); code != exitOK {
		t.Errorf("exit code %d; log:\n%s", code, s.log)
	}
}

// TestRequestsDuringAReloadDoNotFail has agents ask on while settings change again and again.
func TestRequestsDuringAReloadDoNotFail(t *testing.T) {
	s := newCentres(t, nil).serveWith("drain_delay: 0s\n")
	var answered atomic.Int64
	var asking sync.WaitGroup
	over := make(chan struct{})
	for _, agent := range []string{"anna", "bjorn", "cleo"} {
		asking.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				status, body := s.get(agent, s.door+"/api/v2/me")
				if status != 200 {
					t.Errorf("%s gets %d %s", agent, status, body)
					return
				}
				answered.Add(1)
			}
		})
	}
	for i := range 30 {
		version := "9.1." + strconv.Itoa(i)
		write(t, s.file, s.settings+"drain_delay: 0s\nhtcc_version: "+version+"\n")
		hangUp(t)
		s.shows(version)
	}
	close(over)
	asking.Wait()
	if answered.Load() < 30 {
		t.Errorf("%d answers; want some at each reload", answered.Load())
	}
	s.sessions("anna", 1)
	if code := s.end(); code != exitOK {
		t.Errorf("exit code %d; log:\n%s", code, s.log)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
