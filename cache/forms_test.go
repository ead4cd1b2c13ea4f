package cache

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func newForms(t testing.TB, maxBytes int64) (*Forms, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	forms, err := NewForms(FormsOptions{Cache: Catalogue, MaxBytes: maxBytes, Metrics: NewMetrics(reg, site)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(forms.Close)
	return forms, reg
}

// A press counts how often it encodes a form of size bytes.
type press struct {
	size  int
	count atomic.Int64
}

func (p *press) encode() ([]byte, error) {
	p.count.Add(1)
	return make([]byte, p.size), nil
}

func get(t testing.TB, forms *Forms, key string, p *press) {
	t.Helper()
	got, err := forms.Get(key, p.encode)
	if err != nil || len(got) != p.size {
		t.Errorf("Get(%q) = %d bytes, %v; want %d", key, len(got), err, p.size)
	}
}

func TestFormIsEncodedOnce(t *testing.T) {
	forms, reg := newForms(t, 1<<20)
	p := &press{size: 100}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			for range 20 {
				get(t, forms, "json", p)
			}
		})
	}
	group.Wait()
	if got := p.count.Load(); got != 1 {
		t.Errorf("encoded %d times; want 1", got)
	}
	if got := number(t, reg, "portico_cache_sets_total", "outcome", "added"); got != 1 {
		t.Errorf("sets added = %v; want 1", got)
	}
	if got := number(t, reg, "portico_cache_size_bytes"); got != 100 {
		t.Errorf("size = %v; want the form's 100 bytes", got)
	}
	if got := number(t, reg, "portico_cache_capacity_bytes"); got != 1<<20 {
		t.Errorf("capacity = %v; want 1 MiB", got)
	}
}

func TestFormLargerThanTheCacheIsServedButNotKept(t *testing.T) {
	forms, reg := newForms(t, 99)
	p := &press{size: 100}
	get(t, forms, "json", p)
	get(t, forms, "json", p)
	if got := p.count.Load(); got != 2 {
		t.Errorf("encoded %d times; want each time", got)
	}
	if got := number(t, reg, "portico_cache_sets_total", "outcome", "rejected"); got != 2 {
		t.Errorf("sets rejected = %v; want 2", got)
	}
	if got := number(t, reg, "portico_cache_removals_total"); got != 0 {
		t.Errorf("removals = %v; want 0: nothing was kept", got)
	}
}

func TestFormsStayWithinTheirRoom(t *testing.T) {
	forms, reg := newForms(t, 1000)
	p := &press{size: 100}
	for i := range 200 {
		get(t, forms, fmt.Sprint(i), p)
		if got := forms.Size(); got > 1000 {
			t.Fatalf("%d bytes kept; want at most 1000", got)
		}
	}
	kept := float64(forms.Size() / 100)
	added := number(t, reg, "portico_cache_sets_total", "outcome", "added")
	rejected := number(t, reg, "portico_cache_sets_total", "outcome", "rejected")
	removed := number(t, reg, "portico_cache_removals_total", "cause", "capacity")
	if added+rejected != 200 || added-removed != kept {
		t.Errorf("%v added, %v rejected, %v removed, %v kept; want 200 offered, and kept = added - removed", added, rejected, removed, kept)
	}
}

func TestFormsGo(t *testing.T) {
	tests := []struct {
		name  string
		cause string
		rid   func(*Forms)
		left  int64 // bytes
	}{
		{"at a session's end, by name", "session_end", func(f *Forms) { f.Delete("1", "2", "never there"); f.Delete("1") }, 100},
		{"when an operator purges them", "purge", (*Forms).Purge, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			forms, reg := newForms(t, 1000)
			p := &press{size: 100}
			for _, key := range []string{"1", "2", "3"} {
				get(t, forms, key, p)
			}
			test.rid(forms)
			until(t, "ristretto to let go", func() bool { return forms.Size() == test.left })
			if got, want := number(t, reg, "portico_cache_removals_total", "cause", test.cause), float64(300-test.left)/100; got != want {
				t.Errorf("removals by %s = %v; want %v", test.cause, got, want)
			}
			if got, want := number(t, reg, "portico_cache_removals_total"), float64(300-test.left)/100; got != want {
				t.Errorf("removals = %v; want %v", got, want)
			}
			get(t, forms, "1", p)
			if got := p.count.Load(); got != 4 {
				t.Errorf("encoded %d times; want 4", got)
			}
		})
	}
}

func TestEncodingThatFailsIsNotKept(t *testing.T) {
	tests := []struct {
		name   string
		encode func() ([]byte, error)
		check  func(error) bool
	}{
		{"with an error", func() ([]byte, error) { return nil, errRefused },
			func(err error) bool { return errors.Is(err, errRefused) }},
		{"with a panic", func() ([]byte, error) { panic("out of cheese") },
			func(err error) bool { _, ok := errors.AsType[*PanicError](err); return ok }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			forms, _ := newForms(t, 1000)
			_, err := forms.Get("json", test.encode)
			if !test.check(err) {
				t.Errorf("Get = %v; want another error", err)
			}
			get(t, forms, "json", &press{size: 10})
		})
	}
}

func TestFormsWorkWithoutKeepingOnceClosed(t *testing.T) {
	forms, reg := newForms(t, 1000)
	p := &press{size: 100}
	get(t, forms, "json", p)
	forms.Close()
	forms.Close()
	forms.Delete("json")
	forms.Purge()
	get(t, forms, "json", p)
	if got := p.count.Load(); got != 2 {
		t.Errorf("encoded %d times; want 2", got)
	}
	if got := number(t, reg, "portico_cache_size_bytes"); got != 0 {
		t.Errorf("size = %v; want 0", got)
	}
}

// TestFormsBesideEverythingElse is for the race detector: ristretto's own Clear and Close panic
// when a Set comes beside them.
func TestFormsBesideEverythingElse(t *testing.T) {
	forms, _ := newForms(t, 1000)
	p := &press{size: 100}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 500 {
				key := fmt.Sprint(i % 30)
				get(t, forms, key, p)
				if i%7 == worker {
					forms.Delete(key)
				}
				if i%100 == worker {
					forms.Purge()
				}
				if i == 400 {
					forms.Close()
				}
			}
		})
	}
	group.Wait()
}

func TestFormsWithoutRoomAreRefused(t *testing.T) {
	_, err := NewForms(FormsOptions{Cache: Catalogue})
	if err == nil || err.Error() != "cache: make room for 0 bytes of forms: MaxCost can't be zero" {
		t.Errorf("NewForms = %v; want a refusal", err)
	}
}

func BenchmarkFormsGet(b *testing.B) {
	forms, _ := newForms(b, 1<<20)
	const key = "catalogue/5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9/b/gzip"
	size := 4096
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, err := forms.Get(key, func() ([]byte, error) { return make([]byte, size), nil })
			if err != nil {
				b.Error(err)
			}
		}
	})
}

func TestALoweredBoundIsKept(t *testing.T) {
	forms, reg := newForms(t, 1<<20)
	p := &press{size: 10 << 10}
	for i := range 100 {
		get(t, forms, fmt.Sprint(i), p)
	}
	forms.SetMaxBytes(100 << 10)
	for i := range 100 {
		get(t, forms, fmt.Sprint("other ", i), p)
	}
	if got := forms.Size(); got <= 0 || got > 100<<10 {
		t.Errorf("%d bytes are kept; want some, and at most 100 KiB", got)
	}
	if got := number(t, reg, "portico_cache_capacity_bytes"); got != 100<<10 {
		t.Errorf("capacity = %v; want 100 KiB", got)
	}
}
