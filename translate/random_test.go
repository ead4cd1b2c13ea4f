package translate

import (
	"math/rand/v2"
	"testing"
)

func TestRandomShifts(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := newShift(t, random.IntN)
		for range 25 {
			s.step()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}

func FuzzShifts(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 4, 0, 1, 4, 1, 2, 3})
	f.Add([]byte{3, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89})
	f.Fuzz(func(t *testing.T, drawn []byte) {
		draw := func(n int) int {
			if len(drawn) == 0 {
				return 0
			}
			next := int(drawn[0]) % n
			drawn = drawn[1:]
			return next
		}
		s := newShift(t, draw)
		for range 100 {
			if len(drawn) == 0 || t.Failed() {
				return
			}
			s.step()
		}
	})
}
