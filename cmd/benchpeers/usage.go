package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A family is a process and all that descend from it: nginx works in children, Varnish too.
type family []int

// familiesOf returns the processes of servers.
func familiesOf(servers ...*server) (family, error) {
	parents, err := parents()
	if err != nil {
		return nil, err
	}
	var all family
	for _, s := range servers {
		all = append(all, s.cmd.Process.Pid)
	}
	for i := 0; i < len(all); i++ { // grows as children are found
		for child, parent := range parents {
			if parent == all[i] && !slices.Contains(all, child) {
				all = append(all, child)
			}
		}
	}
	return all, nil
}

// parents returns the parent of every process.
func parents() (map[int]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	all := map[int]int{}
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		stat, err := statOf(pid)
		if err == nil { // else it has ended since
			all[pid], _ = strconv.Atoi(stat[1])
		}
	}
	return all, nil
}

// statOf returns the fields of a process's stat that follow its name: state, parent and so on. The
// name, in parentheses, may hold spaces.
//
// Source: proc_pid_stat(5).
func statOf(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return fields, nil
}

// ticksPerSecond is the unit of /proc/PID/stat. Source: proc_pid_stat(5), USER_HZ.
const ticksPerSecond = 100

// A clock is how long each process of a family has kept processors busy.
type clock map[int]time.Duration

// clock reads it. A process that has ended since is left out, as nginx's loader of caches does after a
// minute.
func (f family) clock() (clock, error) {
	all := clock{}
	for _, pid := range f {
		stat, err := statOf(pid)
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, field := range stat[11:13] { // utime, stime
			ticks, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			all[pid] += time.Duration(ticks) * time.Second / ticksPerSecond
		}
	}
	return all, nil
}

// isGone says whether a process's file could not be read because it has ended.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// since returns how long those that run still have been busy from one reading to this one.
func (c clock) since(earlier clock) time.Duration {
	total := time.Duration(0)
	for pid, busy := range c {
		total += busy - earlier[pid]
	}
	return total
}

var proportional = regexp.MustCompile(`(?m)^Pss: +(\d+) kB$`)

// memory returns the memory of the processes in bytes: what they share counts once.
func (f family) memory() (float64, error) {
	total := 0.0
	for _, pid := range f {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if isGone(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		found := proportional.FindSubmatch(text)
		if found == nil {
			return 0, fmt.Errorf("/proc/%d/smaps_rollup names no Pss", pid)
		}
		kilobytes, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return 0, err
		}
		total += kilobytes * 1024
	}
	return total, nil
}

// processorName returns what the machine calls its processors.
func processorName() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	found := regexp.MustCompile(`(?m)^model name\s*: (.+)$`).FindSubmatch(text)
	if found == nil {
		return "processors without a name"
	}
	return string(found[1])
}
