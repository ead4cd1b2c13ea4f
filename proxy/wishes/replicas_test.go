package wishes

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"portico/proxy/session"
)

// A replica is one of several that an agent's operations come to, with a clock of its own.
type replica struct {
	Ledger
	mine  map[string][]byte
	ahead time.Duration // of the others' clocks
}

// A fleet is some replicas and what the store has of one agent's wishes.
type fleet struct {
	store    session.Session
	now      int64 // by the store's clock
	replicas []*replica
}

func (f *fleet) at(r *replica) time.Time {
	return noon.Add(time.Duration(f.now)*time.Millisecond + r.ahead)
}

// ask has an operation at a replica ask for something at a site.
func (f *fleet) ask(r *replica, site, wish string) {
	before := r.mine
	r.mine = session.With(r.mine, site, []byte(wish))
	r.Ask(before, r.mine, f.at(r))
}

// report tells the store, and takes what it has then.
func (f *fleet) report(r *replica) {
	report, untold := r.Report(r.mine)
	if !untold {
		return
	}
	f.store.Now = f.now
	report.Put(&f.store, f.at(r))
	r.Told(report, f.store)
	f.look(r)
}

// look takes what the store has.
func (f *fleet) look(r *replica) {
	news, _ := r.Learn(f.store, both, false)
	for _, site := range news {
		r.mine = session.With(r.mine, site, f.store.Wishes[site])
	}
}

// TestTheLatestOfManyWishesHolds has an agent ask for this and that at replicas whose clocks differ. They tell the store
// sooner or later, and it becomes an older copy of itself now and then, as after the loss of a machine. At the end, when
// all have told it, the store and all replicas have what was asked for last.
func TestTheLatestOfManyWishesHolds(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 0))
		f := &fleet{now: now}
		for range 3 {
			f.replicas = append(f.replicas, &replica{ahead: time.Duration(random.IntN(200_000)-100_000) * time.Millisecond})
		}
		last, older := map[string][]byte{}, f.store
		for step := range 40 {
			f.now += 1 + random.Int64N(60_000)
			r := f.replicas[random.IntN(len(f.replicas))]
			switch random.IntN(8) {
			case 0, 1, 2:
				site := both[random.IntN(len(both))]
				last[site] = fmt.Append(nil, step)
				f.ask(r, site, string(last[site]))
			case 3, 4:
				f.report(r)
			case 5:
				f.look(r)
			case 6:
				older = f.store
			case 7:
				f.store = older
			}
		}
		for range 3 { // what one has restored the others learn
			for _, r := range f.replicas {
				f.look(r)
				f.report(r)
			}
		}
		same := func(other map[string][]byte) bool { return maps.EqualFunc(other, last, slices.Equal) }
		if !same(f.store.Wishes) {
			t.Fatalf("seed %d: the store has %s; want %s", seed, f.store.Wishes, last)
		}
		for n, r := range f.replicas {
			if !same(r.mine) || r.Owes() {
				t.Fatalf("seed %d: replica %d has %s and owes the store something: %v; want %s", seed, n, r.mine, r.Owes(), last)
			}
		}
	}
}
