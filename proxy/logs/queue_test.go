package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A stalling writer takes nothing until it may.
type stalling struct {
	output
	may chan struct{}
}

func (s *stalling) Write(p []byte) (int, error) {
	<-s.may
	return s.output.Write(p)
}

// counts checks what the queue counts.
func counts(t *testing.T, c *counters, written, full, failed float64) {
	t.Helper()
	sum := 0.0
	for _, one := range c.written {
		sum += testutil.ToFloat64(one)
	}
	if gotFull, gotFailed := testutil.ToFloat64(c.full), testutil.ToFloat64(c.failed); sum != written || gotFull != full || gotFailed != failed {
		t.Errorf("counted %v written, %v lost and %v failed; want %v, %v and %v", sum, gotFull, gotFailed, written, full, failed)
	}
}

func TestNobodyWaitsForALogThatStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stalling{may: make(chan struct{})}
		var beside bytes.Buffer
		log, queue := New(Settings{Out: out, Beside: &beside, Level: new(slog.LevelVar), Registerer: prometheus.NewRegistry()})
		out.queue = queue
		log.Info("first") // which is being written from now on
		synctest.Wait()
		const size = 1000 // bytes, or a little more
		for i := range 3 * maxWaiting / size {
			log.Info("more", "n", i, "text", strings.Repeat("x", size))
		}
		if queue.Flush(time.Second) {
			t.Error("all is written, says the queue")
		}
		if waiting := len(queue.waiting); waiting > maxWaiting || waiting < maxWaiting-2*size {
			t.Errorf("%d bytes wait; want about %d", waiting, maxWaiting)
		}
		close(out.may)
		written := lines(t, &out.output)
		for i, line := range written[1:] {
			if line["n"] != float64(i) {
				t.Fatalf("line %d is %v: want those of before, in order", i, line["n"])
			}
		}
		lost := 1 + 3*maxWaiting/size - len(written)
		counts(t, queue.counted, float64(len(written)), float64(lost), 0)
		log.Info("last")
		all := lines(t, &out.output)
		if lost == 0 || all[len(all)-1]["msg"] != "last" {
			t.Errorf("%d lines are lost, and the last is %v", lost, all[len(all)-1])
		}
		if said := beside.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, errFull.Error()) {
			t.Errorf("beside the log stands %q; want one line", said)
		}
		if kept := cap(queue.spare) + cap(queue.waiting); kept > 2*maxSpare {
			t.Errorf("%d bytes are kept after that", kept)
		}
	})
}

// A broken writer takes so many bytes of each write.
type broken struct {
	bytes.Buffer
	takes int
}

func (b *broken) Write(p []byte) (int, error) {
	if len(p) <= b.takes {
		return b.Buffer.Write(p)
	}
	n, _ := b.Buffer.Write(p[:b.takes])
	return n, errors.New("no space left")
}

func TestLinesThatCannotBeWrittenAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &broken{}
		var beside bytes.Buffer
		queue := newQueue(out, &beside, newCounters(nil))
		write := func(takes int, lines ...string) {
			t.Helper()
			out.takes = takes
			for _, line := range lines { // in one write: the bubble goes on when this waits
				queue.mu.Lock()
				queue.waiting = append(queue.waiting, line...)
				queue.mu.Unlock()
			}
			_, _ = queue.Write(nil)
			synctest.Wait()
		}
		write(100, "one\n", "two\n")
		counts(t, queue.counted, 2, 0, 0)
		write(6, "three\n", "four\n", "five\n")
		counts(t, queue.counted, 3, 0, 2)
		write(3, "six\n")
		write(0, "seven\n")
		counts(t, queue.counted, 3, 0, 4)
		write(100, "eight\n")
		counts(t, queue.counted, 4, 0, 4)
		if got, want := out.String(), "one\ntwo\nthree\nsix\neight\n"; got != want { // of six its end alone is missing
			t.Errorf("written: %q; want %q", got, want)
		}
		if said := beside.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "no space left") {
			t.Errorf("beside the log stands %q; want one line", said)
		}
	})
}

func TestLinesOfManyAreWholeAndInOrder(t *testing.T) {
	log, out := newLog(Settings{})
	var all sync.WaitGroup
	const each = 500
	for i := range 8 {
		all.Go(func() {
			for n := range each {
				log.Info("line", "of", i, "n", n)
			}
		})
	}
	all.Wait()
	next := map[any]float64{}
	for _, line := range lines(t, out) {
		if of := line["of"]; line["n"] != next[of] {
			t.Fatalf("line %v of %v comes where %v should", line["n"], of, next[of])
		}
		next[line["of"]]++
	}
	if fmt.Sprint(next) != "map[0:500 1:500 2:500 3:500 4:500 5:500 6:500 7:500]" {
		t.Errorf("written: %v", next)
	}
}

func BenchmarkQueue(b *testing.B) {
	queue := newQueue(io.Discard, io.Discard, newCounters(nil))
	line := []byte(`{"time":"2026-11-23T05:00:00Z","level":"INFO","msg":"request"}` + "\n")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = queue.Write(line)
	}
}
