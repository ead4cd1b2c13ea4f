package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"portico/cmd/internal/bench"
)

// A reading is what Portico uses at one time.
type reading struct {
	before     float64 // bytes of resident memory before garbage was collected
	resident   float64 // and once it was, and given back to the system
	heap       float64 // bytes of objects that are reachable
	stacks     float64 // bytes
	spare      float64 // bytes that the runtime holds for objects to come, in part-filled spans or whole
	goroutines float64
}

// per returns what each of n adds from one reading to another.
func (r reading) per(from reading, n int) reading {
	count := float64(n)
	return reading{before: (r.before - from.before) / count, resident: (r.resident - from.resident) / count,
		heap: (r.heap - from.heap) / count, stacks: (r.stacks - from.stacks) / count, spare: (r.spare - from.spare) / count,
		goroutines: (r.goroutines - from.goroutines) / count}
}

// Waiting for memory to go back to the system, which the runtime does little by little.
const (
	settleWithin = 40 * time.Second
	settleEvery  = 2 * time.Second
	settled      = 3 // readings in a row that are no smaller
)

// read takes a reading of a Portico at rest.
func (s *scene) read(ctx context.Context) (reading, error) {
	var r reading
	var err error
	r.before, err = resident(s.Portico.PID())
	if err != nil {
		return r, err
	}
	for range 2 { // what the first collection finalizes the second frees
		err = s.profile(ctx, "heap?gc=1", io.Discard)
		if err != nil {
			return r, err
		}
	}
	collected, err := s.metrics(ctx) // polls that end and begin anew allocate meanwhile
	if err != nil {
		return r, err
	}
	r.heap = collected["go_memstats_heap_alloc_bytes"]
	r.resident, err = s.settle(ctx)
	if err != nil {
		return r, err
	}
	values, err := s.metrics(ctx)
	r.stacks, r.goroutines = values["go_memstats_stack_inuse_bytes"], values["go_goroutines"]
	r.spare = values["go_memstats_heap_inuse_bytes"] - values["go_memstats_heap_alloc_bytes"] + values["go_memstats_heap_idle_bytes"] - values["go_memstats_heap_released_bytes"]
	return r, err
}

// settle waits until the resident memory grows no smaller, and returns it.
func (s *scene) settle(ctx context.Context) (float64, error) {
	least, err := resident(s.Portico.PID())
	same := 0
	for began := time.Now(); err == nil && same < settled && time.Since(began) < settleWithin; {
		err = bench.Pause(ctx, settleEvery)
		if err != nil {
			break
		}
		var now float64
		now, err = resident(s.Portico.PID())
		same++
		if now < 0.998*least {
			least, same = now, 0
		}
	}
	return least, err
}

// resident returns the resident memory of a process in bytes.
func resident(pid int) (float64, error) { return memory(pid, "Rss") }

// memory returns the memory of a process in bytes, counted as the kernel's word says.
func memory(pid int, word string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`(?m)^` + word + `: +(\d+) kB$`).FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("/proc/%d/smaps_rollup names no %s", pid, word)
	}
	kilobytes, err := strconv.ParseFloat(string(found[1]), 64)
	return kilobytes * 1024, err
}

// ticksPerSecond is the unit of /proc/PID/stat. Source: proc_pid_stat(5), USER_HZ.
const ticksPerSecond = 100

// processorTime returns how long a process has kept processors busy.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name of the program, in parentheses, may hold spaces. utime and stime are the 12th and 13th
	// field after it.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// metrics returns Portico's metrics by their name and labels.
func (s *scene) metrics(ctx context.Context) (map[string]float64, error) {
	body, err := s.ask(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		name, value, found := cutLast(lines.Text(), ' ')
		number, err := strconv.ParseFloat(value, 64)
		if found && err == nil {
			values[name] = number
		}
	}
	return values, lines.Err()
}

func cutLast(text string, at byte) (before, after string, found bool) {
	i := strings.LastIndexByte(text, at)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// ask asks Portico's operators' door.
func (s *scene) ask(ctx context.Context, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Admin+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return answer.Body, nil
}

// profile copies one of Portico's profiles.
func (s *scene) profile(ctx context.Context, name string, to io.Writer) error {
	body, err := s.ask(ctx, "/debug/pprof/"+name)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(to, body)
	return err
}

// profiles keeps the profiles that tell where memory went at a stage.
func (s *scene) profiles(ctx context.Context, folder string, stage int) error {
	for _, name := range []string{"heap", "goroutine"} {
		err := s.keep(ctx, name, filepath.Join(folder, fmt.Sprintf("%s-%d.prof", name, stage)))
		if err != nil {
			return err
		}
	}
	return nil
}

// profileRound keeps the profile that tells where a round's processor time goes, if profiles are wanted. It
// returns at once; the error comes when it is kept.
func (s *scene) profileRound(ctx context.Context, set settings, number int) <-chan error {
	kept := make(chan error, 1)
	if set.profiles == "" {
		kept <- nil
		return kept
	}
	go func() {
		kept <- s.keep(ctx, fmt.Sprintf("profile?seconds=%.0f", set.round.Seconds()), filepath.Join(set.profiles, fmt.Sprintf("cpu-%d.prof", number)))
	}()
	return kept
}

// keep keeps one of Portico's profiles in a file.
func (s *scene) keep(ctx context.Context, name, file string) error {
	err := os.MkdirAll(filepath.Dir(file), 0o777)
	if err != nil {
		return err
	}
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	defer to.Close()
	return s.profile(ctx, name, to)
}

// await waits until a metric of Portico's has a value.
func (s *scene) await(ctx context.Context, name string, want float64) error {
	for {
		values, err := s.metrics(ctx)
		if err != nil {
			return err
		}
		if values[name] == want {
			return nil
		}
		err = bench.Pause(ctx, 250*time.Millisecond)
		if err != nil {
			return fmt.Errorf("%s is %v; want %v: %w", name, values[name], want, err)
		}
	}
}
